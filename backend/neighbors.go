package backend

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/onelease/onelease/i2p"
)

// Neighbors are Hosts of one process, with a Destination each, that heed each other.
// They hand over what they send each other without a router, as routers do for
// Destinations of their own: that costs nothing, and no loss of a router can stop it. And
// they begin sessions with one remote in turn. The zero value has none.
type Neighbors struct {
	// Apart has them reach each other through the network all the same.
	Apart bool

	mu    sync.RWMutex
	hosts map[i2p.Hash]*Host

	turnsMu sync.Mutex
	turns   map[i2p.Hash]time.Time // when the next session with a remote may begin
}

// sessionGap is between two sessions that neighbors begin with one remote: newer i2pd
// takes in one new session per 200 ms and Destination, and drops what comes sooner.
// Then a dial fails, and a hello is of no use for two minutes. They take each their own
// time through tunnels: with gaps of 250 ms two of eight still met.
const sessionGap = 500 * time.Millisecond

// maxTurns is how many turns are remembered before those that are over are forgotten.
const maxTurns = 1024

// join has the others find h, until leave.
func (n *Neighbors) join(h *Host) (leave func()) {
	if n == nil || n.Apart {
		return func() {}
	}
	hash := h.self.Load().hash
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.hosts == nil {
		n.hosts = map[i2p.Hash]*Host{}
	}
	n.hosts[hash] = h
	return func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		if n.hosts[hash] == h {
			delete(n.hosts, hash)
		}
	}
}

func (n *Neighbors) find(hash i2p.Hash) *Host {
	if n == nil || n.Apart {
		return nil
	}
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.hosts[hash]
}

// turn is when a session with a remote may begin, at the time given or after it. It is
// taken then.
func (n *Neighbors) turn(remote i2p.Hash, at time.Time) time.Time {
	if n == nil {
		return at
	}
	n.turnsMu.Lock()
	defer n.turnsMu.Unlock()
	if len(n.turns) >= maxTurns {
		maps.DeleteFunc(n.turns, func(_ i2p.Hash, next time.Time) bool { return next.Before(at) })
	}
	if n.turns == nil {
		n.turns = map[i2p.Hash]time.Time{}
	}
	at = later(at, n.turns[remote])
	n.turns[remote] = at.Add(sessionGap)
	return at
}

// awaitTurn waits until a session with a remote may begin.
func (n *Neighbors) awaitTurn(ctx context.Context, remote i2p.Hash) error {
	now := time.Now()
	timer := time.NewTimer(n.turn(remote, now).Sub(now))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("others begin with the remote: %w", context.Cause(ctx))
	}
}
