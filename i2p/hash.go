package i2p

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"fmt"
	"strings"
)

// HashSize is the size of a Hash in bytes.
const HashSize = sha256.Size

// A Hash is the SHA-256 of a Destination or of a router's identity, the name
// under which the netDB keeps it.
type Hash [HashSize]byte

// Base64 is I2P's alphabet: "-" and "~" in place of "+" and "/".
var Base64 = base64.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-~")

// decodeBase64 reads I2P's base64 with or without the "=" at its end.
func decodeBase64(s string) ([]byte, error) {
	return Base64.WithPadding(base64.NoPadding).DecodeString(strings.TrimRight(s, "="))
}

var base32Lower = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// base32Suffix ends every b32 address.
const base32Suffix = ".b32.i2p"

// Base32 returns the b32 address of h: 52 characters and ".b32.i2p".
func (h Hash) Base32() string {
	return base32Lower.EncodeToString(h[:]) + base32Suffix
}

// String is the first characters of h in I2P's base64, enough to tell the
// hashes of one log apart.
func (h Hash) String() string { return Base64.EncodeToString(h[:])[:6] }

// ParseBase32 reads a b32 address of 52 characters, with or without its
// ".b32.i2p". The longer addresses of encrypted LeaseSets (b33) are
// ErrUnsupported.
func ParseBase32(s string) (Hash, error) {
	var h Hash
	name := strings.TrimSuffix(strings.ToLower(s), base32Suffix)
	if len(name) >= 56 {
		return h, fmt.Errorf("b32 address %.60q is of an encrypted LeaseSet: %w", s, ErrUnsupported)
	}
	b, err := base32Lower.DecodeString(name)
	if err != nil || len(b) != HashSize {
		return h, fmt.Errorf("b32 address %.60q: want 52 characters a-z2-7: %w", s, ErrInvalid)
	}
	return Hash(b), nil
}
