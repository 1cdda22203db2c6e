package streaming

import "time"

const (
	// maxSyncs is how often a SYN reply is sent to a remote that may know nothing
	// of it; see Stream.proven.
	maxSyncs = 3
	// maxProbes is how often an idle remote is asked for a sign of life, at
	// least probeInterval apart.
	maxProbes     = 4
	probeInterval = 15 * time.Second
	// closeWait is for how long a remote may go on sending to a stream that the
	// application has closed.
	closeWait = 30 * time.Second
)

// closedGiveUp is how long a remote that has closed may take nothing. i2pd knows
// no half-closed streams: when its client is gone it closes and acks nothing
// any more.
const closedGiveUp = 15 * time.Second

// rearmLocked sets the timer to what is due next. It may end earlier than that,
// which spares setting it for each packet.
func (st *Stream) rearmLocked(now time.Duration) {
	next := st.due.next()
	if next == 0 || st.armed != 0 && st.armed <= next {
		return
	}
	wait := max(next-now, 0)
	st.armed = next
	if st.timer == nil {
		st.timer = time.AfterFunc(wait, st.onTimer)
	} else {
		st.timer.Reset(wait)
	}
}

// onTimer does what is due.
func (st *Stream) onTimer() {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.armed = 0
	now := st.stack.now()
	if st.state == ended {
		return
	}
	switch d := &st.due; {
	case reached(d.giveUp, now):
		st.timeoutLocked()
		return
	case reached(d.closing, now):
		st.resetLocked(ErrTimeout)
		return
	case reached(d.idle, now):
		st.probeLocked(now)
	}
	if reached(st.due.late, now) {
		st.findLostLocked(now)
	}
	if reached(st.due.retry, now) {
		st.retransmitLocked(now)
	}
	st.outputLocked(now)
}

// retryLocked sets when something is sent again if nothing is acked until then.
func (st *Stream) retryLocked(now time.Duration) {
	st.due.retry = 0
	if st.inFlight > 0 || st.choked && st.queue.len() > 0 {
		st.due.retry = now + st.congestion.timeout()
	}
}

// extendLocked gives the remote time to ack again.
func (st *Stream) extendLocked(now time.Duration) {
	st.due.giveUp = 0
	if st.state == dialling {
		return // Dial knows when to give up
	}
	if st.inFlight > 0 || st.lost > 0 || st.queue.len() > 0 {
		st.due.giveUp = now + st.stack.cfg.GiveUp
		if st.receiver.closed {
			st.due.giveUp = now + min(st.stack.cfg.GiveUp, closedGiveUp)
		}
	}
}

// setIdleLocked puts the next question for a sign of life off.
func (st *Stream) setIdleLocked(now time.Duration) {
	if st.stack.cfg.IdleTimeout > 0 {
		st.due.idle = now + st.stack.cfg.IdleTimeout
	}
}

// retransmitLocked is what happens when no ack came in time. The first time,
// the oldest packets are sent again and may bring an ack that says what
// else is lost; from the second time on everything counts as lost, and the path
// as new.
func (st *Stream) retransmitLocked(now time.Duration) {
	c := &st.congestion
	c.backoff++
	if st.state == open && !st.proven && c.backoff >= maxSyncs {
		st.endLocked(ErrTimeout, now)
		return
	}
	if c.backoff > 1 {
		st.loseAllLocked()
		c.restart(now)
	}
	st.resendOldestLocked(now)
	st.retryLocked(now)
}

// resendOldestLocked sends the oldest that was not acked again, at most two
// packets, and something new if there is nothing but that.
func (st *Stream) resendOldestLocked(now time.Duration) {
	const most = 2
	count := 0
	for i := 0; i < st.sent && count < most; i++ {
		if g := st.queue.at(i); !g.acked {
			st.transmitLocked(g, now)
			count++
		}
	}
	if count == 0 && st.sent < st.queue.len() {
		st.transmitLocked(st.queue.at(st.sent), now) // asks a choked remote
	}
}

// probeLocked asks for a sign of life, or gives up.
func (st *Stream) probeLocked(now time.Duration) {
	if st.probes++; st.probes > maxProbes {
		st.timeoutLocked()
		return
	}
	st.due.idle = now + probeInterval
	st.sendDuplicateLocked()
}

// timeoutLocked ends the stream since the remote is silent, or gone.
func (st *Stream) timeoutLocked() {
	st.stack.counters.timeouts.Add(1)
	if st.receiver.closed {
		st.resetLocked(ErrReset)
		return
	}
	st.resetLocked(ErrTimeout)
}
