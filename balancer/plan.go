package balancer

import (
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/raftstate/ledger"
)

// MaxAhead is how far `published` may run ahead of the clock for what can
// wait. Floodfills refuse two minutes of future.
const MaxAhead = 30 * time.Second

// far is when nothing is due.
const far = time.Hour

// leastLife is what a lease should have left to be listed in the merged
// LeaseSet: below 51 s i2pd looks for others and asks the netDB again.
const leastLife = 60 * time.Second

// plan returns the LeaseSets that are due at now, and when the next will be.
func (b *Balancer) plan(now time.Time) ([]draft, time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	issued := b.issued()
	next := b.startPublishersLocked(now)
	for _, due := range b.duesLocked(now) {
		next = earlier(next, due)
	}
	if !b.datesLocked(now, issued) {
		return nil, next
	}
	var drafts []draft
	d, ok := b.planMergedLocked(now, &next, issued)
	if ok {
		// A newcomer holds the merged one, and takes its member's only if that
		// is newer.
		drafts = append(drafts, d)
		b.freshenListedLocked()
	}
	return append(drafts, b.planOwnLocked(now, &next, issued, ok && b.merged == nil)...), next
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// duesLocked are the times at which something other than a LeaseSet is due.
func (b *Balancer) duesLocked(now time.Time) []time.Time {
	var dues []time.Time
	if !b.rotateAt.IsZero() {
		dues = append(dues, b.rotateAt)
	}
	if b.refugeUntil.After(now) {
		dues = append(dues, b.refugeUntil)
	}
	if !b.netDB.due.IsZero() {
		dues = append(dues, b.netDB.due)
	}
	for _, f := range b.frontends {
		if !f.attached && f.up {
			dues = append(dues, b.lostAtLocked(f))
		}
		if !f.heldUntil.IsZero() {
			dues = append(dues, f.heldUntil)
		}
	}
	return dues
}

// aliveLocked is how long a lease must live to be listed at all: beyond the
// `published` of whichever LeaseSet of this step comes last.
func (b *Balancer) aliveLocked(now time.Time, issued ledger.Destination) time.Time {
	_, published := issued.Next(b.wallLocked(now))
	return time.Unix(int64(published), 0).Add(time.Duration(2*len(b.frontends)+2) * time.Second)
}

// planOwnLocked drafts the own LeaseSets that are due. That of a member that
// drains comes first and makes those of the others due, so that theirs are
// always newer: a remote that has moved on would else follow a straggler's
// LeaseSet back. Those that first are behind a merged one, the only one so far, do
// not wait for the clock, however far ahead the state that was found is: until
// they are there newcomers' answers go astray.
func (b *Balancer) planOwnLocked(now time.Time, next *time.Time, issued ledger.Destination, first bool) []draft {
	members := b.countLocked((*frontend).serves)
	life := b.livesLocked().ownLife(members)
	canWait := b.localLocked(time.Unix(int64(issued.LastPublished), 0).Add(-MaxAhead), now)
	alive := b.aliveLocked(now, issued)
	var drafts []draft
	for _, name := range b.drainingFirstLocked() {
		f := b.frontends[name]
		if !f.serves() || f.publisher {
			continue
		}
		epoch := f.epoch(issued)
		due := f.ownDue(now, b.ownRefreshLocked(f, members), epoch)
		if !first && !f.waitsForFirst() {
			due = later(due, canWait)
		}
		if due.After(now) {
			*next = earlier(*next, due)
			continue
		}
		if leases := longest(f.leases, alive); len(leases) > 0 {
			leases = leases[:min(len(leases), i2p.MaxLeases)]
			late := (f.own == nil || f.own.reserve == nil) && now.Sub(f.reserveAt) > time.Duration(members)*lateEach
			drafts = append(drafts, draft{frontend: name, leases: leases, life: life, epoch: epoch, late: late})
			if f.drains() {
				b.freshenListedLocked()
			}
		}
	}
	return drafts
}

// planMergedLocked drafts the merged LeaseSet if it is due.
func (b *Balancer) planMergedLocked(now time.Time, next *time.Time, issued ledger.Destination) (draft, bool) {
	publishers := b.countLocked(func(f *frontend) bool { return f.publisher && f.attached && f.up })
	pools, epoch := b.poolsLocked(now), b.mergedEpochLocked(now, issued)
	leases := choose(pools, b.aliveLocked(now, issued), leastLife, int(b.publishes))
	if publishers == 0 || len(leases) == 0 {
		return draft{}, false
	}
	d := draft{leases: leases, life: b.policy.MergedLife, epoch: epoch, late: true} // there are few
	if due := b.mergedDueLocked(now, d); due.After(now) {
		*next = earlier(*next, due)
		return draft{}, false
	}
	return d, true
}

// mergedDueLocked says when the next merged LeaseSet, which would be d, is due.
func (b *Balancer) mergedDueLocked(now time.Time, d draft) time.Time {
	if b.merged != nil {
		if b.changedLocked(now, d) {
			return b.mergedAt.Add(b.policy.PublishGap)
		}
		return b.mergedAt.Add(b.policy.MergedRefresh)
	}
	gap := b.mergedAt.Add(b.policy.PublishGap)
	if b.readyLocked() && b.allReportedLocked() {
		return later(now, gap)
	}
	due := b.firstPool.Add(b.policy.FirstWait)
	switch {
	case b.firstPool.IsZero():
		return now.Add(far)
	case b.continues: // an earlier leader's stands
		due = later(b.graceEnds, gap)
	}
	for _, f := range b.frontends {
		if f.publisher && !f.requested.IsZero() {
			due = earlier(due, f.requested.Add(b.policy.AnswerTime))
		}
	}
	return due
}

// changedLocked reports whether d differs from the merged LeaseSet in more than dates.
func (b *Balancer) changedLocked(now time.Time, d draft) bool {
	old := b.merged.leases
	if b.merged.epoch != d.epoch || len(old) != len(d.leases) {
		return true
	}
	had := tunnelsOf(old)
	if b.listsDrainedLocked(now, had) {
		return true
	}
	if len(b.poolsLocked(now)) > i2p.MaxLeases {
		return false // each publish lists others; only time moves it on
	}
	for _, l := range d.leases {
		if !had[keyOf(l)] {
			return true
		}
	}
	return false
}

// tunnelKey tells tunnels apart.
type tunnelKey struct {
	gateway i2p.Hash
	tunnel  uint32
}

func keyOf(l i2p.Lease) tunnelKey { return tunnelKey{l.Gateway, l.Tunnel} }

// readyLocked reports whether all members that there are to be have all their
// tunnels. Nobody waits for those that drain.
func (b *Balancer) readyLocked() bool {
	full := b.countLocked(func(f *frontend) bool {
		return f.lists() && (f.drains() || f.up && len(f.leases) >= b.policy.Tunnels)
	})
	all := b.countLocked((*frontend).lists)
	return full > 0 && full >= max(all, b.cfg.Expect)
}

// allReportedLocked reports whether all that an earlier leader left have come over.
func (b *Balancer) allReportedLocked() bool {
	return b.countLocked(func(f *frontend) bool { return f.lists() && f.up && !f.reported }) == 0
}

func (b *Balancer) countLocked(of func(*frontend) bool) int {
	n := 0
	for _, f := range b.frontends {
		if of(f) {
			n++
		}
	}
	return n
}

// poolsLocked are the pools to choose from, in the order of their members' names.
func (b *Balancer) poolsLocked(now time.Time) []pool {
	var pools []pool
	offers := b.offersLocked(now)
	for _, name := range b.namesLocked() {
		if f := b.frontends[name]; offers(f) && len(f.leases) > 0 {
			pools = append(pools, pool{name, f.leases})
		}
	}
	return pools
}
