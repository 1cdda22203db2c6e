package owner

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"sync"
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
// counter 0 on, as big-endian numbers of 16 bits, 65,536 for each round. They take
// 768 KiB, from the first use on: where no backend has a name there is none. IDs are for any number of
// goroutines.
type IDs struct {
	key    [KeySize]byte
	once   sync.Once
	tables *[rounds][1 << 16]uint16
}

// NewIDs fails only if key has not KeySize bytes.
func NewIDs(key []byte) (*IDs, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("key of stream IDs has %d bytes, want %d", len(key), KeySize)
	}
	return &IDs{key: [KeySize]byte(key)}, nil
}

// made are the tables.
func (x *IDs) made() *[rounds][1 << 16]uint16 {
	x.once.Do(x.fill)
	return x.tables
}

func (x *IDs) fill() {
	block, err := aes.NewCipher(x.key[:])
	if err != nil {
		panic(err) // a key has the right size
	}
	x.tables = new([rounds][1 << 16]uint16)
	stream := cipher.NewCTR(block, make([]byte, aes.BlockSize))
	keystream := make([]byte, 2<<16)
	for i := range x.tables {
		clear(keystream)
		stream.XORKeyStream(keystream, keystream)
		for k := range x.tables[i] {
			x.tables[i][k] = binary.BigEndian.Uint16(keystream[2*k:])
		}
	}
}

// Key is what they were made with.
func (x *IDs) Key() []byte { return x.key[:] }

// Join is the ID of a tag and random bits.
func (x *IDs) Join(tag, random uint16) uint32 {
	left, right, tables := tag, random, x.made()
	for i := range tables {
		left, right = right, left^tables[i][right]
	}
	return uint32(left)<<16 | uint32(right)
}

// Tag is the tag in an ID. Who made the ID without the key has a random one in it.
func (x *IDs) Tag(id uint32) uint16 {
	left, right, tables := uint16(id>>16), uint16(id), x.made()
	for i := range tables {
		left, right = right^tables[rounds-1-i][left], left
	}
	return left
}
