package i2p

import (
	"bytes"
	"fmt"
)

// Bytes encodes k as i2pd (.dat) and Java I2P (eepPriv.dat) store keys:
// Destination, private encryption key, private signing key; with offline keys
// zeros in place of the last, then the offline signature and the transient
// private key (SAMv3, "SESSION CREATE"). The bytes are secret.
func (k *Keys) Bytes() []byte {
	b := append(k.Destination.Bytes(), k.Encryption...)
	if k.Offline != nil {
		b = append(b, make([]byte, k.Destination.SigType().PrivateSize())...)
		b = k.Offline.AppendTo(b)
	}
	return append(b, k.Signing...)
}

// Base64 is Bytes in I2P's base64, as in SAM's DEST REPLY PRIV. It is secret.
func (k *Keys) Base64() string { return Base64.EncodeToString(k.Bytes()) }

// ParseKeys reads what Bytes writes, with nothing after it. The private signing
// key must be that of the Destination (or of the transient key), and an offline
// signature must verify; whether that has expired is for the caller to see.
//
// Refused are
// Ed25519 keys of the first i2pd versions, which took other bits off the hash
// of the seed and so have another public key.
func ParseKeys(b []byte) (*Keys, error) {
	dest, n, err := ParseDestination(b)
	if err != nil {
		return nil, fmt.Errorf("private keys: %w", err)
	}
	if n == len(b) {
		return nil, fmt.Errorf("private keys: a Destination and nothing else, the public part: %w", ErrInvalid)
	}
	k := &Keys{Destination: dest}
	rest := b[n:]
	for _, step := range []func([]byte) ([]byte, error){k.parsePrivate, k.parseOffline} {
		if rest, err = step(rest); err != nil {
			return nil, fmt.Errorf("private keys: %w", err)
		}
	}
	if len(rest) > 0 {
		return nil, fmt.Errorf("private keys: %d bytes too many: %w", len(rest), ErrInvalid)
	}
	if err := k.checkSigning(); err != nil {
		return nil, fmt.Errorf("private keys: %w", err)
	}
	return k, nil
}

// ParseKeysBase64 reads what Base64 writes: SAM's PRIV. White space around it
// and line ends in it do no harm.
func ParseKeysBase64(s string) (*Keys, error) {
	b, err := decodeBase64(string(bytes.TrimSpace([]byte(s))))
	if err != nil {
		return nil, fmt.Errorf("private keys are not I2P base64: %w", ErrInvalid)
	}
	return ParseKeys(b)
}

// storedSizes are the sizes of private encryption keys in key files. P-256's
// is padded with what was there before. For the other types i2pd's versions
// differ, and nobody has such Destinations.
var storedSizes = map[CryptoType]int{CryptoElGamal: 256, CryptoP256: 256, CryptoX25519: 32}

// parsePrivate reads the encryption and the signing key, returns what follows.
func (k *Keys) parsePrivate(b []byte) ([]byte, error) {
	encryption, ok := storedSizes[k.Destination.CryptoType()]
	if !ok {
		return nil, fmt.Errorf("encryption type %d: %w", k.Destination.CryptoType(), ErrUnsupported)
	}
	size := encryption + k.Destination.SigType().PrivateSize()
	if len(b) < size {
		return nil, fmt.Errorf("%d bytes after the Destination, want %d: %w", len(b), size, ErrTruncated)
	}
	k.Encryption = bytes.Clone(b[:encryption])
	k.Signing = bytes.Clone(b[encryption:size])
	return b[size:], nil
}

// parseOffline reads the part for offline keys, there if Signing is all zeros.
func (k *Keys) parseOffline(b []byte) ([]byte, error) {
	if !bytes.Equal(k.Signing, make([]byte, len(k.Signing))) {
		return b, nil
	}
	if len(b) == 0 {
		return nil, fmt.Errorf("private signing key is all zeros and no offline signature follows: %w", ErrTruncated)
	}
	offline, n, err := ParseOfflineSignature(b, k.Destination.SigType())
	if err != nil {
		return nil, err
	}
	if err := offline.Verify(k.Destination); err != nil {
		return nil, err
	}
	end := n + offline.Key.Type.PrivateSize()
	if len(b) < end {
		return nil, fmt.Errorf("%d bytes from the offline signature on, want %d: %w", len(b), end, ErrTruncated)
	}
	k.Offline, k.Signing = offline, bytes.Clone(b[n:end])
	return b[end:], nil
}

// checkSigning says whether Signing is not the private key to the public one.
func (k *Keys) checkSigning() error {
	want := k.Destination.SigningKey()
	if k.Offline != nil {
		want = k.Offline.Key
	}
	public, err := derivePublic(want.Type, k.Signing)
	if err != nil {
		return err
	}
	if !bytes.Equal(public, want.Key) {
		return fmt.Errorf("private %v signing key does not match the public one: %w", want.Type, ErrInvalid)
	}
	k.prepared, err = prepare(want.Type, k.Signing)
	return err
}
