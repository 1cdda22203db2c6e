package sam

import (
	"sync"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/owner"
)

const (
	// pingLife is how long a ping may be under way: a router looks for a LeaseSet
	// for 12 s at most.
	pingLife = 15 * time.Second
	// pingsMost is how many may be under way until those that are overdue are dropped.
	pingsMost = 1024
	// ridersMost is how many packets share the status of one.
	ridersMost = 64
)

// pings are those of named backends that the router has not reported on.
//
// When a router is lost all backends say hello to the remotes that they share, with
// pings, and by the same frontend. Its router would begin a session with each ping
// that comes while it looks for the remote's LeaseSet, and only one of these
// sessions lives (see backend, rescue). So one ping is enough: those of other
// backends are told what became of it. Each has the answer of its streams, or is
// told by the one whose ping was answered (SESSION HEARD).
type pings struct {
	mu     sync.Mutex
	byPeer map[i2p.Destination]*ping
	byID   map[uint32]*ping
}

type ping struct {
	id     uint32
	peer   i2p.Destination
	since  time.Time
	riders []owed
}

// expect gives p, which asks for its status, the ID under which the Host is to
// report on it. It returns false for a ping that is not to be sent, since one of
// another backend to the same remote is under way: its status is for both.
func (ss *session) expect(p *Packet) bool {
	s := ss.conn.s
	if !ss.shares(p) {
		p.ID = s.expect(ss.conn, p.ID)
		return true
	}
	r := &s.pings
	r.mu.Lock()
	defer r.mu.Unlock()
	if under := r.byPeer[p.Peer]; under != nil && time.Since(under.since) < pingLife && len(under.riders) < ridersMost {
		under.riders = append(under.riders, owed{theirs: p.ID, c: ss.conn})
		return false
	}
	p.ID = s.expect(ss.conn, p.ID)
	r.beginLocked(&ping{id: p.ID, peer: p.Peer, since: time.Now()})
	return true
}

// shares reports whether p is a ping that others' may wait for.
func (ss *session) shares(p *Packet) bool {
	return ss.backend != nil && p.Protocol == ProtocolStreaming && owner.IsEcho(p.Data) && len(ss.conn.s.live.Load().named) > 1
}

func (r *pings) beginLocked(p *ping) {
	if r.byID == nil {
		r.byPeer, r.byID = make(map[i2p.Destination]*ping), make(map[uint32]*ping)
	}
	if len(r.byID) >= pingsMost {
		for _, old := range r.byID {
			if time.Since(old.since) > pingLife {
				r.dropLocked(old)
			}
		}
	}
	if old := r.byPeer[p.peer]; old != nil {
		r.dropLocked(old)
	}
	r.byPeer[p.peer], r.byID[p.id] = p, p
}

func (r *pings) dropLocked(p *ping) {
	delete(r.byID, p.id)
	if r.byPeer[p.peer] == p {
		delete(r.byPeer, p.peer)
	}
}

// end is the ping of that ID, which is over; nil if there is none.
func (r *pings) end(id uint32) *ping {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.byID[id]
	if p != nil {
		r.dropLocked(p)
	}
	return p
}

// endPing tells those that waited with a ping what became of it.
func (s *Server) endPing(id uint32, err error) {
	if p := s.pings.end(id); p != nil {
		for _, rider := range p.riders {
			rider.c.rawStatus(rider.theirs, err)
		}
	}
}
