package backend

import (
	"bytes"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/datagram"
	"github.com/onelease/onelease/i2p/sam"
)

// A greeting is a ping to a remote that raw datagrams are to go to, and that was never
// heard. What comes in raw does not say who sent it. So a Host does not know by which
// link such a remote has come in, if it has: by another one it could not be answered
// (see route), and if it has not, i2pd 2.58 sends only the first message before
// something comes back. The remote's pong comes by the right link, completes the
// session and proves who it is. From then on it is a remote like others, which
// keeps its link and is rescued if that is lost.
//
// What is sent meanwhile waits, for greetingPatience at most. Then it goes out as it
// would have, and the next link is tried with what is sent greetingAgain later: a
// remote without streams, as some clients on Java I2P, answers no pings.
type greeting struct {
	hash    i2p.Hash
	dest    i2p.Destination
	nonce   helloNonce
	via     *link
	waiting []sam.Packet
	bytes   int
	timer   *time.Timer
}

const (
	greetingPatience = 1500 * time.Millisecond
	// greetingAgain is when a remote that did not answer is greeted again.
	greetingAgain = 20 * time.Second
	// rawRecent is how long what came in raw counts as the likely question to what
	// goes out.
	rawRecent = 5 * time.Second
	// What waits for one remote, and for how many it waits.
	maxGreetings      = 64
	maxGreetedPackets = 32
	maxGreetedBytes   = 32 << 10
)

// greetings are those under way. Host.mu guards them.
type greetings struct {
	byHash map[i2p.Hash]*greeting
	byID   map[uint32]*greeting
	// rawVia is by which link a raw datagram last came in, at rawAt.
	rawVia *link
	rawAt  time.Time
}

// cameRaw notes by which link a raw datagram came in.
func (h *Host) cameRaw(l *link) {
	h.mu.Lock()
	h.greetings.rawVia, h.greetings.rawAt = l, time.Now()
	h.mu.Unlock()
}

// greet takes p, if it has to wait for a greeting to its receiver.
func (h *Host) greet(p *sam.Packet, to i2p.Hash) (taken bool) {
	if p.Options.NoLeaseSet || !h.cfg.signs() {
		return false // nobody is to know us, or nothing can say who we are
	}
	h.mu.Lock()
	g, began := h.greetingLocked(p, to)
	h.mu.Unlock()
	if began {
		h.sayGreeting(g)
	}
	return g != nil
}

// greetingLocked is the greeting that p waits for, nil if it need not wait; began
// says that it is to be said.
func (h *Host) greetingLocked(p *sam.Packet, to i2p.Hash) (g *greeting, began bool) {
	gs := &h.greetings
	if g = gs.byHash[to]; g == nil {
		l := h.greetByLocked(to)
		if l == nil {
			return nil, false
		}
		g, began = h.newGreetingLocked(to, p.Peer, l), true
	}
	if len(g.waiting) >= maxGreetedPackets || g.bytes+len(p.Data) > maxGreetedBytes {
		h.overflow.Add(1)
		return g, began // it is lost, as on a full link
	}
	kept := *p
	kept.Data = bytes.Clone(p.Data)
	g.waiting, g.bytes = append(g.waiting, kept), g.bytes+len(p.Data)
	return g, began
}

// greetByLocked is the link to greet a remote by, nil if it needs no greeting, or had
// one not long ago.
func (h *Host) greetByLocked(to i2p.Hash) *link {
	now, gs := time.Now(), &h.greetings
	for _, t := range [...]*remotes{h.remotes, h.hearsay} {
		if r := t.byHash[to]; r != nil && (r.link != nil || r.rescue != nil) {
			return nil
		}
	}
	r := h.hearsay.byHash[to]
	if len(gs.byHash) >= maxGreetings || r != nil && now.Sub(r.greeted) < greetingAgain {
		return nil
	}
	if r == nil {
		r = h.hearsay.touch(to, now, h.forgetLocked)
	}
	last := r.greetedBy
	l := h.chooseLocked(to)
	if gs.rawVia != nil && now.Sub(gs.rawAt) < rawRecent && gs.rawVia.up() {
		l = gs.rawVia
	}
	if last != nil && l == last {
		if other := h.chooseButLocked(to, last); other != nil {
			l = other
		}
	}
	r.greeted, r.greetedBy = now, l
	return l
}

func (h *Host) newGreetingLocked(to i2p.Hash, dest i2p.Destination, l *link) *greeting {
	gs := &h.greetings
	if gs.byHash == nil {
		gs.byHash, gs.byID = map[i2p.Hash]*greeting{}, map[uint32]*greeting{}
	}
	g := &greeting{hash: to, dest: dest, via: l, nonce: newNonce(h.newID)}
	gs.byHash[to], gs.byID[g.nonce.id()] = g, g
	g.timer = time.AfterFunc(greetingPatience, func() {
		h.endGreeting(g)
		time.AfterFunc(greetingAgain-greetingPatience, func() { h.forgetGreeting(g) })
	})
	return g
}

// sayGreeting sends the ping. If that fails, what waits goes out when the time is over.
func (h *Host) sayGreeting(g *greeting) {
	client := g.via.live.Load()
	origin, err := h.self.Load().origin()
	if client == nil || err != nil {
		return
	}
	packet, err := appendHello(nil, origin, g.nonce)
	if err == nil {
		err = client.Send(sam.Packet{Peer: g.dest, Protocol: HelloProtocol, Data: packet})
	}
	if err != nil {
		h.log.Debug("cannot greet a remote", "error", err)
	}
}

// greeted takes a pong, if it is the answer to a greeting: only whom the greeting went
// to can know its nonce.
func (h *Host) greeted(l *link, nonce helloNonce) bool {
	now := time.Now()
	h.mu.Lock()
	g := h.greetings.byID[nonce.id()]
	if g == nil || g.nonce != nonce {
		h.mu.Unlock()
		return false
	}
	h.noteLocked(l, g.hash, datagram.NewSender(g.dest), now)
	h.mu.Unlock()
	g.timer.Stop()
	h.endGreeting(g)
	h.forgetGreeting(g)
	return true
}

// forgetGreeting takes no pong for g any more.
func (h *Host) forgetGreeting(g *greeting) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.greetings.byID[g.nonce.id()] == g {
		delete(h.greetings.byID, g.nonce.id())
	}
}

// endGreeting sends what has waited, by the remote's link if that is known now.
func (h *Host) endGreeting(g *greeting) {
	h.mu.Lock()
	if gs := &h.greetings; gs.byHash[g.hash] == g {
		delete(gs.byHash, g.hash)
	}
	waiting := g.waiting
	g.waiting = nil
	h.mu.Unlock()
	for _, p := range waiting {
		if err := h.sendByRoute(p, g.hash); err != nil {
			h.overflow.Add(1)
			h.log.Debug("a datagram that waited was not sent", "error", err)
		}
	}
}
