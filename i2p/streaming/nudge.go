package streaming

import (
	"encoding/binary"
	"time"

	"github.com/onelease/onelease/i2p"
)

// Nudge sends, on each stream with that remote, the packet that best makes a
// remote answer whose way to us was lost, and returns how many it sent: the
// oldest unacked data; for a stream on which the remote sends, an ack that
// NACKs the next two numbers; for an idle one a duplicate of what was acked last.
// The retransmission timers begin anew, without what they had backed off.
func (s *Stack) Nudge(remote i2p.Hash) int {
	sent := 0
	for _, st := range s.with(remote) {
		sent += st.nudge()
	}
	return sent
}

func (st *Stream) nudge() int {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.state == ended {
		return 0
	}
	now := st.stack.now()
	sent := st.nudgeLocked(now)
	st.nudges++
	st.rearmLocked(now)
	return sent
}

func (st *Stream) nudgeLocked(now time.Duration) int {
	c := &st.congestion
	c.backoff = 0
	if st.inFlight+st.lost > 0 {
		if now-max(st.lastAck, st.queue.at(0).sentAt) > c.rto || st.nudges > 0 {
			st.loseAllLocked()
			c.restart(now)
		}
		sent := st.resendOldestLocked(now)
		st.retryLocked(now)
		return sent
	}
	if st.remoteID == 0 {
		return 0
	}
	// Was the remote sending when it was last heard?
	const lately = 10 * time.Second
	sent := 0
	if st.lastData != 0 && st.lastHeard-st.lastData < lately && !st.receiver.closed {
		st.sendNextMissingLocked()
		sent++
	}
	if sent == 0 || st.nudges%2 == 1 {
		st.sendDuplicateLocked()
		sent++
	}
	return sent
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
	st.stack.sendPacket(st.remote, st.localPort, st.remotePort, &Packet{
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
