package backend

import (
	"bytes"
	"sync"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/datagram"
	"github.com/onelease/onelease/i2p/sam"
	"github.com/onelease/onelease/i2p/streaming"
)

// maxLooped bounds the packets that wait on their way from a Host to itself.
const maxLooped = 1024

// A loop takes what a Host sends to its own Destination, as programs do that have
// several sessions on one, or want to see whether they are in order. No router could: all of
// them are the Destination, and the one that is asked would begin a session with
// itself or one of the others.
type loop struct {
	mu      sync.Mutex
	waiting []sam.Packet
	running bool
}

// loops reports whether to is the Host's own Destination.
func (h *Host) loops(to i2p.Hash) bool {
	self := h.self.Load()
	return self != nil && self.hash == to
}

// sendToSelf has p come in soon, by a goroutine of its own: who sends may hold locks that
// who receives needs. What is too much is dropped, as on a link.
func (h *Host) sendToSelf(p sam.Packet) error {
	p.Data = bytes.Clone(p.Data)
	l := &h.loop
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) >= maxLooped {
		h.unclaimed.Add(1)
		return nil
	}
	l.waiting = append(l.waiting, p)
	if !l.running {
		l.running = true
		go h.receiveFromSelf()
	}
	return nil
}

// receiveFromSelf takes in all that waits, and ends.
func (h *Host) receiveFromSelf() {
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
		return "none, it was sent to itself"
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
	return p, true
}

// addrOfSelf is that of who sent what came by the loop. Nothing is noted of him: there is
// no way to him to remember.
func addrOfSelf(hash i2p.Hash, sender *datagram.Sender, port uint16) *Addr {
	addr := &Addr{Hash: hash, Port: port}
	if sender != nil {
		addr.Destination = sender.Destination
	}
	return addr
}
