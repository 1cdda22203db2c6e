package i2p

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"
)

// An OfflineSignature is a Destination's permission for a transient key to
// sign in its place until Expires ("Offline Signature").
type OfflineSignature struct {
	Expires   time.Time
	Key       SigningPublicKey
	Signature []byte
}

// SignOffline lets signer, which has the Destination's own key, permit key
// until expires, which is cut to whole seconds.
func SignOffline(signer Signer, key SigningPublicKey, expires time.Time) (*OfflineSignature, error) {
	o := &OfflineSignature{Expires: expires.Truncate(time.Second), Key: key}
	if err := o.checkSigned(); err != nil {
		return nil, fmt.Errorf("%w: %w", err, ErrInvalid)
	}
	signature, err := signer.Sign(o.appendSigned(nil))
	if err != nil {
		return nil, fmt.Errorf("offline signature: %w", err)
	}
	o.Signature = signature
	return o, nil
}

// check says what in o, signed by a key of type by, cannot be encoded.
func (o *OfflineSignature) check(by SigType) error {
	if len(o.Signature) != by.SignatureSize() {
		return fmt.Errorf("offline signature: %v signature of %d bytes, want %d", by, len(o.Signature), by.SignatureSize())
	}
	return o.checkSigned()
}

func (o *OfflineSignature) checkSigned() error {
	if !o.Key.Type.Known() || len(o.Key.Key) != o.Key.Type.PublicSize() {
		return fmt.Errorf("offline signature: %v key of %d bytes", o.Key.Type, len(o.Key.Key))
	}
	if !fitsDate(o.Expires) {
		return fmt.Errorf("offline signature: expires at %v, want a time from 1970 to 2106", o.Expires)
	}
	return nil
}

// appendSigned appends what the Destination signs: expires 4, type 2, key.
func (o *OfflineSignature) appendSigned(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(o.Expires.Unix()))
	b = binary.BigEndian.AppendUint16(b, uint16(o.Key.Type))
	return append(b, o.Key.Key...)
}

// AppendTo appends the encoded block.
func (o *OfflineSignature) AppendTo(b []byte) []byte {
	return append(o.appendSigned(b), o.Signature...)
}

// Verify returns nil if dest signed o. It does not look at the date.
func (o *OfflineSignature) Verify(dest Destination) error {
	if err := dest.SigningKey().Verify(o.appendSigned(nil), o.Signature); err != nil {
		return fmt.Errorf("offline signature: %w", err)
	}
	return nil
}

// ParseOfflineSignature reads the block at the start of b, signed by a key of
// type by, and returns it with the number of bytes it takes.
func ParseOfflineSignature(b []byte, by SigType) (*OfflineSignature, int, error) {
	if len(b) < 6 {
		return nil, 0, fmt.Errorf("offline signature: %w", ErrTruncated)
	}
	sig := SigType(binary.BigEndian.Uint16(b[4:]))
	if !sig.Known() {
		return nil, 0, fmt.Errorf("offline signature: %w", sig.unsupported())
	}
	keyEnd := 6 + sig.PublicSize()
	size := keyEnd + by.SignatureSize()
	if len(b) < size {
		return nil, 0, fmt.Errorf("offline signature of %d bytes, want %d: %w", len(b), size, ErrTruncated)
	}
	return &OfflineSignature{
		Expires:   time.Unix(int64(binary.BigEndian.Uint32(b)), 0),
		Key:       SigningPublicKey{Type: sig, Key: bytes.Clone(b[6:keyEnd])},
		Signature: bytes.Clone(b[keyEnd:size]),
	}, size, nil
}
