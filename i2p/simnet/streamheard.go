package simnet

import (
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/streaming"
)

// heardStreamLocked notes a packet that came for a stream, and says whether the
// stream still takes it.
func (d *destination) heardStreamLocked(p *streaming.Packet) bool {
	s := d.streams[p.SendID]
	if s == nil {
		return true
	}
	s.used = time.Now()
	if p.Flags&streaming.FlagNoAck == 0 && int64(p.AckThrough) > s.acked {
		s.ackedLocked(int64(p.AckThrough))
	}
	if p.Seq > 0 || p.Flags&streaming.FlagSync != 0 {
		s.arrivedLocked(int64(p.Seq))
	}
	return !s.ended
}

// ackedLocked has new streams begin on the lease that works (i2pd Streaming.cpp,
// ProcessAck).
func (s *streamPath) ackedLocked(seq int64) {
	s.acked, s.waiting, s.reselected = seq, time.Now(), 0
	if s.shares && s.session != nil && s.lease != nil {
		s.shares = false
		s.session.path = path{lease: s.lease, since: time.Now()}
	}
}

// arrivedLocked follows what comes in order (i2pd Streaming.cpp, HandleNextPacket).
func (s *streamPath) arrivedLocked(seq int64) {
	switch {
	case seq > s.received+1:
		s.ahead[seq] = true
	case seq == s.received+1:
		s.received++
		for s.ahead[s.received+1] {
			s.received++
			delete(s.ahead, s.received)
		}
	default:
		if s.rules().DuplicatesReselect && (seq <= s.repeated || seq == s.received) {
			s.reselectLocked(false)
		}
		s.repeated = seq
	}
}

// StuckStreams counts the Remote's streams with a Destination that have a session
// which its router would not use for another: streams that began together while
// there was none, each with one of its own, when more than one was answered. No
// session takes the place of such a one, so the stream ends with the router that
// knows it.
func (r *Remote) StuckStreams(to i2p.Hash) int {
	r.net.mu.Lock()
	defer r.net.mu.Unlock()
	if r.dest == nil {
		return 0
	}
	n := 0
	for _, s := range r.dest.streams {
		session := s.session
		if s.to == to && session != nil && !session.terminated && session.state != ratchetNewSent &&
			r.dest.sessions[session.remote] != session {
			n++
		}
	}
	return n
}
