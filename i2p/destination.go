package i2p

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// Sizes of the fixed part of a Destination ("KeysAndCert"): an encryption key
// aligned to its start, a signing key aligned to its end, padding between.
const (
	keysSize       = 384
	signingField   = 128
	cryptoField    = keysSize - signingField
	certHeaderSize = 3
	keyCertMinimum = 4
	maxCertSize    = 1024
)

// Certificate types ("Certificate").
const (
	certNull = 0
	certKey  = 5
)

// A Destination is a public address in I2P: the keys and the certificate,
// immutable and comparable. Its zero value is no Destination (see IsZero).
type Destination struct {
	raw    string
	sig    SigType
	crypto CryptoType
}

// IsZero reports whether d is the zero value.
func (d Destination) IsZero() bool { return d.raw == "" }

// Bytes returns a copy of the encoded Destination.
func (d Destination) Bytes() []byte { return []byte(d.raw) }

// AppendTo appends the encoded Destination to b.
func (d Destination) AppendTo(b []byte) []byte { return append(b, d.raw...) }

// Size is the encoded size in bytes: 387 and more.
func (d Destination) Size() int { return len(d.raw) }

// Hash is the Destination's name in the netDB.
func (d Destination) Hash() Hash { return sha256.Sum256([]byte(d.raw)) }

// Base64 is the Destination in I2P's base64.
func (d Destination) Base64() string { return Base64.EncodeToString([]byte(d.raw)) }

// Base32 is the Destination's b32 address.
func (d Destination) Base32() string { return d.Hash().Base32() }

// String is the short form of the Destination's hash, for logs at debug level.
func (d Destination) String() string { return d.Hash().String() }

// SigType is the type of the Destination's signing key.
func (d Destination) SigType() SigType { return d.sig }

// CryptoType is the type of the Destination's encryption key, which nobody
// uses any more: LeaseSets carry the keys that count.
func (d Destination) CryptoType() CryptoType { return d.crypto }

// SigningKey returns the Destination's public signing key.
func (d Destination) SigningKey() SigningPublicKey {
	size := d.sig.PublicSize()
	inField := min(size, signingField)
	key := make([]byte, 0, size)
	key = append(key, d.raw[keysSize-inField:keysSize]...)
	if excess := size - inField; excess > 0 {
		start := keysSize + certHeaderSize + keyCertMinimum
		key = append(key, d.raw[start:start+excess]...)
	}
	return SigningPublicKey{Type: d.sig, Key: key}
}

// ParseDestination reads the Destination at the start of b and returns it
// with the number of bytes it takes. Certificates other than Null and Key are
// ErrUnsupported.
func ParseDestination(b []byte) (Destination, int, error) {
	if len(b) < keysSize+certHeaderSize {
		return Destination{}, 0, fmt.Errorf("destination of %d bytes: %w", len(b), ErrTruncated)
	}
	certSize := int(binary.BigEndian.Uint16(b[keysSize+1:]))
	if certSize > maxCertSize {
		return Destination{}, 0, fmt.Errorf("destination with a certificate of %d bytes: %w", certSize, ErrInvalid)
	}
	size := keysSize + certHeaderSize + certSize
	if len(b) < size {
		return Destination{}, 0, fmt.Errorf("destination of %d bytes, want %d: %w", len(b), size, ErrTruncated)
	}
	sig, crypto, err := parseCertificate(b[keysSize], b[keysSize+certHeaderSize:size])
	if err != nil {
		return Destination{}, 0, fmt.Errorf("destination: %w", err)
	}
	return Destination{raw: string(b[:size]), sig: sig, crypto: crypto}, size, nil
}

// parseCertificate returns the key types that a certificate stands for
// ("Certificate", "Key Certificates").
func parseCertificate(kind byte, payload []byte) (SigType, CryptoType, error) {
	switch kind {
	case certNull:
		if len(payload) != 0 {
			return 0, 0, fmt.Errorf("null certificate of %d bytes: %w", len(payload), ErrInvalid)
		}
		return SigDSASHA1, CryptoElGamal, nil
	case certKey:
		return parseKeyCertificate(payload)
	}
	return 0, 0, fmt.Errorf("certificate type %d: %w", kind, ErrUnsupported)
}

func parseKeyCertificate(payload []byte) (SigType, CryptoType, error) {
	if len(payload) < keyCertMinimum {
		return 0, 0, fmt.Errorf("key certificate of %d bytes: %w", len(payload), ErrTruncated)
	}
	sig := SigType(binary.BigEndian.Uint16(payload))
	crypto := CryptoType(binary.BigEndian.Uint16(payload[2:]))
	if !sig.Known() {
		return 0, 0, sig.unsupported()
	}
	want := keyCertMinimum + max(0, sig.PublicSize()-signingField)
	if len(payload) < want {
		return 0, 0, fmt.Errorf("key certificate of %d bytes, want %d: %w", len(payload), want, ErrTruncated)
	}
	return sig, crypto, nil
}

// ParseDestinationBase64 reads a Destination in I2P's base64, padded or not,
// with nothing after it.
func ParseDestinationBase64(s string) (Destination, error) {
	b, err := decodeBase64(s)
	if err != nil {
		return Destination{}, fmt.Errorf("destination is not I2P base64: %w", ErrInvalid)
	}
	d, n, err := ParseDestination(b)
	if err == nil && n != len(b) {
		err = fmt.Errorf("destination with %d bytes after it: %w", len(b)-n, ErrInvalid)
	}
	return d, err
}
