package streaming

import (
	"encoding/binary"
	"time"

	"github.com/onelease/onelease/i2p"
)

// Nudge sends, on each stream with that remote that was not heard after since,
// the packet that best makes a remote answer whose way to us was lost: the
// oldest unacked data; for a stream on which the remote sends, an ack that NACKs
// the next two numbers; for an idle one a duplicate of what was acked last. The
// retransmission timers begin anew, without what they had backed off. It returns
// how many such streams there are; those whose Dial waits for its first answer
// are nudged too, but do not count.
func (s *Stack) Nudge(remote i2p.Hash, since time.Time) int {
	at := since.Sub(s.epoch) + 1 // as in now
	silent := 0
	for _, st := range s.with(remote) {
		if st.nudge(at) {
			silent++
		}
	}
	return silent
}

// WaitAnew begins anew the time that streams with that remote wait for an ack
// (Config.GiveUp): the way to it was lost, and it may need that long to come back.
// Not for those whose remote has closed its side: it may be gone (closedGiveUp).
func (s *Stack) WaitAnew(remote i2p.Hash) {
	for _, st := range s.with(remote) {
		st.mu.Lock()
		if st.due.giveUp != 0 && !st.receiver.closed {
			st.due.giveUp = st.stack.now() + s.cfg.GiveUp
		}
		st.mu.Unlock()
	}
}

// nudge reports whether the stream is open and silent.
func (st *Stream) nudge(since time.Duration) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.state == ended || st.lastHeard > since {
		return false
	}
	now := st.stack.now()
	st.nudgeLocked(now)
	st.nudges++
	st.rearmLocked(now)
	return st.state == open
}

func (st *Stream) nudgeLocked(now time.Duration) {
	c := &st.congestion
	c.backoff = 0
	if st.inFlight+st.lost > 0 {
		if now-max(st.lastAck, st.queue.at(0).sentAt) > c.rto || st.nudges > 0 {
			st.loseAllLocked()
			c.restart(now)
		}
		st.resendOldestLocked(now)
		st.retryLocked(now)
		return
	}
	if st.remoteID == 0 {
		return
	}
	// Was the remote sending when it was last heard?
	const lately = 10 * time.Second
	sending := st.lastData != 0 && st.lastHeard-st.lastData < lately && !st.receiver.closed
	if sending {
		st.sendNextMissingLocked()
	}
	if !sending || st.nudges%2 == 1 {
		st.sendDuplicateLocked()
	}
}

// sendNextMissingLocked sends an ack that NACKs the next two numbers, which the
// remote has sent, if it sends at all: a request to send them again.
func (st *Stream) sendNextMissingLocked() {
	if len(st.receiver.early) > 0 {
		st.sendAckLocked(st.stack.now())
		return
	}
	next := st.receiver.next
	var nacks [8]byte
	binary.BigEndian.PutUint32(nacks[:4], next)
	binary.BigEndian.PutUint32(nacks[4:], next+1)
	st.sendPacketLocked(&Packet{
		SendID: st.remoteID, ReceiveID: st.id, AckThrough: next + 1, NACKs: nacks[:],
	})
}

// sendDuplicateLocked sends what the remote has acked already, which makes it
// ack it again: the last data, or the SYN reply if there was none.
func (st *Stream) sendDuplicateLocked() {
	st.stack.counters.retransmits.Add(1)
	if st.last != nil {
		st.sendSegmentLocked(st.last)
		return
	}
	syn := segment{buf: make([]byte, headerSize), off: headerSize, end: headerSize, flags: FlagSync, sends: 2}
	st.sendSegmentLocked(&syn)
}
