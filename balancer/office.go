package balancer

import (
	"context"
	"fmt"
	"time"

	"github.com/onelease/onelease/raftstate/ledger"
)

// A Balancer is in office from when it has taken over, which is a moment after
// its Store was elected, until it is dismissed:
//
//	following --elected--> taking over --Barrier--> in office --deposed--> following
//
// Only one in office hears frontends. What it knows of them at first is what
// the replicated state has, so that it can sign for all of them though only
// some have come over from the leader before.

// officeTime is how long a frontend's question waits where nobody leads.
// Elections take half a second.
const officeTime = time.Second

// leads reports whether b is in office.
func (b *Balancer) leads() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.inOffice
}

// takeOver begins a term of office.
func (b *Balancer) takeOver(ctx context.Context, now time.Time) error {
	if err := b.cfg.Store.Barrier(ctx); err != nil {
		return fmt.Errorf("take over: %w", err)
	}
	if err := b.cfg.Store.EnsureGeneration(ctx, now); err != nil {
		return fmt.Errorf("take over: %w", err)
	}
	state := b.cfg.Store.State()
	policy, err := b.policyFrom(state.Destination(b.hash).Policy)
	if err != nil {
		return err
	}
	b.dismiss() // who is attached goes by an earlier policy
	b.mu.Lock()
	defer b.mu.Unlock()
	b.policy, b.policyOf = policy, state.Destination(b.hash).Policy
	b.clock, b.generation = newClock(now), state.Generation
	b.frontends = inherit(state, b.hash, now, b.policy)
	b.merged, b.mergedAt, b.netDB = nil, time.Time{}, netDB{}
	if last := state.Destination(b.hash).Merged; last.Seq != 0 {
		b.mergedAt = earlier(b.localLocked(time.Unix(int64(last.Published), 0), now), now)
		b.publishedLocked(now) // by an earlier leader: there may be no publisher to do it again
	}
	b.graceEnds, b.continues = now.Add(b.policy.TakeoverTime), false
	b.firstPool, b.rotateAt = time.Time{}, time.Time{}
	b.setOfficeLocked(true)
	b.log.Info("this balancer leads", "frontends", len(b.frontends))
	return nil
}

// outdated reports whether what was taken over is not in force any more: an
// operator has changed the policy, or restored a backup.
func (b *Balancer) outdated() bool {
	state := b.cfg.Store.State()
	b.mu.Lock()
	defer b.mu.Unlock()
	return state.Destination(b.hash).Policy != b.policyOf || state.Generation != b.generation
}

// dismiss ends a term of office: the frontends go to whoever leads now.
func (b *Balancer) dismiss() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.inOffice {
		return
	}
	for _, f := range b.frontends {
		if f.attached {
			f.line.cut()
		}
	}
	b.frontends = map[string]*frontend{}
	b.setOfficeLocked(false)
	b.log.Info("this balancer does not lead any more")
}

func (b *Balancer) setOfficeLocked(in bool) {
	b.inOffice = in
	close(b.office)
	b.office = make(chan struct{})
}

// awaitOffice waits until this balancer is in office (ok), or another than the
// one at unreachable leads, or officeTime has passed.
func (b *Balancer) awaitOffice(ctx context.Context, unreachable string) (leader ledger.Leader, ok bool) {
	timeout := time.NewTimer(officeTime)
	defer timeout.Stop()
	for {
		changed := b.cfg.Store.LeaderChanged()
		b.mu.Lock()
		in, office := b.inOffice, b.office
		b.mu.Unlock()
		leader := b.cfg.Store.Leader()
		if leader.Self && in || !leader.Self && leader.ID != "" && leader.Addr != unreachable {
			return leader, leader.Self
		}
		select {
		case <-changed:
		case <-office:
		case <-timeout.C:
			return ledger.Leader{}, false
		case <-ctx.Done():
			return ledger.Leader{}, false
		}
	}
}

// inherit has the frontends as the replicated state has them. Who drains
// is known there by having no role; its frontend will say which it had.
func inherit(state *ledger.State, hash [32]byte, now time.Time, policy Policy) map[string]*frontend {
	frontends := map[string]*frontend{}
	for name, known := range state.Frontends {
		if known.Destination != hash {
			continue
		}
		f := &frontend{
			name: name, member: known.Roles.Member || known.Roles.Refuge, publisher: known.Roles.Publisher, refuge: known.Roles.Refuge,
			up: known.Pool.Up, leases: known.Pool.Leases, goneAt: now,
		}
		if known.Roles == (ledger.Roles{}) {
			f.member, f.drainUntil = true, now.Add(policy.DrainLimit)
		}
		frontends[name] = f
	}
	return frontends
}
