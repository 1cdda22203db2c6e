package i2p

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"
)

// ParseLeaseSet2 reads the LeaseSet2 at the start of b (without the netDB's
// type byte) and returns it with the number of bytes it takes. It checks the
// form; Verify checks the signature. It keeps nothing of b.
func ParseLeaseSet2(b []byte) (*LeaseSet2, int, error) {
	p := leaseSetParser{rest: b}
	ls := &LeaseSet2{}
	for _, step := range []func(*LeaseSet2) error{p.header, p.options, p.keys, p.leases, p.signature} {
		if err := step(ls); err != nil {
			return nil, 0, fmt.Errorf("parse LeaseSet2: %w", err)
		}
	}
	size := len(b) - len(p.rest)
	if err := ls.keepForeign(b[:size-len(ls.Signature)]); err != nil {
		return nil, 0, err
	}
	return ls, size, nil
}

// keepForeign keeps body if AppendBody would give other bytes for ls.
func (ls *LeaseSet2) keepForeign(body []byte) error {
	encoded, err := ls.signedBytes()
	if err != nil {
		return err
	}
	if !bytes.Equal(encoded[1:], body) {
		received := append([]byte{StoreLeaseSet2}, body...)
		ls.foreign = &foreignBody{received: received, encoded: encoded}
	}
	return nil
}

// leaseSetParser reads one part of a LeaseSet2 after the other off rest.
type leaseSetParser struct{ rest []byte }

func (p *leaseSetParser) take(n int) ([]byte, error) {
	if len(p.rest) < n {
		return nil, fmt.Errorf("%d bytes left, want %d: %w", len(p.rest), n, ErrTruncated)
	}
	taken := p.rest[:n]
	p.rest = p.rest[n:]
	return taken, nil
}

func (p *leaseSetParser) header(ls *LeaseSet2) error {
	dest, n, err := ParseDestination(p.rest)
	if err != nil {
		return err
	}
	p.rest = p.rest[n:]
	b, err := p.take(8)
	if err != nil {
		return err
	}
	ls.Destination = dest
	ls.Published = time.Unix(int64(binary.BigEndian.Uint32(b)), 0)
	ls.Expires = ls.Published.Add(time.Duration(binary.BigEndian.Uint16(b[4:])) * time.Second)
	ls.Flags = binary.BigEndian.Uint16(b[6:])
	if ls.Flags&FlagOffline == 0 {
		return nil
	}
	ls.Offline, n, err = ParseOfflineSignature(p.rest, dest.SigType())
	if err == nil {
		p.rest = p.rest[n:]
	}
	return err
}

func (p *leaseSetParser) options(ls *LeaseSet2) error {
	m, n, err := ParseMapping(p.rest)
	if err != nil {
		return err
	}
	ls.Options = m
	p.rest = p.rest[n:]
	return nil
}

func (p *leaseSetParser) keys(ls *LeaseSet2) error {
	count, err := p.count(1, MaxEncryptionKeys, "encryption keys")
	for i := 0; i < count && err == nil; i++ {
		err = p.key(ls)
	}
	return err
}

func (p *leaseSetParser) key(ls *LeaseSet2) error {
	b, err := p.take(4)
	if err != nil {
		return err
	}
	key, err := p.take(int(binary.BigEndian.Uint16(b[2:])))
	if err != nil {
		return err
	}
	kind := CryptoType(binary.BigEndian.Uint16(b))
	ls.Keys = append(ls.Keys, EncryptionKey{Type: kind, Key: bytes.Clone(key)})
	return nil
}

func (p *leaseSetParser) leases(ls *LeaseSet2) error {
	count, err := p.count(0, MaxLeases, "leases")
	for i := 0; i < count && err == nil; i++ {
		var b []byte
		if b, err = p.take(Lease2Size); err == nil {
			lease, _ := ParseLease2(b)
			ls.Leases = append(ls.Leases, lease)
		}
	}
	return err
}

func (p *leaseSetParser) count(least, most int, of string) (int, error) {
	b, err := p.take(1)
	if err != nil {
		return 0, err
	}
	if n := int(b[0]); n < least || n > most {
		return 0, fmt.Errorf("%d %s, want %d to %d: %w", n, of, least, most, ErrInvalid)
	}
	return int(b[0]), nil
}

func (p *leaseSetParser) signature(ls *LeaseSet2) error {
	b, err := p.take(ls.signingType().SignatureSize())
	ls.Signature = bytes.Clone(b)
	return err
}
