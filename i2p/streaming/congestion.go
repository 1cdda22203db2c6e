package streaming

import "time"

const (
	// initialWindow is in packets. i2pd begins with 10, Java I2P with 6; the
	// packets are paced.
	initialWindow = 16
	// minWindow is the least, in packets.
	minWindow = 2
	// maxWindow is the most packets that may be without an ack. A receiver can
	// name 255 missing packets at most; from 256 on i2pd 2.45.1 acks one that it
	// has not got (libi2pd/Streaming.cpp, SendQuickAck).
	maxWindow = 255
	// maxSpan is how far the newest packet may be ahead of the oldest without an
	// ack: within what receivers keep out of order (we: ReceiveBuffer; i2pd 2.58:
	// 3 * 512 packets).
	maxSpan = 500

	initialRTO = 3 * time.Second
	// ackDelay is how much later than usual an ack may come: i2pd delays one by
	// up to 200 ms if its own idea of the round trip is bad. i2pd 2.58 takes
	// another path when something comes twice, so a timeout must not be hasty.
	ackDelay = 250 * time.Millisecond
	// maxRTO is low, since a path may be replaced at any time.
	maxRTO = 8 * time.Second

	// lossTolerated is the share of packets, in percent, that tunnels may lose
	// before the window shrinks: they drop at random too.
	lossTolerated = 8
)

// congestion decides how many packets may be in flight, and how fast they go.
//
// Tunnels lose packets at random, so loss alone is no sign of congestion. A
// round is about one round trip. At most once in it the window shrinks: if more
// was lost than lossTolerated, or anything while packets queued somewhere, or if
// that queue is long. At its end it grows, if it was full and there is no queue.
type congestion struct {
	window    float64 // packets
	limit     float64 // of window
	slowStart bool
	threshold float64 // where slow start ends, after a restart

	// rough says that srtt is of a SYN, which may have waited for a LeaseSet, or
	// of another path: the next sample replaces it.
	rough             bool
	srtt, rttvar, rto time.Duration
	backoff           int // timeouts since the last ack of something new

	// The shortest round trips of this period and the one before.
	minRTT, lastMinRTT time.Duration
	minRTTSince        time.Duration

	roundStart        time.Duration
	roundMin          time.Duration
	roundLost         int
	roundCut, wasFull bool
	windowBefore      float64 // the last cut
	slowStartBefore   bool
	reorder           int // quarters of srtt that packets may be late
	nextSend          time.Duration
}

// minRTTPeriod is for how long the shortest round trip counts, once or twice.
const minRTTPeriod = 15 * time.Second

func newCongestion() congestion {
	return congestion{window: initialWindow, limit: maxWindow, slowStart: true, threshold: maxWindow, rto: initialRTO, reorder: 1}
}

// sample takes the round trip times of the oldest and the newest packet that an
// ack is for. The oldest has waited for the ack; it counts for timeouts (RFC 6298,
// section 2) and for the pace. The newest shows what the path takes.
func (c *congestion) sample(now, oldest, newest time.Duration) {
	if c.rough {
		c.rough, c.srtt, c.minRTT, c.lastMinRTT, c.roundMin = false, 0, 0, 0, 0
	}
	c.smooth(max(oldest, 10*time.Microsecond))
	rtt := max(newest, 10*time.Microsecond)
	if now-c.minRTTSince > minRTTPeriod {
		c.minRTTSince, c.lastMinRTT, c.minRTT = now, c.minRTT, rtt
	}
	if c.minRTT == 0 || rtt < c.minRTT {
		c.minRTT = rtt
	}
	if c.roundMin == 0 || rtt < c.roundMin {
		c.roundMin = rtt
	}
}

// smooth sets the timeout.
func (c *congestion) smooth(rtt time.Duration) {
	if c.srtt == 0 {
		c.srtt, c.rttvar = rtt, rtt/2
	} else {
		diff := c.srtt - rtt
		if diff < 0 {
			diff = -diff
		}
		c.rttvar += (diff - c.rttvar) / 4
		c.srtt += (rtt - c.srtt) / 8
	}
	c.rto = min(c.srtt+max(4*c.rttvar, ackDelay), maxRTO)
}

