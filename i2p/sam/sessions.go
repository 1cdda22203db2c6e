package sam

import (
	"slices"
	"strings"
	"sync/atomic"
)

// add makes ss live and tells its client so. The Destination is asked for under
// the lock, so that a session cannot slip in behind CloseSessions.
func (s *Server) add(ss *session, destination string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	hosted, up := s.cfg.Host.Destination()
	if !up {
		return errHostDown
	}
	answer, err := attach(destination, hosted)
	if err != nil {
		return err
	}
	if s.sessions[ss.id] != nil {
		return Refusef(ResultDuplicatedID, "ID is taken; choose another")
	}
	if err := s.makeRoomLocked(ss); err != nil {
		return err
	}
	s.sessions[ss.id] = ss
	err = ss.conn.w.Append(func(b []byte) []byte {
		// Under the writer's lock: no packet overtakes the SESSION STATUS,
		// and none that comes after it misses the session.
		s.publishLocked()
		b = AppendOption(AppendCommand(b, KindSessionStatus), "RESULT", string(ResultOK))
		b = AppendOption(b, "DESTINATION", answer)
		if ss.sendDrain && s.cfg.Refuge {
			b = AppendOption(b, "REFUGE", "true")
		}
		b = s.appendNamed(b, ss)
		b = append(b, '\n')
		if ss.sendDrain && s.draining {
			ss.toldDraining = true
			b = appendDrain(b, true)
		}
		if published := s.published.Load(); ss.sendLeaseSets && published != 0 {
			b = appendPublished(b, published)
		}
		return b
	})
	if err != nil {
		delete(s.sessions, ss.id)
		s.publishLocked()
	}
	return err
}

func (s *Server) remove(ss *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sessions[ss.id] == ss {
		delete(s.sessions, ss.id)
		s.publishLocked()
	}
}

func (s *Server) publishLocked() {
	live := new(roster)
	for _, ss := range s.sessions {
		if ss.backend == nil {
			live.plain = append(live.plain, ss)
		} else {
			live.named = append(live.named, ss)
		}
	}
	s.live.Store(live)
}

// find returns the session of an ID that is still in a read buffer.
func (s *Server) find(id []byte) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions[string(id)]
}

// CloseSessions tells the client of every session why it ends, and ends it: a
// backend then moves to another frontend at once. A frontend calls it when its
// router is lost, after its Host says so. It does not wait.
func (s *Server) CloseSessions(reason string) {
	for _, ss := range s.live.Load().all() {
		ss.conn.end(reason)
	}
}

// Deliver hands a packet from the router to every session without a backend's name
// that listens to its protocol and port, and to the one named backend that it is
// for. It returns to how many. It never blocks: a session whose backend is slow
// loses the packet. Peer and ID are ignored.
func (s *Server) Deliver(p Packet) int {
	if len(p.Data) == 0 || len(p.Data) > MaxPayload {
		s.stats.unmatched.Add(1)
		return 0
	}
	live := s.live.Load()
	matched, n := false, 0
	for _, ss := range live.plain {
		if ss.matches(&p) {
			matched = true
			if ss.deliver(p) {
				n++
			}
		}
	}
	if len(live.named) > 0 {
		return n + s.deliverNamed(live, p, matched)
	}
	if !matched {
		s.stats.unmatched.Add(1)
	}
	return n
}

// SessionInfo describes a session for a status page.
type SessionInfo struct {
	ID string
	// ListenProtocol and ListenPort are its filter; 0 is all.
	ListenProtocol uint8
	ListenPort     uint16
	// Packets to the backend, queued and dropped for a full queue; packets
	// from it, taken by the Host and refused.
	Delivered, Dropped, Sent, Refused uint64
	// Backend is set if it has a name.
	Backend *BackendInfo
}

// Sessions describes the sessions there are, ordered by ID.
func (s *Server) Sessions() []SessionInfo {
	live := s.live.Load().all()
	slices.SortFunc(live, func(a, b *session) int { return strings.Compare(a.id, b.id) })
	infos := make([]SessionInfo, len(live))
	for i, ss := range live {
		infos[i] = SessionInfo{
			ID: ss.id, ListenProtocol: ss.listenProtocol, ListenPort: ss.listenPort,
			Delivered: ss.delivered.Load(), Dropped: ss.dropped.Load(),
			Sent: ss.sent.Load(), Refused: ss.refused.Load(), Backend: ss.backend.info(),
		}
	}
	return infos
}

// Stats are what a Server counts besides its sessions.
type Stats struct {
	// Unmatched packets came from the router and no session listens to them.
	Unmatched uint64
	// BadDatagrams came over UDP and were dropped: malformed, or of no session.
	BadDatagrams uint64
	// Orphaned packets were of a stream whose backend is not attached. Unserved
	// ones would have begun something, and no backend with a name takes new work.
	Orphaned, Unserved uint64
}

type counters struct{ unmatched, badDatagrams, orphaned, unserved atomic.Uint64 }

// Stats returns the counters, from the Server's start.
func (s *Server) Stats() Stats {
	return Stats{
		Unmatched: s.stats.unmatched.Load(), BadDatagrams: s.stats.badDatagrams.Load(),
		Orphaned: s.stats.orphaned.Load(), Unserved: s.stats.unserved.Load(),
	}
}
