package streaming

import "time"

// checkEndLocked ends the stream when both sides have closed and know it.
func (st *Stream) checkEndLocked(now time.Duration) {
	if st.state != open {
		return
	}
	if st.receiver.closed {
		st.canRead.Broadcast()
		if st.closeAcked {
			st.endLocked(nil, now)
			return
		}
	}
	if st.appClosed && st.closeAcked && st.due.closing == 0 {
		st.due.closing = now + closeWait
		st.rearmLocked(now)
	}
}

// endLocked ends the stream. Nothing is sent any more, but for answers to what
// comes late.
func (st *Stream) endLocked(err error, now time.Duration) {
	if st.state == ended {
		return
	}
	if st.due.ack != 0 {
		st.sendAckLocked(now)
	}
	if st.state == dialling {
		close(st.dialled)
	}
	st.state, st.err = ended, err
	pool := &st.stack.segments
	for st.queue.len() > 0 {
		pool.put(st.queue.pop())
	}
	pool.put(st.last)
	st.last, st.sent, st.inFlight, st.lost, st.buffered = nil, 0, 0, 0, 0
	st.receiver.clearEarly(pool)
	st.canRead.Broadcast()
	st.canWrite.Broadcast()
	st.due = times{}
	if st.timer != nil {
		st.timer.Stop()
	}
	st.stack.linger(st, now)
}

// resetLocked ends the stream at once, and tells the remote.
func (st *Stream) resetLocked(err error) {
	if st.state == ended {
		return
	}
	// i2pd takes a reset only if it has the number that comes next. That is the
	// first that was not acked if all later ones are lost, or the next new one.
	oldest, next := st.una, st.una+uint32(st.sent)
	st.due.ack = 0
	st.endLocked(err, st.stack.now())
	st.sendResetLocked(next)
	if oldest != next {
		st.sendResetLocked(oldest)
	}
}

// sendResetLocked sends a reset with that number.
func (st *Stream) sendResetLocked(seq uint32) {
	if st.remoteID == 0 {
		return // the remote has not answered yet
	}
	p := Packet{SendID: st.remoteID, ReceiveID: st.id, Seq: seq, Flags: FlagReset}
	if st.receiver.next > 0 {
		p.AckThrough = st.receiver.next - 1
	} else {
		p.Flags |= FlagNoAck
	}
	st.sendPacketLocked(&p)
}