// shortest is the round trip time without queues, 0 if not known.
func (c *congestion) shortest() time.Duration {
	if c.lastMinRTT != 0 {
		return min(c.minRTT, c.lastMinRTT)
	}
	return c.minRTT
}

// timeout is the retransmission timeout with what it has backed off.
func (c *congestion) timeout() time.Duration { return min(c.rto<<min(c.backoff, 6), maxRTO) }

// lateness is how much later than its successors a packet may arrive before
// it counts as lost.
func (c *congestion) lateness() time.Duration {
	return max(c.srtt*time.Duration(c.reorder)/4, 2*time.Millisecond)
}

// acked takes that n packets arrived, the newest of which was sent at sentAt.
func (c *congestion) acked(now, sentAt time.Duration, n int) {
	c.backoff = 0
	if c.slowStart && c.wasFull {
		c.window = min(c.window+float64(n), c.limit)
		c.slowStart = c.window < c.threshold
	}
	if sentAt >= c.roundStart {
		c.endRound(now)
	}
}

// lost takes that n packets got lost.
func (c *congestion) lost(n int) {
	c.roundLost += n
	if !c.roundCut && (c.queued() || float64(c.roundLost) > 2+c.window*lossTolerated/100) {
		c.cut()
	}
}

// queued says that packets wait somewhere on the way: the shortest round trip of
// this round is much longer than the shortest known.
func (c *congestion) queued() bool {
	return c.roundMin > 2*c.shortest()+40*time.Millisecond
}

func (c *congestion) cut() {
	c.windowBefore, c.slowStartBefore = c.window, c.slowStart
	c.window, c.slowStart, c.roundCut = max(c.window*0.7, minWindow), false, true
}

func (c *congestion) endRound(now time.Duration) {
	switch {
	case c.roundCut:
	case c.roundMin > 3*c.shortest()+150*time.Millisecond:
		c.window, c.slowStart = max(c.window*0.85, min(c.window, initialWindow)), false
	case c.queued():
		c.slowStart = false
	case c.wasFull && !c.slowStart:
		c.window = min(c.window+max(1, c.window/8), c.limit)
	}
	c.roundStart, c.roundMin, c.roundLost = now, 0, 0
	c.roundCut, c.wasFull = false, false
}

// spurious says that what was sent again had not been lost: the last cut was
// wrong, and packets overtake each other by more than was thought.
func (c *congestion) spurious() {
	c.reorder = min(c.reorder+1, 4)
	if c.windowBefore > c.window {
		c.window, c.slowStart = min(c.windowBefore, c.limit), c.slowStartBefore
	}
	c.windowBefore = 0
}

// restart is for a path that was silent for more than one timeout, or is a new
// one: slow start from a small window, to a little less than it was.
func (c *congestion) restart(now time.Duration) {
	if c.window > minWindow {
		c.threshold = max(c.window*0.7, initialWindow)
	}
	c.window, c.slowStart, c.windowBefore = minWindow, true, 0
	c.roundStart, c.roundMin, c.roundLost = now, 0, 0
	c.roundCut, c.wasFull = false, true
	c.nextSend, c.rough = 0, true
}

// interval is the time between packets: a little less than what spreads the
// window over a round trip. 0 is at once.
func (c *congestion) interval() time.Duration {
	if c.rough || c.srtt == 0 {
		return paceGrain
	}
	rtt, gain := c.srtt, 1.25
	if c.slowStart {
		gain = 2
	}
	interval := time.Duration(float64(rtt) / (c.window * gain))
	if interval < 20*time.Microsecond {
		return 0
	}
	return interval
}

// paceGrain is the shortest wait between packets; those that became due in it go
// together.
const paceGrain = time.Millisecond

// wait is how long the next packet has to wait for its time.
func (c *congestion) wait(now time.Duration) time.Duration {
	if c.nextSend <= now {
		return 0
	}
	return max(c.nextSend-now, paceGrain)
}

// sent takes that a packet was sent.
func (c *congestion) sent(now time.Duration) {
	interval := c.interval()
	c.nextSend = max(c.nextSend, now-max(2*paceGrain, 4*interval)) + interval
}
