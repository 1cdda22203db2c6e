package i2p

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// Limits of a LeaseSet2 ("LeaseSet2").
const (
	MaxLeases         = 16
	MaxEncryptionKeys = 8
	// MaxLeaseSetLife is the furthest that Expires may lie after Published;
	// its two bytes could say 65,535 s, routers take 11 minutes.
	MaxLeaseSetLife = 660 * time.Second
)

// Flags of a LeaseSet2.
const (
	FlagOffline     uint16 = 1 << 0
	FlagUnpublished uint16 = 1 << 1
	FlagBlinded     uint16 = 1 << 2
)

// An EncryptionKey is a public key that peers encrypt to.
type EncryptionKey struct {
	Type CryptoType
	Key  []byte
}

// A LeaseSet2 says where a Destination is to be reached, until when, and how
// to encrypt to it. Times have a resolution of one second.
type LeaseSet2 struct {
	Destination Destination
	// Published orders the LeaseSets of a Destination: the newest counts.
	Published time.Time
	// Expires is at most MaxLeaseSetLife after Published.
	Expires time.Time
	// Flags other than FlagOffline, which follows Offline.
	Flags   uint16
	Offline *OfflineSignature
	Options Mapping
	// Keys are in order of preference, 1 to MaxEncryptionKeys of them.
	Keys []EncryptionKey
	// Leases are at most MaxLeases.
	Leases []Lease
	// Signature is set by Sign and ParseLeaseSet2.
	Signature []byte

	// foreign is set by ParseLeaseSet2 if AppendBody does not give back the
	// bytes that were signed, as with options that are not sorted.
	foreign *foreignBody
}

// check says what in ls cannot be encoded.
func (ls *LeaseSet2) check() error {
	life := ls.Expires.Unix() - ls.Published.Unix()
	switch {
	case ls.Destination.IsZero():
		return errors.New("no Destination")
	case !fitsDate(ls.Published):
		return fmt.Errorf("published at %v, want a time from 1970 to 2106", ls.Published)
	case life < 0 || life > 0xffff:
		return fmt.Errorf("expires %d s after it was published, want 0 to 65535", life)
	case len(ls.Keys) < 1 || len(ls.Keys) > MaxEncryptionKeys:
		return fmt.Errorf("%d encryption keys, want 1 to %d", len(ls.Keys), MaxEncryptionKeys)
	case len(ls.Leases) > MaxLeases:
		return fmt.Errorf("%d leases, at most %d fit", len(ls.Leases), MaxLeases)
	}
	return ls.checkParts()
}

func (ls *LeaseSet2) checkParts() error {
	for _, key := range ls.Keys {
		if err := key.check(); err != nil {
			return err
		}
	}
	for _, lease := range ls.Leases {
		if !fitsDate(lease.End) {
			return fmt.Errorf("a lease ends at %v, want a time from 1970 to 2106", lease.End)
		}
	}
	if ls.Offline != nil {
		return ls.Offline.check(ls.Destination.SigType())
	}
	return nil
}

// check says whether k can be encoded: a key of a known type has that type's size.
func (k EncryptionKey) check() error {
	if want := k.Type.PublicSize(); want != 0 && len(k.Key) != want {
		return fmt.Errorf("encryption key of type %d has %d bytes, want %d", k.Type, len(k.Key), want)
	}
	if len(k.Key) > 0xffff {
		return fmt.Errorf("encryption key of %d bytes, at most 65535 fit", len(k.Key))
	}
	return nil
}

// AppendBody appends the encoded LeaseSet without its signature.
func (ls *LeaseSet2) AppendBody(b []byte) ([]byte, error) {
	if err := ls.check(); err != nil {
		return nil, fmt.Errorf("encode LeaseSet2: %w: %w", err, ErrInvalid)
	}
	flags := ls.Flags &^ FlagOffline
	if ls.Offline != nil {
		flags |= FlagOffline
	}
	b = ls.Destination.AppendTo(b)
	b = binary.BigEndian.AppendUint32(b, uint32(ls.Published.Unix()))
	b = binary.BigEndian.AppendUint16(b, uint16(ls.Expires.Unix()-ls.Published.Unix()))
	b = binary.BigEndian.AppendUint16(b, flags)
	if ls.Offline != nil {
		b = ls.Offline.AppendTo(b)
	}
	b, err := ls.Options.AppendTo(b)
	if err != nil {
		return nil, fmt.Errorf("encode LeaseSet2: %w", err)
	}
	b = ls.appendKeys(b)
	b = append(b, byte(len(ls.Leases)))
	for _, lease := range ls.Leases {
		b = lease.AppendLease2(b)
	}
	return b, nil
}

func (ls *LeaseSet2) appendKeys(b []byte) []byte {
	b = append(b, byte(len(ls.Keys)))
	for _, key := range ls.Keys {
		b = binary.BigEndian.AppendUint16(b, uint16(key.Type))
		b = binary.BigEndian.AppendUint16(b, uint16(len(key.Key)))
		b = append(b, key.Key...)
	}
	return b
}
