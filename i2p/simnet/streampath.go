package simnet

import (
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/streaming"
)

// streamIdle is how long the path of a stream that nobody uses is remembered.
const streamIdle = 30 * minute

// A streamPath is what a router of i2pd keeps for one stream: a session and a
// lease of its own (i2pd Streaming.h, Stream; the fields are named beside).
type streamPath struct {
	owner   *destination
	to      i2p.Hash
	dialled bool          // not m_IsIncoming
	leases  *remoteLeases // m_RemoteLeaseSet
	session *ratchet      // m_RoutingSession
	lease   *remoteLease  // m_CurrentRemoteLease
	sent    bool          // m_CurrentOutboundTunnel is set
	shares  bool          // m_IsFirstACK: the next ack makes the lease the session's
	next    *remoteLease  // m_NextRemoteLease, while it takes over
	since   time.Time     // m_RemoteLeaseChangeTime
	ended   bool          // for want of a LeaseSet
	used    time.Time

	// Of what was sent: the highest number, the highest that was acked, -1 for
	// none, since when the next ack is awaited, and how many leases were given up
	// meanwhile.
	highest, acked int64
	waiting        time.Time
	reselected     int

	// Of what came: the last in order, the last that came twice, -1 for none, and
	// what is ahead of a gap.
	received, repeated int64
	ahead              map[int64]bool
}

// A streamPacket is one packet that a stream sends.
type streamPacket struct {
	seq     int64 // -1 for a mere ack
	dials   bool  // the first SYN
	payload []byte
}

func newStreamPacket(p *streaming.Packet, payload []byte) streamPacket {
	syn := p.Flags&streaming.FlagSync != 0
	s := streamPacket{seq: int64(p.Seq), dials: syn && p.SendID == 0, payload: payload}
	if p.Seq == 0 && !syn {
		s.seq = -1
	}
	return s
}

// streamLocked is the path of the stream with that ID of the client's.
func (d *destination) streamLocked(to i2p.Hash, id uint32, p streamPacket) *streamPath {
	s := d.streams[id]
	if s == nil {
		s = &streamPath{
			owner: d, to: to, dialled: p.dials, shares: true,
			highest: -1, acked: -1, received: -1, repeated: -1, ahead: map[int64]bool{},
		}
		if !p.dials {
			s.received = 0 // the other side's SYN
		}
		d.streams[id] = s
	}
	s.used = time.Now()
	return s
}

// sendStreamLocked sends a packet of the stream with that ID. The SYN of a
// stream that the client begins waits for the LeaseSet, as SAM's STREAM CONNECT
// does (i2pd SAM.cpp, ProcessStreamConnect).
func (d *destination) sendStreamLocked(to i2p.Hash, id uint32, p streamPacket) {
	d.net.countLocked(d.router, func(s *Stats) { s.Sent++ })
	s := d.streamLocked(to, id, p)
	if s.leases == nil {
		s.leases = d.findLeaseSetLocked(to)
	}
	if s.leases != nil || !p.dials {
		s.sendLocked(p)
		return
	}
	d.lookupLocked(to, func([]byte) {
		s.leases = d.remotes[to]
		s.sendLocked(p)
	})
}

// sendLocked sends one packet (i2pd Streaming.cpp, SendPackets).
func (s *streamPath) sendLocked(p streamPacket) {
	d := s.owner
	s.noteSentLocked(p)
	if s.leases == nil {
		s.reselectLocked(false)
	}
	if s.leases == nil || s.ended {
		d.net.lostLocked(d.router, LostNoLeaseSet)
		return
	}
	if s.session == nil || s.session.terminated || s.session.state == ratchetNewSent {
		s.session = d.ratchetToLocked(s.leases.static)
	}
	if !s.sent {
		if lease := s.session.currentPath(); lease != nil {
			s.lease = lease
		}
	}
	lease := s.leaseLocked()
	if lease == nil || time.Now().After(lease.end.Add(d.profile().Leases.Grace)) {
		s.session.path = path{}
		d.net.lostLocked(d.router, LostNoLease)
		return
	}
	s.sent = true
	d.dispatchLocked(s.session.wrapLocked(p.payload), lease)
}

// noteSentLocked has a resend that has waited long enough choose another lease,
// and an ack choose the path anew if the own LeaseSet is not acknowledged (i2pd
// Streaming.cpp, HandleResendTimer or ResendPacket, and HandleAckSendTimer).
func (s *streamPath) noteSentLocked(p streamPacket) {
	switch {
	case p.seq < 0:
		if r := s.session; r != nil && r.leaseSetState == leaseSetSubmitted &&
			time.Since(r.leaseSetSent) > s.rules().Unconfirmed {
			s.sent, s.lease = false, nil
		}
	case p.seq > s.highest:
		if s.highest == s.acked {
			s.waiting, s.reselected = time.Now(), 0
		}
		s.highest = p.seq
	default:
		s.resentLocked()
	}
}

func (s *streamPath) resentLocked() {
	times := s.rules().Reselect
	if s.acked < 0 {
		times = s.rules().ReselectSYN
	}
	if s.reselected >= len(times) || time.Since(s.waiting) < times[s.reselected] {
		return
	}
	s.reselected++
	if s.session != nil {
		s.session.path = path{}
	}
	s.reselectLocked(false)
}

func (s *streamPath) rules() *StreamRules { return &s.owner.profile().Streams }

func (d *destination) cleanUpStreamsLocked() {
	for id, s := range d.streams {
		if time.Since(s.used) > streamIdle {
			delete(d.streams, id)
		}
	}
}
