package i2p

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/binary"
	"fmt"
)

// Keys are a Destination with what signs for it. Its fields are secret but for
// Destination and Offline; printed, logged or put in JSON it is only the
// address. It may be used by many goroutines that do not change it.
type Keys struct {
	Destination Destination
	// Encryption is the private key of the Destination's own encryption key,
	// which nobody uses; it is kept so that a key file is written as it was read.
	Encryption []byte
	// Signing is the private signing key: of the Destination, or the
	// transient one if Offline is set. For Ed25519 it is the 32-byte seed.
	Signing []byte
	// Offline, if set, is the Destination's permission for the transient key.
	Offline *OfflineSignature

	// expanded is Signing as crypto/ed25519 wants it. That package keeps what
	// it computes from a key by the key's address, so one that stays where it
	// is signs twice as fast.
	expanded ed25519.PrivateKey
}

// GenerateKeys makes a new Ed25519 Destination. The unused encryption key and
// the padding repeat one random block of 32 bytes (proposal 161), so that the
// Destination compresses well.
func GenerateKeys() (*Keys, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generate keys: %w", err)
	}
	var block [32]byte
	rand.Read(block[:])
	raw := make([]byte, 0, keysSize+certHeaderSize+keyCertMinimum)
	for len(raw) < keysSize-len(public) {
		raw = append(raw, block[:]...)
	}
	raw = append(raw, public...)
	raw = append(raw, certKey, 0, keyCertMinimum)
	raw = binary.BigEndian.AppendUint16(raw, uint16(SigEd25519))
	raw = binary.BigEndian.AppendUint16(raw, uint16(CryptoElGamal))
	dest, _, err := ParseDestination(raw)
	if err != nil {
		return nil, err
	}
	encryption := make([]byte, CryptoElGamal.PrivateSize())
	return &Keys{Destination: dest, Encryption: encryption, Signing: private.Seed(), expanded: private}, nil
}

// SigType is the type of the key that Sign uses.
func (k *Keys) SigType() SigType {
	if k.Offline != nil {
		return k.Offline.Key.Type
	}
	return k.Destination.SigType()
}

// Sign signs message; only Ed25519 keys can, others are ErrUnsupported.
func (k *Keys) Sign(message []byte) ([]byte, error) {
	if t := k.SigType(); t != SigEd25519 || len(k.Signing) != ed25519.SeedSize {
		return nil, fmt.Errorf("sign with %v key of %d bytes: %w", t, len(k.Signing), ErrUnsupported)
	}
	return ed25519.Sign(k.ed25519Key(), message), nil
}

// ed25519Key is Signing, expanded again if it was set or changed by hand.
func (k *Keys) ed25519Key() ed25519.PrivateKey {
	if p := k.expanded; p != nil && bytes.Equal(p[:ed25519.SeedSize], k.Signing) {
		return p
	}
	return ed25519.NewKeyFromSeed(k.Signing)
}

// String is the public address.
func (k Keys) String() string { return k.Destination.Base32() }

// GoString keeps the private keys out of %#v.
func (k Keys) GoString() string { return "i2p.Keys{" + k.String() + "}" }

// MarshalText keeps the private keys out of JSON and of structured logs.
func (k Keys) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

var _ Signer = (*Keys)(nil)
