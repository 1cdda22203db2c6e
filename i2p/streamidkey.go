package i2p

import (
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
)

// streamIDKeyInfo separates StreamIDKey from every other use of a signing key.
const streamIDKeyInfo = "onelease: key of stream IDs, version 1"

// StreamIDKey is the key, 32 bytes, that hides in stream IDs which backend chose
// them. It is HKDF-SHA256 over the private signing key, with the Destination's hash
// as salt and streamIDKeyInfo as info: secret, and the same after every restart.
func (k *Keys) StreamIDKey() ([]byte, error) {
	if len(k.Signing) == 0 || k.Destination.IsZero() {
		return nil, errors.New("derive key of stream IDs: Keys without a signing key or a Destination")
	}
	salt := k.Destination.Hash()
	key, err := hkdf.Key(sha256.New, k.Signing, salt[:], streamIDKeyInfo, 32)
	if err != nil {
		return nil, fmt.Errorf("derive key of stream IDs: %w", err)
	}
	return key, nil
}
