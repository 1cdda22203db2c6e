package keystore

import (
	"bytes"
	"fmt"
	"sync"

	"github.com/onelease/onelease/i2p"
)

// A Memory holds keys that are on no disk: an operator sends them after each
// start. It may be used by many goroutines. Printed it is only the hash of the
// Destination.
type Memory struct {
	destination i2p.Hash

	mu      sync.Mutex
	secret  func() []byte // i2p.Keys.Bytes; nil while locked
	changed chan struct{}
}

// NewMemory is locked: it has no keys yet. It takes those of one Destination.
func NewMemory(destination i2p.Hash) *Memory {
	return &Memory{destination: destination, changed: make(chan struct{})}
}

// Set takes a copy of the keys. Those of another Destination are refused
// (ErrDestination), and so are keys that do not match or cannot sign
// (ErrInvalid); those that it has stay.
func (m *Memory) Set(keys *i2p.Keys) error {
	if got := keys.Destination.Hash(); got != m.destination {
		return fmt.Errorf("keys of %s: %w; this cluster's is %s", got.Base32(), ErrDestination, m.destination.Base32())
	}
	b := keys.Bytes()
	if err := usable(b); err != nil {
		clear(b)
		return fmt.Errorf("keys of %s: %w: %w", m.destination.Base32(), ErrInvalid, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.secret != nil && bytes.Equal(m.secret(), b) {
		clear(b)
		return nil
	}
	m.replaceLocked(func() []byte { return b })
	return nil
}

// usable has the keys sign something, so that keys of a kind that cannot are
// refused here and not when a LeaseSet is due.
func usable(b []byte) error {
	keys, err := i2p.ParseKeys(b)
	if err != nil {
		return err
	}
	_, err = keys.Sign(nil)
	return err
}

// Keys returns a copy of the keys, and false while there are none. The copy is
// the caller's: Lock does not reach it. Keep it until Changed, as keys that
// have signed before sign faster.
func (m *Memory) Keys() (*i2p.Keys, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.secret == nil {
		return nil, false
	}
	keys, err := i2p.ParseKeys(m.secret())
	return keys, err == nil
}

// Lock forgets the keys and overwrites them. Copies that Keys returned are for
// their owners to drop, once Changed tells them.
func (m *Memory) Lock() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.secret != nil {
		m.replaceLocked(nil)
	}
}

func (m *Memory) replaceLocked(next func() []byte) {
	if m.secret != nil {
		clear(m.secret())
	}
	m.secret = next
	close(m.changed)
	m.changed = make(chan struct{})
}

// Changed returns a channel that is closed when the keys next change: by Set, if
// they are other ones, or by Lock. Ask for it before Keys, to miss nothing.
func (m *Memory) Changed() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.changed
}

// String is the Destination that the keys are for.
func (m *Memory) String() string { return "keys of " + m.destination.Base32() }

// GoString keeps the keys out of %#v.
func (m *Memory) GoString() string { return "keystore.Memory{" + m.destination.Base32() + "}" }

// MarshalText keeps the keys out of JSON and of structured logs.
func (m *Memory) MarshalText() ([]byte, error) { return []byte(m.String()), nil }
