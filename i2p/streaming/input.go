package streaming

import "time"

// receiveLocked takes a packet that has the stream's ID.
func (st *Stream) receiveLocked(p *Packet, in *Inbound) bool {
	now := st.stack.now()
	if st.state == dialling {
		return st.answeredLocked(p, in, now)
	}
	// The remote may not know its own ID any more when it resets.
	if p.ReceiveID != st.remoteID && (p.Flags&FlagReset == 0 || p.ReceiveID != 0) {
		return st.state == ended && st.lateAnswerLocked(p, in, now)
	}
	if p.Flags&(FlagClose|FlagReset) != 0 && st.verifyLocked(p) != nil {
		st.stack.counters.unsigned.Add(1)
		return true
	}
	st.stack.cfg.Link.Heard(st.remote, in.Via)
	if st.state == ended {
		st.lateLocked(p, now)
		return true
	}
	st.heardLocked(now)
	if p.Flags&FlagReset != 0 {
		st.stack.counters.resets.Add(1)
		st.endLocked(ErrReset, now)
		return true
	}
	st.inputLocked(p, now)
	return true
}

// heardLocked takes that the remote is alive and has our ID.
func (st *Stream) heardLocked(now time.Duration) {
	st.lastHeard, st.nudges, st.probes = now, 0, 0
	st.heard, st.proven = true, true
	st.setIdleLocked(now)
}

// inputLocked is what a packet of an open stream does.
func (st *Stream) inputLocked(p *Packet, now time.Duration) {
	if p.Flags&FlagDelay != 0 {
		st.delayLocked(p.Delay, now)
	}
	if p.Flags&FlagNoAck == 0 {
		st.ackedLocked(p, now)
	}
	if p.Seq != 0 || p.Flags&FlagSync != 0 {
		st.dataLocked(p, now)
	} else if p.Flags&FlagDelay != 0 && p.Delay == 0 {
		st.due.ack = now
	}
	st.checkEndLocked(now)
	st.outputLocked(now)
}

// delayLocked takes a requested delay: from 60000 on the remote is choked. The
// specification begins one later, but i2pd sends just that. A packet without
// one says nothing, but i2pd takes its word back with an ack only; see
// ackedLocked.
func (st *Stream) delayLocked(delay uint16, now time.Duration) {
	const choke, javaChoke = 60000, 61000
	if delay < choke {
		st.choked = false
		return
	}
	if delay == javaChoke {
		// Java I2P takes 128 at most, and drops much before that.
		st.congestion.limit = 64
		st.congestion.window = min(st.congestion.window, 64)
	}
	st.choked = true
	st.lastAck = now
	st.extendLocked(now)
}

// dataLocked takes the sequence number and the payload of a packet.
func (st *Stream) dataLocked(p *Packet, now time.Duration) {
	switch st.receiver.take(p, st.stack.cfg.ReceiveBuffer, &st.stack.segments) {
	case taken:
		st.lastData = now
		st.canRead.Broadcast()
		if st.receiver.closed {
			st.extendLocked(now)
		}
		st.ackSoonLocked(now, len(st.receiver.early) > 0 || st.receiver.closed)
		if p.Flags&FlagDelay != 0 && p.Delay == 0 {
			st.due.ack = now
		}
	case tookEarly:
		st.lastData = now
		st.ackSoonLocked(now, true)
	case duplicate:
		st.stack.counters.duplicates.Add(1)
		st.ackSoonLocked(now, true)
	case noRoom:
		st.stack.counters.choked.Add(1)
		st.ackSoonLocked(now, true)
	}
}

// lateLocked answers what comes after the end: the remote did not hear of it.
func (st *Stream) lateLocked(p *Packet, now time.Duration) {
	const maxAnswers = 8
	if p.Flags&FlagReset != 0 || st.answers >= maxAnswers {
		return
	}
	switch {
	case st.err == nil && p.Seq != 0:
		st.answers++
		st.sendAckLocked(now)
	case st.err != nil && st.err != ErrReset && p.Flags&FlagClose == 0 && (p.Seq != 0 || p.Flags&FlagSync != 0):
		st.answers++
		st.sendResetLocked(p.AckThrough + 1)
	}
}
