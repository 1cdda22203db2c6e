package backend

import (
	"bytes"
	"sync"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/datagram"
	"github.com/onelease/onelease/i2p/sam"
	"github.com/onelease/onelease/i2p/streaming"
)

// maxLooped bounds the bytes that wait on their way into a Host by the loop.
const maxLooped = 4 << 20

// A loop takes what a Host of this process sends to the Destination: a neighbor, or the
// Host itself, as programs do that have several sessions on one Destination, or want to see
// whether they are in order. No router could carry the latter: all of them are the
// Destination, and the one that is asked would begin a session with itself or one of
// the others.
type loop struct {
	mu      sync.Mutex
	waiting []sam.Packet
	bytes   int
	running bool
}

// near is the Host in this process that has the Destination, or nil.
func (h *Host) near(to i2p.Hash) *Host {
	if self := h.self.Load(); self != nil && self.hash == to {
		return h
	}
	return h.cfg.Neighbors.find(to)
}

// loopIn has p come in soon, by a goroutine of its own: who sends may hold locks that
// who receives needs. What is too much is dropped, as on a link.
func (h *Host) loopIn(p sam.Packet) error {
	p.Data = bytes.Clone(p.Data)
	l := &h.loop
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bytes+len(p.Data) > maxLooped {
		h.overflow.Add(1)
		return nil
	}
	l.bytes += len(p.Data)
	l.waiting = append(l.waiting, p)
	if !l.running {
		l.running = true
		go h.takeLooped()
	}
	return nil
}

// takeLooped takes in all that waits, and ends.
func (h *Host) takeLooped() {
	for {
		p, ok := h.loop.next()
		if !ok {
			return
		}
		if p.Protocol != ProtocolStreaming {
			h.receiveDatagram(nil, p)
		} else if stack := h.stack(); stack == nil || !stack.Receive(streaming.Inbound{Data: p.Data, FromPort: p.FromPort, ToPort: p.ToPort}) {
			h.unclaimed.Add(1)
		}
	}
}

// via is how a packet came, for the log. Without a link it was the loop.
func (l *link) via() string {
	if l == nil {
		return "none, it came from this process"
	}
	return l.front.name()
}

func (l *loop) next() (p sam.Packet, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) == 0 {
		l.waiting, l.running = nil, false
		return p, false
	}
	p = l.waiting[0]
	l.waiting[0] = sam.Packet{}
	l.waiting = l.waiting[1:]
	l.bytes -= len(p.Data)
	return p, true
}

// addrOfNear is that of who sent what came by the loop. Nothing is noted of him: there is
// no way to him to remember.
func addrOfNear(hash i2p.Hash, sender *datagram.Sender, port uint16) *Addr {
	addr := &Addr{Hash: hash, Port: port}
	if sender != nil {
		addr.Destination = sender.Destination
	}
	return addr
}
