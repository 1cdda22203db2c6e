package samconform

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"strings"
)

var (
	base64i2p = base64.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-~")
	base32i2p = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)
)

// Sizes of keys by signature type, in bytes ("Key Certificates"): what follows the
// Destination and 256 bytes of private encryption key in SAM's private keys.
var privateSizes = map[int]int{0: 20, 1: 32, 2: 48, 3: 66, 4: 512, 5: 768, 6: 1024, 7: 32, 8: 32, 11: 32}

// destinationSize is that of the Destination at the start of b: 384 bytes of keys, then
// the certificate's type, length and content; 0 if b is too short.
func destinationSize(b []byte) int {
	const keys = 384
	if len(b) < keys+3 {
		return 0
	}
	if size := keys + 3 + int(binary.BigEndian.Uint16(b[keys+1:])); size <= len(b) {
		return size
	}
	return 0
}

// signatureType reads the type of the Destination's signing key: DSA-SHA1 (0) unless a
// key certificate (5) names another.
func signatureType(destination []byte) int {
	if destination[384] != 5 || len(destination) < 389 {
		return 0
	}
	return int(binary.BigEndian.Uint16(destination[387:]))
}

// public takes the Destination out of SAM's private keys, both in base64.
func (c *check) public(private string) string {
	b, err := base64i2p.DecodeString(private)
	if err != nil {
		c.fail("the private key is not I2P base64: %v", err)
	}
	size := destinationSize(b)
	if size == 0 || len(b) < 663 {
		c.fail("a private key of %d bytes, want 663 or more", len(b))
	}
	return base64i2p.EncodeToString(b[:size])
}

// typeOf is the signature type of a Destination in base64.
func (c *check) typeOf(public string) int {
	b, err := base64i2p.DecodeString(public)
	if err != nil || destinationSize(b) != len(b) {
		c.fail("not a Destination in I2P base64: %d bytes, %v", len(b), err)
	}
	return signatureType(b)
}

// hashOf is the SHA-256 of a Destination in base64.
func hashOf(public string) []byte {
	b, _ := base64i2p.DecodeString(public)
	hash := sha256.Sum256(b)
	return hash[:]
}

// b32 is the address of a Destination, or of a hash of one.
func b32(public string) string { return b32OfHash(hashOf(public)) }

func b32OfHash(hash []byte) string { return base32i2p.EncodeToString(hash) + ".b32.i2p" }

// nobody is the address of a Destination that there is not.
func nobody(seed string) string {
	hash := sha256.Sum256([]byte("nobody " + seed))
	return b32OfHash(hash[:])
}

// stranger is a well-formed Destination, in base64, that nobody hosts: an Ed25519 one
// whose key is made up (certificate 05 0004 0007 0000).
func stranger(seed string) string {
	var b strings.Builder
	for i := range 12 {
		h := sha256.Sum256([]byte{byte(i)})
		b.Write(h[:])
	}
	raw := append([]byte(b.String()), 5, 0, 4, 0, 7, 0, 0)
	copy(raw, seed)
	return base64i2p.EncodeToString(raw)
}
