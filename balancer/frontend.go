package balancer

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/raftstate/ledger"
)

// A frontend is what the leader knows of one. Balancer.mu guards it.
//
//	unknown --Hello--> attached --stream ends--> away --Hello--> attached
//	                                               \--ReattachTime--> lost
type frontend struct {
	name      string
	member    bool
	publisher bool
	refuge    bool // a member that is not listed with the others; see refuge.go

	attached bool
	goneAt   time.Time // when the stream ended, if not attached
	line     *line
	reported bool // its pool, since it attached

	clockKnown bool
	clockOff   time.Duration // of its clock from ours; see clock

	up           bool
	leases       []i2p.Lease
	changed      bool      // the pool differs from the last own LeaseSet
	requested    time.Time // since when its router waits for an answer; zero: it does not
	wantsSession bool      // a publisher that waits until there is something to publish
	inverted     bool
	drainUntil   time.Time // when its session is to be closed; zero: it is not drained

	own          *sealed
	ownAt        time.Time
	heldUntil    time.Time // when own is sent, if it is held back; zero: it was
	reserveAt    time.Time // when it last had a reserve
	sentSeq      uint64    // of the last LeaseSet sent on its line
	installedSeq uint64
	failure      string // what its last answer complained of

	probe   chan *controlpb.ProbeReply // who waits for a probe; room for one
	probeID uint64
}

// serves reports whether f's router has remotes.
func (f *frontend) serves() bool { return f.member && f.up }

// drains reports whether f is to get no newcomers.
func (f *frontend) drains() bool { return !f.drainUntil.IsZero() }

// listed reports whether f's leases belong in the merged LeaseSet.
func (f *frontend) listed() bool { return f.lists() && f.up && !f.drains() }

// lists reports whether f is one of the members whose leases are listed together.
func (f *frontend) lists() bool { return f.member && !f.refuge }

// waitsForFirst reports whether f's router waits and there is nothing that its
// frontend could have answered with.
func (f *frontend) waitsForFirst() bool { return f.own == nil && !f.requested.IsZero() }

// ownDue says when f's own LeaseSet is due: at once if its pool or the key
// epoch changed, else when it is to be renewed.
func (f *frontend) ownDue(now time.Time, refresh time.Duration, epoch uint64) time.Time {
	if f.own == nil || f.changed || f.own.epoch != epoch {
		return now
	}
	return f.ownAt.Add(refresh)
}

// installLocked sends s to f, or if it is its own when it attaches.
func (f *frontend) installLocked(s *sealed, now time.Time) {
	if !s.merged() {
		f.setOwnLocked(s, now)
		f.heldUntil = time.Time{}
	}
	if !f.attached {
		return
	}
	f.requested, f.sentSeq = time.Time{}, s.install.Seq
	f.sendLocked(&controlpb.BalancerMessage{Kind: &controlpb.BalancerMessage_Install{Install: s.install}})
}

func (f *frontend) setOwnLocked(s *sealed, now time.Time) {
	f.own, f.ownAt, f.changed = s, now, false
	if s.reserve != nil {
		f.reserveAt = now
	}
}

// sendLocked queues m on f's line. A frontend that does not read is cut off:
// it attaches again if it lives.
func (f *frontend) sendLocked(m *controlpb.BalancerMessage) {
	if f.attached {
		f.line.send(m)
	}
}

func (b *Balancer) namesLocked() []string { return slices.Sorted(maps.Keys(b.frontends)) }

// setPoolLocked takes over a pool as reported.
func (b *Balancer) setPoolLocked(f *frontend, up, requested bool, leases []i2p.Lease, now time.Time) {
	wasUp := f.up
	b.continues = b.continues || !f.reported && up && shareTunnels(f.leases, leases)
	f.changed = f.changed || !sameTunnels(f.leases, leases)
	f.up, f.leases, f.reported = up, leases, true
	if requested && f.requested.IsZero() {
		f.requested = now
	}
	if wasUp && !up {
		b.lostLocked(f, now)
	}
	if f.lists() && up && len(leases) > 0 && b.firstPool.IsZero() {
		b.firstPool = now
	}
}

// lostLocked forgets f's pool, and plans the key epoch if one must begin.
func (b *Balancer) lostLocked(f *frontend, now time.Time) {
	f.up, f.leases, f.own, f.requested, f.heldUntil = false, nil, nil, time.Time{}, time.Time{}
	b.log.Warn("frontend lost its router", "frontend", f.name, "attached", f.attached)
	if !f.member || b.countLocked((*frontend).serves) == 0 {
		return
	}
	b.freshenLocked()
	if f.refuge {
		return // the members' key would not help who held the refuge's
	}
	b.planRotationLocked(now)
	if !f.drains() { // maintenance
		b.openRefugeLocked(now)
	}
}

// freshenLocked makes the own LeaseSets of all members due at once. The remotes
// of a lost member hold its last one, which may well be newer than what a
// survivor's router would hand them, and then they would not take that.
func (b *Balancer) freshenLocked() {
	for _, f := range b.frontends {
		f.changed = true
	}
}

// planRotationLocked plans a key epoch after a loss. With one that began a
// short while ago, the remotes' sessions are young, and stock routers do not
// let a new one take their place: a second key would shut out the remotes of
// all members until they look the Destination up again.
func (b *Balancer) planRotationLocked(now time.Time) {
	if !b.rotatedAt.IsZero() && now.Before(b.rotatedAt.Add(b.policy.RotationGap)) {
		return
	}
	switch b.policy.Rotation {
	case RotateAtOnce:
		b.rotateAt = now
	case RotateAfterHello:
		b.rotateAt = now.Add(b.policy.HelloTime)
	}
}

// loseSilent gives up the frontends that did not come back in time.
func (b *Balancer) loseSilent(ctx context.Context, now time.Time) {
	b.mu.Lock()
	var lost []string
	for name, f := range b.frontends {
		if !f.attached && f.up && !now.Before(b.lostAtLocked(f)) {
			b.lostLocked(f, now)
			lost = append(lost, name)
		}
	}
	b.mu.Unlock()
	for _, name := range lost {
		if _, err := b.cfg.Store.Apply(ctx, ledger.ReportPool(name, ledger.Pool{})); err != nil {
			b.log.Warn("loss not recorded", "frontend", name, "error", err)
		}
	}
}

// lostAtLocked is when a frontend that is away counts as lost.
func (b *Balancer) lostAtLocked(f *frontend) time.Time {
	if f.line == nil {
		return b.graceEnds // an earlier leader's
	}
	return f.goneAt.Add(b.policy.ReattachTime)
}

// sameTunnels reports whether a and b are the same tunnels, in any order.
func sameTunnels(a, b []i2p.Lease) bool {
	had := tunnelsOf(a)
	return len(a) == len(b) && !slices.ContainsFunc(b, func(l i2p.Lease) bool { return !had[keyOf(l)] })
}

// shareTunnels reports whether a tunnel is in a and in b.
func shareTunnels(a, b []i2p.Lease) bool { return anyListed(a, tunnelsOf(b)) }

func tunnelsOf(leases []i2p.Lease) map[tunnelKey]bool {
	tunnels := map[tunnelKey]bool{}
	for _, l := range leases {
		tunnels[keyOf(l)] = true
	}
	return tunnels
}
