package streaming

import "time"

// ackedLocked takes the acks of a packet: everything through AckThrough has
// arrived but what the NACKs name.
func (st *Stream) ackedLocked(p *Packet, now time.Duration) {
	if p.Flags&FlagSync == 0 { // a SYN's NACKs are not numbers
		st.markMissingLocked(p, now)
	}
	if st.sent == 0 || p.AckThrough-st.una >= uint32(st.sent) {
		return // all of it is known, or it is of packets that were never sent
	}
	arrived, gap := 0, false
	var oldest, newest *segment // of what arrived
	for i := range int(p.AckThrough-st.una) + 1 {
		g := st.queue.at(i)
		switch {
		case g.acked:
		case g.missing:
			gap, g.missing = true, false
		default:
			arrived++
			st.arrivedLocked(g, now)
			if newest == nil || g.sentAt >= newest.sentAt {
				newest = g
			}
			if oldest == nil || g.sentAt < oldest.sentAt {
				oldest = g
			}
		}
	}
	if arrived > 0 {
		st.progressLocked(oldest, newest, arrived, now)
	}
	if gap {
		st.findLostLocked(now)
	}
	st.popAckedLocked()
	if arrived > 0 {
		st.choked = st.choked && p.Flags&FlagDelay != 0
		st.lastAck = now
		st.extendLocked(now)
		st.retryLocked(now)
	}
}

// markMissingLocked marks what the NACKs of a packet name. What should have
// arrived long ago is lost: a remote whose way to us broke says so with the
// first packet that comes by another, and names also what it only expects.
func (st *Stream) markMissingLocked(p *Packet, now time.Duration) {
	inAck := p.AckThrough-st.una < uint32(st.sent)
	for i := range p.NACKCount() {
		at := p.NACK(i) - st.una
		if at > p.AckThrough-st.una || at >= uint32(st.sent) {
			continue
		}
		g := st.queue.at(int(at))
		g.missing = inAck
		if c := &st.congestion; !g.acked && !g.lost && now-g.sentAt > 2*c.srtt+c.lateness() {
			st.loseLocked(g)
		}
	}
}

// arrivedLocked takes that g arrived.
func (st *Stream) arrivedLocked(g *segment, now time.Duration) {
	g.acked = true
	st.buffered -= g.size()
	if g.lost {
		g.lost = false
		st.lost--
		st.congestion.spurious()
	} else {
		st.inFlight--
		if g.sends > 1 && now-g.sentAt < st.congestion.shortest()/2 {
			st.congestion.spurious() // the ack is for the time before
		}
	}
}

// progressLocked takes that n packets arrived: those that were sent first and
// last, and others.
func (st *Stream) progressLocked(oldest, newest *segment, n int, now time.Duration) {
	rtt := now - newest.sentAt
	// Whether what was sent more than once arrived late or early is not known.
	if oldest.sends == 1 && newest.sends == 1 {
		st.congestion.sample(now, now-oldest.sentAt, rtt)
		st.congestion.rough = st.congestion.rough || oldest.flags&FlagSync != 0
	}
	if newest.sends == 1 || rtt >= st.congestion.shortest()/2 {
		if newest.sentAt >= st.newestSent {
			st.newestSent, st.newestSeq, st.newestRTT = newest.sentAt, newest.seq, rtt
		}
	}
	st.congestion.acked(now, newest.sentAt, n)
}

// popAckedLocked forgets what was acked at the head of the queue. The last data
// is kept, to be sent again when a sign of life is wanted.
func (st *Stream) popAckedLocked() {
	popped := false
	for st.sent > 0 && st.queue.at(0).acked {
		g := st.queue.pop()
		st.sent--
		st.una++
		popped = true
		st.closeAcked = g.flags&FlagClose != 0 // it is the last
		if g.flags == 0 {
			g, st.last = st.last, g
		}
		st.stack.segments.put(g)
	}
	if popped {
		st.canWrite.Broadcast()
	}
}

// findLostLocked finds what is lost: not acked, and something that was sent
// after it has been acked a while ago, as in RACK (RFC 8985). The while is for
// packets that overtake each other, since they go through several tunnels.
func (st *Stream) findLostLocked(now time.Duration) {
	wait := st.newestRTT + st.congestion.lateness()
	st.due.late = 0
	found := 0
	for i := range st.sent {
		g := st.queue.at(i)
		if g.acked || g.lost || g.sentAt > st.newestSent || g.sentAt == st.newestSent && g.seq > st.newestSeq {
			continue
		}
		if at := g.sentAt + wait; at > now {
			if st.due.late == 0 || at < st.due.late {
				st.due.late = at
			}
			continue
		}
		st.loseLocked(g)
		found++
	}
	if found > 0 {
		st.congestion.lost(found)
	}
}

// loseLocked takes g for lost; it will be sent again.
func (st *Stream) loseLocked(g *segment) {
	g.lost = true
	st.inFlight--
	st.lost++
}

// loseAllLocked takes everything in flight for lost.
func (st *Stream) loseAllLocked() {
	for i := range st.sent {
		if g := st.queue.at(i); !g.acked && !g.lost {
			st.loseLocked(g)
		}
	}
	st.due.late = 0
}
