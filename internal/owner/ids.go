package owner

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// KeySize is the size of the key of stream IDs in bytes.
const KeySize = 32

// rounds of the Feistel network. Four make a pseudorandom permutation for less than
// the 256 IDs after which halves begin to repeat; a remote may see more.
const rounds = 6

// Tag is what stands for a backend's name: the first 16 bits of its SHA-256.
func Tag(name string) uint16 {
	sum := sha256.Sum256([]byte(name))
	return binary.BigEndian.Uint16(sum[:])
}

// IDs are stream IDs that carry a tag: (tag, 16 random bits) through a keyed
// permutation of 32 bits, a Feistel network. Its round functions are tables of random
// numbers, since a packet must not cost a cipher: the keystream of AES-256-CTR from
// counter 0 on, as big-endian numbers of 16 bits, 65,536 for each round. IDs take
// 768 KiB and are for any number of goroutines.
type IDs struct {
	key    [KeySize]byte
	rounds [rounds][1 << 16]uint16
}

// NewIDs fails only if key has not KeySize bytes.
func NewIDs(key []byte) (*IDs, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("key of stream IDs has %d bytes, want %d", len(key), KeySize)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	x := &IDs{key: [KeySize]byte(key)}
	stream := cipher.NewCTR(block, make([]byte, aes.BlockSize))
	keystream := make([]byte, 2<<16)
	for i := range x.rounds {
		clear(keystream)
		stream.XORKeyStream(keystream, keystream)
		for k := range x.rounds[i] {
			x.rounds[i][k] = binary.BigEndian.Uint16(keystream[2*k:])
		}
	}
	return x, nil
}

// Key is what they were made with.
func (x *IDs) Key() []byte { return x.key[:] }

// Join is the ID of a tag and random bits.
func (x *IDs) Join(tag, random uint16) uint32 {
	left, right := tag, random
	for i := range x.rounds {
		left, right = right, left^x.rounds[i][right]
	}
	return uint32(left)<<16 | uint32(right)
}

// Tag is the tag in an ID. Who made the ID without the key has a random one in it.
func (x *IDs) Tag(id uint32) uint16 {
	left, right := uint16(id>>16), uint16(id)
	for i := range x.rounds {
		left, right = right^x.rounds[rounds-1-i][left], left
	}
	return left
}
