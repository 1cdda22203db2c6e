package i2cp

import (
	"encoding/binary"
	"fmt"

	"github.com/onelease/onelease/i2p"
)

// RequestVariableLeaseSet lists a session's inbound tunnels and asks for a
// LeaseSet, which CreateLeaseSet2 brings. i2pd closes the connection if none
// comes within 10 s.
type RequestVariableLeaseSet struct {
	Session uint16
	// Leases have ends in milliseconds; at most 255 fit.
	Leases []i2p.Lease
}

// AppendFrame appends m as a frame.
func (m RequestVariableLeaseSet) AppendFrame(b []byte) ([]byte, error) {
	start := len(b)
	b = binary.BigEndian.AppendUint16(beginFrame(b, TypeRequestVariableLeaseSet), m.Session)
	if len(m.Leases) > 255 {
		return endFrame(b, start, fmt.Errorf("%d leases: %w", len(m.Leases), ErrTooBig))
	}
	b = append(b, byte(len(m.Leases)))
	for _, lease := range m.Leases {
		b = lease.AppendLease(b)
	}
	return endFrame(b, start, nil)
}

// ParseRequestVariableLeaseSet reads the body of a RequestVariableLeaseSet.
func ParseRequestVariableLeaseSet(body []byte) (RequestVariableLeaseSet, error) {
	c := cursor{rest: body}
	m := RequestVariableLeaseSet{Session: c.uint16()}
	for n := c.uint8(); n > 0 && c.err == nil; n-- {
		if b := c.take(i2p.LeaseSize); b != nil {
			var lease i2p.Lease
			lease, c.err = i2p.ParseLease(b)
			m.Leases = append(m.Leases, lease)
		}
	}
	return m, c.done(TypeRequestVariableLeaseSet)
}

// A PrivateKey decrypts what peers encrypt to a LeaseSet's key of the same
// place and type. An X25519 key is 32 bytes, little-endian.
type PrivateKey struct {
	Type i2p.CryptoType
	Key  []byte
}

// String keeps the key out of logs.
func (k PrivateKey) String() string { return fmt.Sprintf("private key of type %d", k.Type) }

// GoString keeps the key out of logs.
func (k PrivateKey) GoString() string { return k.String() }

// CreateLeaseSet2 hands a signed LeaseSet2 to the router.
type CreateLeaseSet2 struct {
	Session uint16
	// LeaseSet is signed and encoded, without the netDB's type byte.
	LeaseSet []byte
	// Keys belong to the LeaseSet's keys, in the same order.
	Keys []PrivateKey
}

// AppendFrame appends m as a frame. It does not look into the LeaseSet.
func (m CreateLeaseSet2) AppendFrame(b []byte) ([]byte, error) {
	start := len(b)
	b = binary.BigEndian.AppendUint16(beginFrame(b, TypeCreateLeaseSet2), m.Session)
	b = append(append(b, i2p.StoreLeaseSet2), m.LeaseSet...)
	if len(m.Keys) > i2p.MaxEncryptionKeys {
		return endFrame(b, start, fmt.Errorf("%d private keys: %w", len(m.Keys), ErrTooBig))
	}
	b = append(b, byte(len(m.Keys)))
	for _, key := range m.Keys {
		b = binary.BigEndian.AppendUint16(b, uint16(key.Type))
		b = binary.BigEndian.AppendUint16(b, uint16(len(key.Key)))
		b = append(b, key.Key...)
	}
	return endFrame(b, start, nil)
}

// ParseCreateLeaseSet2 reads the body of a CreateLeaseSet2. LeaseSet and Keys
// are parts of body. The LeaseSet's form is checked, its signature is not.
// Other kinds than LeaseSet2 are i2p.ErrUnsupported.
func ParseCreateLeaseSet2(body []byte) (CreateLeaseSet2, error) {
	c := cursor{rest: body}
	m := CreateLeaseSet2{Session: c.uint16()}
	if kind := c.uint8(); c.err == nil && kind != i2p.StoreLeaseSet2 {
		c.err = fmt.Errorf("LeaseSet of type %d: %w", kind, i2p.ErrUnsupported)
	}
	if c.err == nil {
		var n int
		_, n, c.err = i2p.ParseLeaseSet2(c.rest)
		m.LeaseSet = c.take(n)
	}
	for n := c.uint8(); n > 0 && c.err == nil; n-- {
		key := PrivateKey{Type: i2p.CryptoType(c.uint16())}
		key.Key = c.take(int(c.uint16()))
		m.Keys = append(m.Keys, key)
	}
	return m, c.done(TypeCreateLeaseSet2)
}
