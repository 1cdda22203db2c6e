package balancer

import (
	"slices"
	"time"

	"github.com/onelease/onelease/raftstate/ledger"
)

// clockSlack is how far the frontends' clocks may be off from ours before
// LeaseSets are dated by theirs: more than two machines with NTP ever differ,
// and less than anything that reads a LeaseSet minds.
const clockSlack = 5 * time.Second

// A clock dates LeaseSets. It begins with the machine's, and goes on at the
// pace of the monotonic one, so that a clock that somebody sets does not move
// it: a `published` far ahead could not be taken back, since it must rise, and
// floodfills would refuse what follows. Instead it goes by the frontends' clocks
// where those differ. They stand beside routers that work, which is proof of
// them: a router whose clock is off by a minute has no tunnels.
type clock struct {
	base time.Time     // a reading with its monotonic part
	off  time.Duration // to be added, by what the frontends say
}

func newClock(now time.Time) clock { return clock{base: now} }

// steady is the time at now without off.
func (c clock) steady(now time.Time) time.Time { return c.base.Round(0).Add(now.Sub(c.base)) }

// at is the time that a LeaseSet signed at now is dated.
func (c clock) at(now time.Time) time.Time { return c.steady(now).Add(c.off) }

// wallLocked is what LeaseSets are dated by at now.
func (b *Balancer) wallLocked(now time.Time) time.Time { return b.clock.at(now) }

// localLocked is when the clock that LeaseSets are dated by reads wall.
func (b *Balancer) localLocked(wall, now time.Time) time.Time {
	return now.Add(wall.Sub(b.wallLocked(now)))
}

// hearClockLocked notes what a frontend's clock reads. The time that its
// message took makes it seem some milliseconds late.
func (b *Balancer) hearClockLocked(f *frontend, clockMs int64, now time.Time) {
	if clockMs == 0 {
		return
	}
	f.clockKnown, f.clockOff = true, time.UnixMilli(clockMs).Sub(b.clock.steady(now))
	off := b.medianOffLocked()
	if off.Abs() < clockSlack {
		off = 0
	}
	if (off - b.clock.off).Abs() < clockSlack {
		return
	}
	b.log.Warn("the frontends' clocks are off from this machine's: LeaseSets are dated by theirs; see to NTP",
		"off", off.Round(time.Millisecond))
	b.clock.off = off
}

// blindSlack is how far the clock may be from the last LeaseSet of an earlier
// leader for LeaseSets to be dated before any frontend has said what its clock
// reads. In a service that runs there is one every few seconds.
const blindSlack = 30 * time.Second

// datesLocked reports whether LeaseSets can be dated at now.
func (b *Balancer) datesLocked(now time.Time, issued ledger.Destination) bool {
	if b.countLocked(func(f *frontend) bool { return f.attached }) > 0 {
		return true
	}
	return b.wallLocked(now).Sub(time.Unix(int64(issued.LastPublished), 0)).Abs() < blindSlack
}

// medianOffLocked is the median of what the frontends' clocks are off; of two
// in the middle, the one nearer to ours.
func (b *Balancer) medianOffLocked() time.Duration {
	var offs []time.Duration
	for _, f := range b.frontends {
		if f.attached && f.clockKnown {
			offs = append(offs, f.clockOff)
		}
	}
	if len(offs) == 0 {
		return 0
	}
	slices.Sort(offs)
	low, high := offs[(len(offs)-1)/2], offs[len(offs)/2]
	if low.Abs() <= high.Abs() {
		return low
	}
	return high
}
