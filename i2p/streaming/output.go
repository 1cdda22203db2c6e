package streaming

import "time"

// corkTime is how long a packet that is not full waits for more while others
// are in flight.
const corkTime = 2 * time.Millisecond

// outputLocked sends what may be sent now: what was lost first, then what is
// new. Then it sets the timer.
func (st *Stream) outputLocked(now time.Duration) {
	if st.state == ended {
		return
	}
	st.due.send = 0
	for !st.choked && st.una+uint32(st.sent) <= lastSequence+maxSpan {
		g := st.nextLocked(now)
		if g == nil {
			break
		}
		if st.inFlight >= st.windowLocked() {
			st.congestion.wasFull = true
			break
		}
		if wait := st.congestion.wait(now); wait > 0 {
			st.due.send = now + wait
			break
		}
		st.transmitLocked(g, now)
	}
	if st.choked && st.due.retry == 0 && st.queue.len() > 0 {
		st.retryLocked(now) // asks whether it still is
	}
	if reached(st.due.ack, now) {
		st.sendAckLocked(now)
	}
	st.rearmLocked(now)
}

// windowLocked is how many packets may be in flight.
func (st *Stream) windowLocked() int {
	if st.state == dialling || !st.proven {
		return 1 // the SYN, or the SYN reply
	}
	return int(st.congestion.window)
}

// nextLocked is what is sent next, or nil.
func (st *Stream) nextLocked(now time.Duration) *segment {
	if st.lost > 0 {
		return st.firstLostLocked()
	}
	if st.sent == st.queue.len() || st.inFlight >= maxWindow || st.sent >= maxSpan {
		return nil
	}
	if st.sent > 0 && (st.state == dialling || !st.proven) {
		return nil
	}
	g := st.queue.at(st.sent)
	if g.flags&FlagClose != 0 && !st.mayCloseLocked(now) {
		return nil
	}
	if g.flags == 0 && st.sent == st.queue.len()-1 && st.inFlight > 0 && g.room(st.payload) > 0 {
		if ready := g.queuedAt + corkTime; ready > now {
			st.due.send = ready
			return nil
		}
	}
	return g
}

// closeDelay is how long a CLOSE waits after the last ack. On a CLOSE i2pd's SAM
// bridge hands its client at most one more buffer of what it has and drops the
// rest; a router's own streams lose it too (libi2pd_client/SAM.cpp,
// HandleI2PReceive). An ack says that the router has it, not the client.
const closeDelay = 250 * time.Millisecond

// mayCloseLocked reports whether the CLOSE may go: when all data is acked, as i2pd
// has it, and closeDelay later, unless the remote has closed and reads nothing.
func (st *Stream) mayCloseLocked(now time.Duration) bool {
	if st.sent > 0 {
		return false // their acks call again
	}
	if ready := st.lastAck + closeDelay; st.lastAck != 0 && ready > now && !st.receiver.closed {
		st.due.send = ready
		return false
	}
	return true
}

func (st *Stream) firstLostLocked() *segment {
	for i := range st.sent {
		if g := st.queue.at(i); g.lost {
			return g
		}
	}
	return nil
}

// transmitLocked sends g, for the first time or again.
func (st *Stream) transmitLocked(g *segment, now time.Duration) {
	switch {
	case g.sends == 0:
		st.sent++
		st.inFlight++
	case g.lost:
		g.lost = false
		st.lost--
		st.inFlight++
	}
	if g.sends > 0 {
		st.stack.counters.retransmits.Add(1)
	}
	g.sends++
	g.sentAt = now
	st.congestion.sent(now)
	st.sendSegmentLocked(g)
	if st.due.retry == 0 {
		st.retryLocked(now)
	}
	if st.due.giveUp == 0 {
		st.extendLocked(now)
	}
}

// sendSegmentLocked writes the header and hands the packet to the Link. It is an
// ack of all that was received in order.
func (st *Stream) sendSegmentLocked(g *segment) {
	p := Packet{
		SendID: st.remoteID, ReceiveID: st.id, Seq: g.seq,
		AckThrough:  st.receiver.next - 1,
		ResendDelay: uint8(min(st.congestion.rto/time.Second, 255)),
		Flags:       g.flags,
		Payload:     g.payload(),
	}
	switch {
	case g.flags&FlagSync != 0:
		st.syncLocked(&p, g)
		st.sendPacketLocked(&p)
	case g.flags&FlagClose != 0:
		st.sendPacketLocked(&p)
	default:
		p.Payload = nil
		p.AppendTo(g.packet()[:0])
		st.stack.send(st.remote, st.localPort, st.remotePort, g.packet())
	}
	if len(st.receiver.early) == 0 && !st.receiver.choking {
		st.due.ack, st.unacked = 0, 0
	}
}

// syncLocked adds to a SYN what only a SYN has. A SYN reply that is sent again
// asks for an ack: i2pd 2.58 does not ack one that it has (libi2pd/Streaming.cpp,
// HandleNextPacket).
func (st *Stream) syncLocked(p *Packet, g *segment) {
	p.Flags |= FlagFrom | FlagMaxSize
	p.MaxSize = uint16(st.stack.cfg.MaxPayload)
	if st.remoteID == 0 {
		p.Flags |= FlagNoAck
		p.AckThrough = 0
		p.NACKs = st.remote.Hash[:]
	} else if g.sends > 1 {
		p.Flags |= FlagDelay // 0
	}
}

// sendAckLocked sends an ack with the NACKs of all that is missing.
func (st *Stream) sendAckLocked(now time.Duration) {
	st.due.ack = 0
	st.unacked, st.ackedAt = 0, now
	if st.remoteID == 0 || st.receiver.next == 0 {
		return
	}
	var scratch [4 * MaxNACKs]byte
	p := Packet{SendID: st.remoteID, ReceiveID: st.id}
	p.AckThrough, p.NACKs = st.receiver.through(scratch[:0], MaxNACKs)
	if st.receiver.unread > st.stack.cfg.ReceiveBuffer*3/4 {
		p.Flags, p.Delay = FlagDelay, ChokeDelay
		st.receiver.choking = true
	}
	st.sendPacketLocked(&p)
}

// unchokeLocked tells a remote that was told to wait that it may go on.
func (st *Stream) unchokeLocked() {
	r := &st.receiver
	if !r.choking || r.unread > st.stack.cfg.ReceiveBuffer/2 || st.state != open {
		return
	}
	r.choking = false
	p := Packet{SendID: st.remoteID, ReceiveID: st.id, Flags: FlagDelay, Delay: 1}
	var scratch [4 * MaxNACKs]byte
	p.AckThrough, p.NACKs = r.through(scratch[:0], MaxNACKs)
	st.sendPacketLocked(&p)
}

// ackSoonLocked has an ack sent: at once if it is urgent or there is much to
// ack, but not all the time; otherwise when a tenth of a round trip has passed,
// as i2pd does.
func (st *Stream) ackSoonLocked(now time.Duration, urgent bool) {
	const most = 16
	delay := min(max(st.congestion.srtt/10, 2*time.Millisecond), 10*time.Millisecond)
	st.unacked++
	at := now + delay
	if urgent || st.unacked >= most {
		at = max(now, st.ackedAt+min(delay, 5*time.Millisecond))
	}
	if st.due.ack == 0 || at < st.due.ack {
		st.due.ack = at
	}
}
