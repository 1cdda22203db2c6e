package sam

import (
	"sync"

	"github.com/onelease/onelease/i2p"
)

// cacheSize is how many entries a generation of a cache has. An entry is about
// 1 KiB.
const cacheSize = 2048

// A cache remembers its latest entries, cacheSize to twice that: there are two
// generations, and the older is dropped when the younger is full. That costs a
// hit nothing. It is used under its owner's lock.
type cache[K comparable, V any] struct{ young, old map[K]V }

func (c *cache[K, V]) put(key K, value V) {
	if c.young == nil || len(c.young) >= cacheSize {
		c.young, c.old = make(map[K]V), c.young
	}
	c.young[key] = value
}

func (c *cache[K, V]) get(key K) (V, bool) {
	if v, ok := c.young[key]; ok {
		return v, true
	}
	v, ok := c.old[key]
	if ok {
		c.put(key, v)
	}
	return v, ok
}

// A destCache has Destinations by what lines call them: base64 or b32. Host
// names are not kept, for what they stand for may change.
type destCache struct {
	mu    sync.Mutex
	names cache[string, i2p.Destination]
}

// find looks up a name that is still in a read buffer. A hit does not
// allocate: the compiler converts a key in an index expression in place.
func (c *destCache) find(name []byte) (i2p.Destination, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d, ok := c.names.young[string(name)]; ok {
		return d, true
	}
	return c.names.get(string(name))
}

func (c *destCache) put(name string, d i2p.Destination) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.names.put(name, d)
}

// A NameCache has the base64 of the Destinations that were asked for last, about
// 4,000 at most. Its zero value is empty, and many goroutines may use it.
type NameCache struct {
	mu    sync.Mutex
	names cache[i2p.Destination, string]
}

// Base64 is d in I2P's base64.
func (c *NameCache) Base64(d i2p.Destination) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	name, ok := c.names.get(d)
	if !ok {
		name = d.Base64()
		c.names.put(d, name)
	}
	return name
}
