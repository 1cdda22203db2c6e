package pluginwire

import (
	"encoding/binary"
	"fmt"

	"github.com/onelease/onelease/i2p"
)

// addrFixed is the size of an address without its Destination: port, hash, length.
const addrFixed = addrKeySize + 2

// addrKeySize is the size of what tells addresses apart.
const addrKeySize = 2 + i2p.HashSize

// AppendAddr appends a: nil is port 0 of nobody.
func AppendAddr(b []byte, a *i2p.Addr) []byte {
	if a == nil {
		a = &i2p.Addr{}
	}
	hash := a.Hash
	if hash == (i2p.Hash{}) && !a.Destination.IsZero() {
		hash = a.Destination.Hash()
	}
	b = binary.BigEndian.AppendUint16(b, a.Port)
	b = append(b, hash[:]...)
	b = binary.BigEndian.AppendUint16(b, uint16(a.Destination.Size()))
	return a.Destination.AppendTo(b)
}

// addrSize is how many of b's bytes the address takes that it begins with.
func addrSize(b []byte) (int, error) {
	if len(b) < addrFixed {
		return 0, fmt.Errorf("address of %d bytes: %w", len(b), i2p.ErrTruncated)
	}
	size := addrFixed + int(binary.BigEndian.Uint16(b[addrKeySize:]))
	if len(b) < size {
		return 0, fmt.Errorf("address of %d bytes, want %d: %w", len(b), size, i2p.ErrTruncated)
	}
	return size, nil
}

// ParseAddr reads the address that b begins with, and returns how many bytes it
// takes. That the hash is the Destination's is checked.
func ParseAddr(b []byte) (*i2p.Addr, int, error) {
	size, err := addrSize(b)
	if err != nil {
		return nil, 0, err
	}
	a := &i2p.Addr{Port: binary.BigEndian.Uint16(b), Hash: i2p.Hash(b[2:addrKeySize])}
	if size == addrFixed {
		return a, size, nil
	}
	dest, n, err := i2p.ParseDestination(b[addrFixed:size])
	if err == nil && (n != size-addrFixed || dest.Hash() != a.Hash) {
		err = fmt.Errorf("address whose hash or length is not its Destination's: %w", i2p.ErrInvalid)
	}
	if err != nil {
		return nil, 0, err
	}
	a.Destination = dest
	return a, size, nil
}

// An addrCache has the addresses that were parsed lately, so that packets of one
// remote share one. Its zero value is empty. It has no lock.
type addrCache struct {
	recent Recent[[addrKeySize]byte, cachedAddr]
}

type cachedAddr struct {
	encoded string
	addr    *i2p.Addr
}

// cacheSize is the limit of an addrCache: about 1 KiB each, and twice as many.
const cacheSize = 2048

// parse is ParseAddr; the Addr may be one that was returned before.
func (c *addrCache) parse(b []byte) (*i2p.Addr, int, error) {
	size, err := addrSize(b)
	if err != nil {
		return nil, 0, err
	}
	key := [addrKeySize]byte(b)
	if found, ok := c.recent.Get(key, cacheSize); ok && found.encoded == string(b[:size]) {
		return found.addr, size, nil
	}
	addr, _, err := ParseAddr(b[:size])
	if err != nil {
		return nil, 0, err
	}
	c.recent.Put(key, cachedAddr{string(b[:size]), addr}, cacheSize)
	return addr, size, nil
}
