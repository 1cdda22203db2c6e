package backend

import (
	"encoding/binary"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/datagram"
	"github.com/onelease/onelease/i2p/sam"
)

// route is the link for packets to a remote: the one that its own last came
// in by, once it has settled (see settleTime). Only the router there can read
// what the remote sends to the session that they share, and an answer from
// another router would break it.
func (h *Host) routeLocked(hash i2p.Hash) *link {
	for _, t := range [...]*remotes{h.remotes, h.hearsay} {
		if r := t.byHash[hash]; r != nil && r.link != nil {
			return r.link // if it is not up, strand is about to see to r
		}
	}
	return h.chooseLocked(hash)
}

// choose is the link for a remote that was not heard: the one of highest rank
// among those that are up (rendezvous hashing), and that do not drain if there
// are such. That spreads remotes evenly, sends all packets to one remote through
// one router until it answers (round robin would start a session in each router,
// and the remote would be torn between them), and moves no more remotes than it
// must when a link comes or goes. A refuge is the last resort.
func (h *Host) chooseLocked(hash i2p.Hash) *link { return h.chooseButLocked(hash, nil) }

// chooseButLocked is choose without one of the links.
func (h *Host) chooseButLocked(hash i2p.Hash, not *link) *link {
	var best *link
	var highest uint64
	for _, l := range h.links {
		if !l.up() || l == not || (best != nil && l.resort() > best.resort()) {
			continue
		}
		rank := l.rank(hash)
		if best == nil || rank > highest || l.resort() < best.resort() {
			best, highest = l, rank
		}
	}
	return best
}

// resort is lower for links that are to be chosen before others.
func (l *link) resort() int {
	switch {
	case l.refuge:
		return 2
	case l.draining:
		return 1
	}
	return 0
}

// rank mixes the link's seed with hash, which is random already; the finishing
// steps are those of splitmix64.
func (l *link) rank(hash i2p.Hash) uint64 {
	x := binary.BigEndian.Uint64(hash[:]) ^ l.seed
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// anyClient is that of some link that is up, or nil.
func (h *Host) anyClient() *sam.PacketClient {
	for _, l := range h.links {
		if c := l.live.Load(); c != nil {
			return c
		}
	}
	return nil
}

// known is the sender that is remembered for hash, or nil. Only one that
// signed is returned if verified is set.
func (h *Host) known(hash i2p.Hash, verified bool) *datagram.Sender {
	h.mu.Lock()
	defer h.mu.Unlock()
	if r := h.remotes.byHash[hash]; r != nil && r.sender != nil {
		return r.sender
	}
	if r := h.hearsay.byHash[hash]; r != nil && !verified {
		return r.sender
	}
	return nil
}

// heard notes that a remote's datagram came in by l, and returns its address
// with that port. The sender is nil if the datagram only claims the hash.
func (h *Host) heard(l *link, hash i2p.Hash, sender *datagram.Sender, port uint16) *Addr {
	if l == nil {
		return addrOfNear(hash, sender, port)
	}
	now := time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.noteLocked(l, hash, sender, now)
	addr := r.addrLocked(hash, port)
	if sender != nil {
		h.ackLocked(r, now)
	}
	return addr
}

// addrLocked is r's address with that port.
func (r *remote) addrLocked(hash i2p.Hash, port uint16) *Addr {
	if r.addr == nil || r.addr.Port != port || (r.addr.Destination.IsZero() && r.sender != nil) {
		r.addr = &Addr{Hash: hash, Port: port}
		if r.sender != nil {
			r.addr.Destination = r.sender.Destination
		}
	}
	return r.addr
}

// heardStream notes that a packet of a stream came in by l. The first one
// after a loss has the remote's other streams looked after at once.
func (h *Host) heardStream(l *link, sender *datagram.Sender) {
	now := time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.noteLocked(l, sender.Hash, sender, now)
	if rescue := r.rescue; rescue != nil && rescue.answered && !rescue.drain && !rescue.streamsHeard {
		rescue.streamsHeard = true
		h.rescues.schedule(rescue, now)
		h.wake()
	}
}

func (h *Host) noteLocked(l *link, hash i2p.Hash, sender *datagram.Sender, now time.Time) *remote {
	t := h.remotes
	if sender == nil {
		t = h.hearsay
	}
	r := t.touch(hash, now, h.forgetLocked)
	if r.sender == nil {
		r.sender = sender
	}
	if sender == nil {
		h.followLocked(r, l, now)
	} else {
		h.hearLocked(r, l, now)
	}
	return r
}

// followLocked takes l for r's link from now on, unless r has just left l, or l
// was lost while the packet was on its way through here.
func (h *Host) followLocked(r *remote, l *link, now time.Time) {
	if !l.up() || (l.draining && now.Before(r.leftUntil)) {
		return
	}
	if r.settlesLocked(l, now) {
		return
	}
	from, invited := r.link, false
	if r.rescue != nil {
		from, invited = r.rescue.from, r.rescue.invited
		h.answeredLocked(r, l, now)
	}
	if from != nil && from != l {
		h.moved++
	}
	if r.link != l || r.came.IsZero() {
		r.came, r.young = now, time.Time{}
		if invited || from != nil && from != l || now.Sub(l.since) > sessionAge {
			r.young = now.Add(sessionAge)
		}
		h.visitLocked(r, now)
	}
	r.link = l
	if l.draining && r.rescue == nil && r.sender != nil && h.cfg.signs() {
		h.moveLocked(r, now)
		h.wake()
	}
}

// answeredLocked takes r's rescue on, now that r was heard by l.
func (h *Host) answeredLocked(r *remote, l *link, now time.Time) {
	rescue := r.rescue
	switch {
	case rescue.drain && l.draining && !rescue.answered: // served on, by the one that it is to leave
		rescue.from = l
	case rescue.drain && l.draining: // it went back
		h.rescues.end(r)
	case rescue.answered:
		rescue.from, rescue.via = l, l
	default:
		if rescue.drain {
			r.leftUntil = now.Add(stragglers)
		}
		if h.stack() == nil {
			h.rescues.end(r)
			return
		}
		h.rescues.answer(rescue, l, now)
		h.wake()
	}
}

// resolved notes the Destination that the netDB has for hash.
func (h *Host) resolved(sender *datagram.Sender) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.hearsay.touch(sender.Hash, time.Now(), h.forgetLocked)
	if r.sender == nil {
		r.sender = sender
	}
}

// forgetLocked is called for each remote that leaves its table.
func (h *Host) forgetLocked(r *remote) {
	if r.rescue != nil {
		h.rescues.end(r)
	}
}

// settleTime is how long a remote that has come to a link is answered by it,
// also if packets come in by others. A remote that begins several streams at once
// begins a session for each, maybe with several routers. Those that are not
// answered it replaces by the one that is (i2pd Streaming.cpp, SendPackets:
// IsReadyToSend); a second one that is answered is kept by its stream for
// good, and no hello can replace it.
const settleTime = 10 * time.Second

// settlesLocked reports whether r stays with its link though it was heard by l.
func (r *remote) settlesLocked(l *link, now time.Time) bool {
	moving := r.rescue != nil && !r.rescue.answered
	return !moving && r.link != nil && r.link != l && r.link.up() && !r.link.draining &&
		!r.came.IsZero() && now.Sub(r.came) < settleTime
}
