package backendtest

import (
	"bytes"
	"sync"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/sam"
)

// A peer is what all remotes on a Net have: keys, and a session with one of the
// frontends' routers.
type peer struct {
	*i2p.Keys

	net         *Net
	unpublished bool
	in, out     wire
	deliver     func(sam.Packet) // takes what came
	end         func()

	mu       sync.Mutex
	frontend int
	since    time.Time // of the session
	sent     []int     // by frontend
}

// newPeer returns one whose session is with a frontend from now on. join is to
// follow.
func (n *Net) newPeer(frontend int, unpublished bool) *peer {
	n.t.Helper()
	keys, err := i2p.GenerateKeys()
	if err != nil {
		n.t.Fatal(err)
	}
	return &peer{
		Keys: keys, net: n, unpublished: unpublished, in: newWire(), out: newWire(),
		frontend: frontend, since: time.Now(), sent: make([]int, len(n.frontends)),
	}
}

// join makes r known to the Net.
func (n *Net) join(r *peer) {
	if !r.unpublished {
		for _, f := range n.frontends {
			f.Name(r.Destination.Base32(), r.Destination)
		}
	}
	n.group.Go(r.in.run)
	n.group.Go(r.out.run)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.remotes[r.Destination] = r
}

// receive takes a packet that came through a frontend.
func (r *peer) receive(frontend int, p sam.Packet) {
	r.mu.Lock()
	if frontend != r.frontend {
		if r.unpublished {
			r.mu.Unlock()
			return
		}
		if time.Since(r.since) > SessionAge {
			r.frontend, r.since = frontend, time.Now()
		}
	}
	r.mu.Unlock()
	r.deliver(p)
}

// send sends p, whose Data is copied, by the frontend that the session is with.
func (r *peer) send(p sam.Packet) {
	r.mu.Lock()
	frontend := r.net.frontends[r.frontend]
	r.sent[r.frontend]++
	r.mu.Unlock()
	if !r.net.loses() {
		p.Data = bytes.Clone(p.Data)
		r.out.send(func() { frontend.Deliver(p) })
	}
}

// Use has r send by another frontend, in a new session.
func (r *peer) Use(frontend int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.frontend, r.since = frontend, time.Now()
}

// Frontend is the one that r sends by.
func (r *peer) Frontend() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.frontend
}

// Sent is how many packets r sent by a frontend.
func (r *peer) Sent(frontend int) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sent[frontend]
}
