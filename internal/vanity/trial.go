package vanity

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding"
	"encoding/binary"
	"hash"
	"time"

	"github.com/onelease/onelease/i2p"
)

// Sizes of a Destination's fixed part, in bytes ("KeysAndCert").
const (
	keysSize     = 384
	signingField = 128
)

// A trial is a Destination with a counter in it, in bytes that nobody uses. What is
// before the block of SHA-256 that the counter is in is hashed once.
type trial struct {
	destination []byte
	counter     []byte // eight bytes of destination
	rest        []byte // of destination, from the counter's block on
	before      []byte // state of the hash before rest
	hash        hash.Hash
	sum         []byte
}

// newTrial begins at a random count, changed by apart so that those of several workers do
// not meet.
func newTrial(dest i2p.Destination, apart uint64) *trial {
	raw := dest.Bytes()
	end := keysSize - min(dest.SigType().PublicSize(), signingField)
	block := (end - 8) / sha256.BlockSize * sha256.BlockSize
	t := &trial{destination: raw, counter: raw[end-8 : end], rest: raw[block:], hash: sha256.New(), sum: make([]byte, 0, sha256.Size)}
	rand.Read(t.counter)
	t.set(t.count() ^ apart)
	t.hash.Write(raw[:block])
	t.before, _ = t.hash.(encoding.BinaryMarshaler).MarshalBinary() // of crypto/sha256: never fails
	return t
}

func (t *trial) count() uint64     { return binary.BigEndian.Uint64(t.counter) }
func (t *trial) set(number uint64) { binary.BigEndian.PutUint64(t.counter, number) }

// next counts on and returns the first eight bytes of the Destination's hash.
func (t *trial) next() uint64 {
	t.set(t.count() + 1)
	_ = t.hash.(encoding.BinaryUnmarshaler).UnmarshalBinary(t.before)
	t.hash.Write(t.rest)
	t.sum = t.hash.Sum(t.sum[:0])
	return binary.BigEndian.Uint64(t.sum)
}

// Rate is how many addresses one core tries in a second, measured for some
// milliseconds with a Destination like dest.
func Rate(dest i2p.Destination) float64 {
	t := newTrial(dest, 0)
	began, tried := time.Now(), 0
	for time.Since(began) < 20*time.Millisecond {
		for range batch {
			t.next()
		}
		tried += batch
	}
	return float64(tried) / time.Since(began).Seconds()
}
