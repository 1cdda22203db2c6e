package i2p

import (
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

// epochKeyInfo separates EpochKey from every other use of a signing key; the
// number of the epoch, 8 bytes big-endian, follows it.
const epochKeyInfo = "onelease: X25519 key of an epoch, version 1: "

// EpochKey is the X25519 private key that LeaseSets of key epoch number epoch
// list, type CryptoX25519. It is HKDF-SHA256 over the private signing key, with
// the Destination's hash as salt and epochKeyInfo and the epoch as info. So
// every holder of the key file has it, and the replicated state has only the
// epoch's number, no key material.
//
// The price: who steals the signing key, which is enough to take over the
// Destination, can also read the first messages of sessions that were recorded
// earlier. With offline keys it is derived from the transient key, so a new
// transient key needs a new epoch.
func (k *Keys) EpochKey(epoch uint64) (*ecdh.PrivateKey, error) {
	if len(k.Signing) == 0 || k.Destination.IsZero() {
		return nil, errors.New("derive epoch key: Keys without a signing key or a Destination")
	}
	salt := k.Destination.Hash()
	info := binary.BigEndian.AppendUint64([]byte(epochKeyInfo), epoch)
	raw, err := hkdf.Key(sha256.New, k.Signing, salt[:], string(info), 32)
	if err != nil {
		return nil, fmt.Errorf("derive epoch key: %w", err)
	}
	return ecdh.X25519().NewPrivateKey(raw)
}
