package backend

import (
	"encoding/binary"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/datagram"
	"github.com/onelease/onelease/i2p/sam"
)

// route is the link for packets to a remote: the one that its own last came
// in by. Only the router there can read what the remote sends to the session
// that they share, and an answer from another router would break it.
func (h *Host) routeLocked(hash i2p.Hash) *link {
	for _, t := range [...]*remotes{h.remotes, h.hearsay} {
		if r := t.byHash[hash]; r != nil && r.link != nil && r.link.up() {
			return r.link
		}
	}
	return h.chooseLocked(hash)
}

// choose is the link for a remote that was not heard: the one of highest rank
// among those that are up (rendezvous hashing). That spreads remotes evenly,
// sends all packets to one remote through one router until it answers (round
// robin would start a session in each router, and the remote would be torn
// between them), and moves no more remotes than it must when a link comes or goes.
func (h *Host) chooseLocked(hash i2p.Hash) *link {
	var best *link
	var highest uint64
	for _, l := range h.links {
		if !l.up() {
			continue
		}
		if rank := l.rank(hash); best == nil || rank > highest {
			best, highest = l, rank
		}
	}
	return best
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
	if r := h.remotes.byHash[hash]; r != nil {
		return r.sender
	}
	if r := h.hearsay.byHash[hash]; r != nil && !verified {
		return r.sender
	}
	return nil
}

// heard notes that a remote's packet came in by l, and returns its address
// with that port. The sender is nil if the packet only claims the hash.
func (h *Host) heard(l *link, hash i2p.Hash, sender *datagram.Sender, port uint16) *Addr {
	now := time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.remotes
	if sender == nil {
		t = h.hearsay
	}
	r := t.touch(hash, now, h.forgetLocked)
	if r.sender == nil {
		r.sender = sender
	}
	h.followLocked(r, l)
	if r.addr == nil || r.addr.Port != port || (r.addr.Destination.IsZero() && r.sender != nil) {
		r.addr = &Addr{Hash: hash, Port: port}
		if r.sender != nil {
			r.addr.Destination = r.sender.Destination
		}
	}
	return r.addr
}

// followLocked takes l for r's link from now on.
func (h *Host) followLocked(r *remote, l *link) {
	from := r.link
	if r.rescue != nil {
		from = r.rescue.lost
		h.rescues.end(r)
	}
	if from != nil && from != l {
		h.moved++
	}
	r.link = l
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
