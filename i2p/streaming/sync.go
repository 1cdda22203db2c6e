package streaming

import (
	"time"

	"github.com/onelease/onelease/i2p"
)

// receiveSync takes a SYN that begins a stream.
func (s *Stack) receiveSync(p *Packet, in *Inbound) bool {
	if p.ReceiveID == 0 || p.Seq != 0 || p.Flags&FlagReset != 0 {
		return false
	}
	if p.NACKCount() == replayNACKs && i2p.Hash(p.NACKs) != s.self.Hash {
		s.counters.unsigned.Add(1) // signed, but for somebody else
		return false
	}
	l := s.listenerOf(in.ToPort)
	if l == nil && !s.resets.take(s.now(), resetRate) {
		s.counters.refused.Add(1)
		return false
	}
	remote, err := p.parseRemote()
	if err != nil {
		s.counters.unsigned.Add(1)
		return false
	}
	if st := s.findSync(remote, p.ReceiveID); st != nil {
		s.cfg.Link.Heard(remote, in.Via)
		st.again()
		return true
	}
	if l == nil {
		s.refuse(remote, p, in)
		return false
	}
	s.begin(l, remote, p, in)
	return true
}

// begin makes the stream that a SYN begins, or refuses it. While nothing can be
// signed it does neither: the remote sends its SYN again.
func (s *Stack) begin(l *listener, remote *Remote, p *Packet, in *Inbound) {
	origin, err := s.cfg.Current()
	if err != nil {
		s.cfg.Logger.Debug("a stream is not answered", "remote", remote.Hash, "error", err)
		return
	}
	st := s.newStream(origin, remote, in.ToPort, in.FromPort)
	st.state = open
	st.remoteID = p.ReceiveID
	st.syn = synKey{remote.Hash, p.ReceiveID}
	st.transient = p.transientSender(remote)
	// Without the hash the SYN may be one that the remote sent to somebody else,
	// who replays it. Then the remote gets a SYN reply and no more from us.
	st.proven = p.NACKCount() == replayNACKs
	st.mu.Lock()
	defer st.mu.Unlock()
	switch admitted, isNew := s.admit(st); {
	case admitted && isNew && l.offer(st):
	case !isNew: // the same SYN came by two ways at once
		return
	default:
		s.forget(st)
		s.refuse(remote, p, in)
		return
	}
	s.counters.accepted.Add(1)
	s.cfg.Link.Heard(remote, in.Via)
	st.beginLocked(p)
	for early := range s.early.take(p.ReceiveID, s.now()) {
		st.dataLocked(early, s.now())
	}
	st.outputLocked(s.now())
}

// beginLocked takes the SYN and queues the reply. It goes at once, or with the
// first data of the application, if the remote has asked for something already.
func (st *Stream) beginLocked(p *Packet) {
	const replyDelay = 10 * time.Millisecond
	now := st.stack.now()
	st.setIdleLocked(now)
	st.payloadLocked(p)
	st.receiver.take(p, st.stack.cfg.ReceiveBuffer, &st.stack.segments)
	reply := st.stack.segments.get(0)
	reply.flags = FlagSync
	st.pushLocked(reply)
	if len(p.Payload) > 0 && st.proven {
		st.congestion.nextSend = now + replyDelay
	}
}

// payloadLocked takes what the remote says it can take.
func (st *Stream) payloadLocked(p *Packet) {
	if p.Flags&FlagMaxSize != 0 {
		st.payload = min(max(int(p.MaxSize), minPayload), st.stack.cfg.MaxPayload)
	}
}

// again answers a SYN that came again: the reply got lost.
func (st *Stream) again() {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.state != open || st.heard {
		return
	}
	now := st.stack.now()
	st.lastHeard = now
	if st.sent > 0 && now-st.queue.at(0).sentAt >= 100*time.Millisecond {
		st.transmitLocked(st.queue.at(0), now)
	}
	st.rearmLocked(now)
}

// answeredLocked takes what answers our SYN. The first packet must be the SYN
// reply, signed, which has the remote's ID; what is before it waits.
func (st *Stream) answeredLocked(p *Packet, in *Inbound, now time.Duration) bool {
	if p.Flags&(FlagSync|FlagReset) == 0 {
		st.stack.early.keep(st.id, in, now)
		return true
	}
	if p.Flags&FlagFrom != 0 && string(p.From) != string(st.remote.Destination.Bytes()) || p.Verify(st.remote, time.Now()) != nil {
		st.stack.counters.unsigned.Add(1)
		return true
	}
	st.stack.cfg.Link.Heard(st.remote, in.Via)
	if p.Flags&FlagReset != 0 {
		st.stack.counters.resets.Add(1)
		st.endLocked(ErrRefused, now)
		return true
	}
	if p.ReceiveID == 0 || p.Flags&FlagFrom == 0 {
		return true
	}
	st.openLocked(p, now)
	return true
}

// openLocked ends the dialling.
func (st *Stream) openLocked(p *Packet, now time.Duration) {
	st.state = open
	st.remoteID = p.ReceiveID
	st.transient = p.transientSender(st.remote)
	st.payloadLocked(p)
	st.heardLocked(now)
	close(st.dialled)
	st.inputLocked(p, now)
	for early := range st.stack.early.take(st.id, now) {
		if st.state == open && early.ReceiveID == st.remoteID {
			st.inputLocked(early, now)
		}
	}
}

// lateAnswerLocked takes the SYN reply to a Dial that has been given up: the
// remote is told.
func (st *Stream) lateAnswerLocked(p *Packet, in *Inbound, now time.Duration) bool {
	if st.remoteID != 0 || p.Flags&FlagSync == 0 || p.ReceiveID == 0 || p.Verify(st.remote, time.Now()) != nil {
		return false
	}
	st.stack.cfg.Link.Heard(st.remote, in.Via)
	st.remoteID = p.ReceiveID
	st.sendResetLocked(1)
	return true
}

// refuse resets a stream that a signed SYN asks for. i2pd takes a reset only if
// it has the number that comes next, and i2pd 2.45.1 takes number 0 without
// FlagSync for an ack (libi2pd/Streaming.cpp, HandleNextPacket).
func (s *Stack) refuse(remote *Remote, p *Packet, in *Inbound) {
	s.counters.refused.Add(1)
	s.cfg.Link.Heard(remote, in.Via)
	origin, err := s.cfg.Current()
	if err != nil {
		s.cfg.Logger.Debug("a stream is refused in silence", "remote", remote.Hash, "error", err)
		return
	}
	s.sendPacket(origin, remote, in.ToPort, in.FromPort, &Packet{
		SendID: p.ReceiveID,
		Flags:  FlagReset | FlagSync | FlagFrom,
	})
}
