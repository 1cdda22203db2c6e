package keystore

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/onelease/onelease/i2p"
)

// fired reports whether the channel is closed.
func fired(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func newTestMemory(t *testing.T) (*Memory, *i2p.Keys) {
	t.Helper()
	keys := newTestKeys(t)
	return NewMemory(keys.Destination.Hash()), keys
}

func TestMemory(t *testing.T) {
	m, keys := newTestMemory(t)
	if got, ok := m.Keys(); ok || got != nil {
		t.Fatalf("new, it has %v", got)
	}
	changed := m.Changed()
	if err := m.Set(keys); err != nil {
		t.Fatal(err)
	}
	if got, ok := m.Keys(); !ok || !bytes.Equal(got.Bytes(), keys.Bytes()) {
		t.Errorf("set, it has %v, %v", got, ok)
	}
	if !fired(changed) {
		t.Error("Set told nobody")
	}
	changed = m.Changed()
	if err := m.Set(keys); err != nil || fired(changed) {
		t.Errorf("the same keys again: %v, a change %v", err, fired(changed))
	}
	m.Lock()
	if got, ok := m.Keys(); ok || got != nil {
		t.Errorf("locked, it has %v", got)
	}
	if !fired(changed) {
		t.Error("Lock told nobody")
	}
	changed = m.Changed()
	if m.Lock(); fired(changed) {
		t.Error("the second Lock is a change")
	}
	if err := m.Set(keys); err != nil || !fired(changed) {
		t.Errorf("unlocked: %v, a change %v", err, fired(changed))
	}
}

func TestMemoryRefuses(t *testing.T) {
	m, keys := newTestMemory(t)
	if err := m.Set(keys); err != nil {
		t.Fatal(err)
	}
	changed, other := m.Changed(), newTestKeys(t)
	mixed := &i2p.Keys{Destination: keys.Destination, Encryption: keys.Encryption, Signing: other.Signing}
	for name, c := range map[string]struct {
		keys *i2p.Keys
		want error
	}{
		"another Destination": {other, ErrDestination},
		"another's key":       {mixed, ErrInvalid},
		"no keys":             {&i2p.Keys{}, ErrDestination},
		"no private key":      {&i2p.Keys{Destination: keys.Destination}, ErrInvalid},
	} {
		err := m.Set(c.keys)
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), keys.Destination.Base32()) {
			t.Errorf("%s: %v, want %v and the Destination", name, err, c.want)
		}
	}
	if got, ok := m.Keys(); !ok || !bytes.Equal(got.Bytes(), keys.Bytes()) || fired(changed) {
		t.Errorf("afterwards: %v, %v, a change %v", got, ok, fired(changed))
	}
}

func TestLockOverwritesTheKeysAndNoCopies(t *testing.T) {
	m, keys := newTestMemory(t)
	if err := m.Set(keys); err != nil {
		t.Fatal(err)
	}
	held := m.secret()
	got, _ := m.Keys()
	m.Lock()
	if !bytes.Equal(held, make([]byte, len(held))) {
		t.Error("the keys are still in memory")
	}
	for who, k := range map[string]*i2p.Keys{"Set's caller": keys, "Keys' caller": got} {
		if _, err := i2p.ParseKeys(k.Bytes()); err != nil {
			t.Errorf("%s lost its own: %v", who, err)
		}
	}
}

// For the race detector.
func TestMemoryIsForManyGoroutines(t *testing.T) {
	m, keys := newTestMemory(t)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() { m.Set(keys) })
		all.Go(m.Lock)
		all.Go(func() {
			m.Changed()
			if got, ok := m.Keys(); ok && !bytes.Equal(got.Bytes(), keys.Bytes()) {
				t.Error("half of the keys")
			}
		})
	}
	all.Wait()
}
