package sambridge

import (
	"strings"
	"sync"
	"time"

	"github.com/onelease/onelease/i2p"
)

const (
	// peersMost is how many entries a generation of a peerCache has. One is about
	// 1 KiB.
	peersMost = 2048
	// nameLife is how long a host name stands for a Destination that was looked up.
	nameLife = 5 * time.Minute
	// forGood is the life of what cannot change.
	forGood = time.Duration(0)
)

// A peerCache has the Destinations of remotes that clients send to, by how they name
// them: base64, b32 or host name. It has peersMost to twice that: of two generations the
// older goes when the younger is full. Its zero value is empty.
type peerCache struct {
	mu         sync.Mutex
	young, old map[string]peerEntry
}

type peerEntry struct {
	peer  *i2p.Addr
	until time.Time // zero: for good
}

// find is the peer of a name that is still in a read buffer, or nil. It does not
// allocate.
func (c *peerCache) find(name []byte) *i2p.Addr {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.young[string(name)]
	if !ok {
		if e, ok = c.old[string(name)]; !ok {
			return nil
		}
		c.putLocked(string(name), e)
	}
	if !e.until.IsZero() && time.Now().After(e.until) {
		return nil
	}
	return e.peer
}

func (c *peerCache) put(name string, peer *i2p.Addr, life time.Duration) {
	e := peerEntry{peer: peer}
	if life != forGood {
		e.until = time.Now().Add(life)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.putLocked(name, e)
}

func (c *peerCache) putLocked(name string, e peerEntry) {
	if c.young == nil || len(c.young) >= peersMost {
		c.young, c.old = make(map[string]peerEntry), c.young
	}
	c.young[name] = e
}

// lifeOf is for how long a name stands for what was found for it.
func lifeOf(name string) time.Duration {
	if strings.HasSuffix(name, ".b32.i2p") {
		return forGood
	}
	return nameLife
}
