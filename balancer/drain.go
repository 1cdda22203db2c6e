package balancer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/raftstate/ledger"
)

// Errors of Drain, besides those of the Store.
var (
	// ErrUnknownFrontend says that no frontend of that name was ever attached.
	ErrUnknownFrontend = ledger.ErrUnknownFrontend
	// ErrNotMember says that a frontend only publishes, or is a refuge: no
	// newcomers go there, as a rule, and what a refuge serves no other can.
	ErrNotMember = errors.New("frontend is no member: it can be stopped as it is, a publisher if another publishes")
	// ErrLastMember says that nobody else could take the newcomers.
	ErrLastMember = errors.New("no other member could take its place: add one, or just stop it")
)

// drainTime bounds the commit of a drain.
const drainTime = 5 * time.Second

// Drain takes a member out of service before maintenance, or puts it back. Its
// leases leave the merged LeaseSet within Policy.PublishGap, so that newcomers
// go elsewhere; its own LeaseSet is renewed, so that the remotes that it serves
// stay; and after Policy.DrainLimit its frontend closes the session, until the
// drain is undone. A drain is replicated: it outlives leaders and restarts. To
// drain what drains changes nothing.
//
// Only the leader can; the errors are those above and package ledger's.
func (b *Balancer) Drain(name string, on bool) error {
	b.roles.Lock()
	defer b.roles.Unlock()
	roles, err := b.rolesAfter(name, on)
	if err != nil {
		return fmt.Errorf("drain %.80q: %w", name, err)
	}
	if b.drained(name) == on {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	if _, err := b.cfg.Store.Apply(ctx, ledger.PutFrontend(name, b.hash, roles)); err != nil {
		return fmt.Errorf("drain %.80q: %w", name, err)
	}
	b.log.Info("drain", "frontend", name, "on", on)
	b.setDrain(name, on)
	return nil
}

// drained reports whether the replicated state has the frontend drained: it
// is known, and in no role.
func (b *Balancer) drained(name string) bool {
	f, known := b.cfg.Store.State().Frontends[name]
	return known && f.Destination == b.hash && f.Roles == ledger.Roles{}
}

// rolesAfter checks a Drain and returns the roles to commit.
func (b *Balancer) rolesAfter(name string, on bool) (ledger.Roles, error) {
	var none ledger.Roles
	if !b.cfg.Store.Leader().Self {
		return none, ledger.ErrNotLeader
	}
	known, ok := b.cfg.Store.State().Frontends[name]
	if !ok || known.Destination != b.hash {
		return none, fmt.Errorf("%w: there are %s", ErrUnknownFrontend, b.knownNames())
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	f := b.frontends[name]
	switch {
	case on == (known.Roles == none):
		return known.Roles, nil
	case !on && f != nil:
		return ledger.Roles{Member: f.member, Publisher: f.publisher}, nil
	case !on: // it says what it is when it attaches
		return ledger.Roles{Member: true}, nil
	case !known.Roles.Member:
		return none, ErrNotMember
	case b.countLocked(func(o *frontend) bool { return o != f && o.listed() && len(o.leases) > 0 }) == 0:
		return none, ErrLastMember
	}
	return none, nil
}

// knownNames lists the frontends for an error.
func (b *Balancer) knownNames() string {
	var names []string
	for name, f := range b.cfg.Store.State().Frontends {
		if f.Destination == b.hash {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "none yet"
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// setDrain makes a committed drain, or its end, take effect. The own LeaseSets
// of all are renewed, those that stay last: remotes that are moved on at once
// take only a newer one than they hold.
func (b *Balancer) setDrain(name string, on bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f := b.frontends[name]
	if f == nil {
		return
	}
	f.drainUntil = time.Time{}
	if on {
		f.drainUntil = b.cfg.Now().Add(b.policy.DrainLimit)
	}
	b.sendDrainLocked(f)
	b.freshenLocked()
	b.kick()
}

// resumeDrainLocked sets the state of a frontend that has just attached. One
// that says until when it drains, when it first attaches to this leader, knows
// that from an earlier one.
func (b *Balancer) resumeDrainLocked(f *frontend, first, drained bool, untilMs int64) {
	limit := b.cfg.Now().Add(b.policy.DrainLimit)
	switch {
	case !drained:
		f.drainUntil = time.Time{}
	case untilMs != 0 && first:
		f.drainUntil = earlier(b.localLocked(time.UnixMilli(untilMs), b.cfg.Now()), limit)
	case !f.drains():
		f.drainUntil = limit
	}
	if drained || untilMs != 0 {
		b.sendDrainLocked(f)
	}
}

func (b *Balancer) sendDrainLocked(f *frontend) {
	f.sendLocked(&controlpb.BalancerMessage{Kind: &controlpb.BalancerMessage_Drain{
		Drain: &controlpb.Drain{Draining: f.drains(), UntilMs: b.drainUntilMsLocked(f)},
	}})
}

// drainUntilMsLocked is drainUntil as the control protocol has it.
func (b *Balancer) drainUntilMsLocked(f *frontend) int64 {
	if !f.drains() {
		return 0
	}
	return b.wallLocked(f.drainUntil).UnixMilli()
}

// offersLocked tells whose leases are to be listed: those of the members that
// do not drain, or of all if no other has any; or a refuge's.
func (b *Balancer) offersLocked(now time.Time) func(*frontend) bool {
	if b.refugeOpenLocked(now) {
		return (*frontend).shelters
	}
	if b.countLocked(func(f *frontend) bool { return f.listed() && len(f.leases) > 0 }) > 0 {
		return (*frontend).listed
	}
	return func(f *frontend) bool { return f.lists() && f.up }
}

// listsDrainedLocked reports whether had has tunnels that are not to be listed
// any more.
func (b *Balancer) listsDrainedLocked(now time.Time, had map[tunnelKey]bool) bool {
	offers := b.offersLocked(now)
	for _, f := range b.frontends {
		if !offers(f) && anyListed(f.leases, had) {
			return true
		}
	}
	return false
}

// drainingFirstLocked has all names, those of members that drain first.
func (b *Balancer) drainingFirstLocked() []string {
	var draining, others []string
	for _, name := range b.namesLocked() {
		if b.frontends[name].drains() {
			draining = append(draining, name)
		} else {
			others = append(others, name)
		}
	}
	return append(draining, others...)
}

// holdTime is how long the own LeaseSet of a member that drains is held back after those
// of the others, which are newer, have gone out. A remote that a hello moves just then by
// the others' last has theirs before an answer of the old member can bring this one,
// which would call it back: it would send there by a session of the new one.
const holdTime = 5 * time.Second

// holdsBack reports whether f's next own LeaseSet can wait for holdTime: not if its router
// has none, or asks for one.
func (f *frontend) holdsBack() bool { return f.drains() && f.own != nil && f.requested.IsZero() }

// sendHeld sends what was held back for long enough.
func (b *Balancer) sendHeld(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, f := range b.frontends {
		if !f.heldUntil.IsZero() && !f.heldUntil.After(now) {
			f.installLocked(f.own, f.ownAt)
		}
	}
}

// freshenListedLocked is freshenLocked without the members that drain.
func (b *Balancer) freshenListedLocked() {
	for _, f := range b.frontends {
		f.changed = f.changed || !f.drains()
	}
}

// ownRefreshLocked is how often f's own LeaseSet is renewed.
func (b *Balancer) ownRefreshLocked(f *frontend, members int) time.Duration {
	if f.drains() {
		return b.livesLocked().drainRefresh(members)
	}
	return b.policy.ownRefresh(members)
}
