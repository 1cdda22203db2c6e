package balancer

import (
	"fmt"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/raftstate/ledger"
)

// Rotation says when a lost member makes the balancer begin a key epoch.
type Rotation string

// The policies of rotation. The hello, the first message of a new session with
// the same key, takes the place of a lost session that is over 120 s old. A new
// key has remotes begin anew that the hello comes too early for, if they look
// for a session by the key in the LeaseSet before each message, as i2pd's I2CP
// clients do. But it shuts out others, also those of members that live: what
// keeps the session that it has, as i2pd's SAM does, keeps the dead one, and
// i2pd 2.58 sends nothing on a new one until it is replied to. So the default is
// RotateNever.
const (
	RotateNever      Rotation = "never"
	RotateAfterHello Rotation = "after-hello" // Policy.HelloTime after the loss
	RotateAtOnce     Rotation = "at-once"
)

// A Policy has the times and sizes that the balancer goes by. Its zero fields
// take the values of DefaultPolicy.
type Policy struct {
	// Tunnels is how many inbound tunnels each member's router builds.
	Tunnels int
	// Hops is the length of all tunnels. -1 stands for zero hops: no
	// anonymity at all, for tests.
	Hops int
	// MergedLife is how long a lease lives in the merged LeaseSet at most:
	// how long a remote may hold on to a router that is gone.
	MergedLife time.Duration
	// MergedRefresh is how often it is published when nothing changes.
	MergedRefresh time.Duration
	// PublishGap is the least time between two merged LeaseSets.
	PublishGap time.Duration
	// FirstWait is how long the first one waits for all members to be ready.
	FirstWait time.Duration
	// HeadStart is how long the members have to become ready before the
	// publishers open their sessions.
	HeadStart time.Duration
	// OwnLife is how long a lease lives in a member's own LeaseSet at most.
	OwnLife time.Duration
	// OwnRefresh is how often it is renewed when nothing changes.
	OwnRefresh time.Duration
	// RefugeOwnLife takes OwnLife's place, if it is shorter, where there is a
	// refuge.
	RefugeOwnLife time.Duration
	// RefugeTime is how long a refuge is listed after a loss.
	RefugeTime time.Duration
	// Rotation is when a key epoch begins, RotateNever if empty.
	Rotation Rotation
	// RotationGap is the least time between two key epochs.
	RotationGap time.Duration
	// HelloTime is how long RotateAfterHello waits.
	HelloTime time.Duration
	// LostAfter is how long a frontend may be silent before it counts as lost.
	LostAfter time.Duration
	// ReattachTime is how long a frontend whose connection broke has to come back.
	ReattachTime time.Duration
	// TakeoverTime is how long the frontends of an earlier leader have to come
	// over to a new one before those that do not count as lost.
	TakeoverTime time.Duration
	// AnswerTime is the longest that a router's request waits for a better
	// LeaseSet than there is.
	AnswerTime time.Duration
	// DrainLimit is how long a drained member serves on before its frontend
	// closes the session, which cuts what is left.
	DrainLimit time.Duration
	// DelegationLife is how long a backend's permission to sign is good.
	DelegationLife time.Duration
	// HandOverKeys lets backends have the Destination's own signing key, for
	// remotes that cannot verify offline signatures.
	HandOverKeys bool
}

// DefaultPolicy gives the values that worked on stock i2pd, with the reason
// for each.
func DefaultPolicy() Policy {
	return Policy{
		Tunnels:        3,                       // the proposal's own picture; i2pd's usual is 5
		Hops:           3,                       // what routers use unless told otherwise
		MergedLife:     150 * time.Second,       // with 75 s the LeaseSet vanished from floodfills
		MergedRefresh:  45 * time.Second,        // above 41 s pushes stay clear of the 20 s timers that i2pd starts by itself, and one that is urgent goes out at once
		PublishGap:     21 * time.Second,        // what comes within 20 s of the last store i2pd puts off by 20 s
		FirstWait:      30 * time.Second,        // a router's tunnels are all there after about 27 s
		HeadStart:      10 * time.Second,        // a publisher's own tunnels take as long as the members' last ones
		OwnLife:        100 * time.Second,       // a refresh more than the 90 s for which a silent remote keeps its session; longer holds the remotes of a lost member longer (docs/streams.md)
		OwnRefresh:     10 * time.Second,        // several chances to be bundled in each lease's life
		RefugeOwnLife:  75 * time.Second,        // who held a lost member's has 65-75 s left and looks anew 51 s before the end: after 14-24 s, when the refuge is in the netDB
		RefugeTime:     130 * time.Second,       // all sessions of before are older than 120 s then, and a hello reaches who can be reached
		Rotation:       RotateNever,             // see there
		RotationGap:    130 * time.Second,       // until 120 s a new session does not take the place of another
		HelloTime:      1800 * time.Millisecond, // remotes that a hello moves were back in 1.6 s; the next hello, at 2.1 s, brings the new key
		LostAfter:      2 * time.Second,         // four heartbeats, and as long as backends wait: their hellos need the survivors' newer LeaseSets
		ReattachTime:   500 * time.Millisecond,  // a restart of the connection takes milliseconds
		TakeoverTime:   4 * time.Second,         // they leave a leader that hangs after 2 s, and find the next within one
		AnswerTime:     7 * time.Second,         // i2pd closes the session at 10 s
		DelegationLife: 24 * time.Hour,          // a backend that was broken into can sign for a day at most; renewed after half of it, the cluster may be away as long
		DrainLimit:     10 * time.Minute,        // remotes have forgotten the merged LeaseSet after 150 s; the rest is for downloads to end
	}
}

// policyFrom is Config.Policy with what the replicated state has in place of it.
func (b *Balancer) policyFrom(r *ledger.Policy) (Policy, error) {
	p := b.cfg.Policy
	if r != nil {
		p = p.with(*r)
	}
	p = p.withDefaults()
	if err := p.check(); err != nil {
		return p, fmt.Errorf("balancer: %w", err)
	}
	return p, nil
}

// with has r's fields that are set in place of p's.
func (p Policy) with(r ledger.Policy) Policy {
	replace(&p.Tunnels, int(r.Tunnels))
	replace(&p.Hops, int(r.Hops))
	replace(&p.MergedLife, r.MergedLife)
	replace(&p.MergedRefresh, r.MergedRefresh)
	replace(&p.OwnLife, r.OwnLife)
	replace(&p.OwnRefresh, r.OwnRefresh)
	replace(&p.Rotation, Rotation(r.Rotation))
	replace(&p.DrainLimit, r.DrainLimit)
	replace(&p.DelegationLife, r.DelegationLife)
	replace(&p.HandOverKeys, r.HandOverKeys)
	return p
}

// replace sets field to value if that is not zero.
func replace[T comparable](field *T, value T) {
	if value != *new(T) {
		*field = value
	}
}

// CheckWith says why a leader of this policy could not go by r.
func (p Policy) CheckWith(r ledger.Policy) error { return p.with(r).withDefaults().check() }

// withDefaults fills p's zero fields.
func (p Policy) withDefaults() Policy {
	d := DefaultPolicy()
	setDefault(&p.Tunnels, d.Tunnels)
	setDefault(&p.Hops, d.Hops)
	setDefault(&p.MergedLife, d.MergedLife)
	setDefault(&p.MergedRefresh, d.MergedRefresh)
	setDefault(&p.PublishGap, d.PublishGap)
	setDefault(&p.FirstWait, d.FirstWait)
	setDefault(&p.HeadStart, d.HeadStart)
	setDefault(&p.OwnLife, d.OwnLife)
	setDefault(&p.OwnRefresh, d.OwnRefresh)
	setDefault(&p.RefugeOwnLife, d.RefugeOwnLife)
	setDefault(&p.RefugeTime, d.RefugeTime)
	setDefault(&p.Rotation, d.Rotation)
	setDefault(&p.RotationGap, d.RotationGap)
	setDefault(&p.HelloTime, d.HelloTime)
	setDefault(&p.LostAfter, d.LostAfter)
	setDefault(&p.ReattachTime, d.ReattachTime)
	setDefault(&p.TakeoverTime, d.TakeoverTime)
	setDefault(&p.AnswerTime, d.AnswerTime)
	setDefault(&p.DrainLimit, d.DrainLimit)
	setDefault(&p.DelegationLife, d.DelegationLife)
	return p
}

func setDefault[T comparable](field *T, value T) {
	if *field == *new(T) {
		*field = value
	}
}

// check says which field cannot work, and why.
func (p Policy) check() error {
	switch {
	case p.Tunnels < 1 || p.Tunnels > i2p.MaxLeases:
		return fmt.Errorf("policy Tunnels is %d, want 1 to %d", p.Tunnels, i2p.MaxLeases)
	case p.Hops < -1 || p.Hops > 7:
		return fmt.Errorf("policy Hops is %d, want 1 to 7, or -1 for none", p.Hops)
	case p.MergedLife > i2p.MaxLeaseSetLife || p.OwnLife > i2p.MaxLeaseSetLife:
		return fmt.Errorf("policy MergedLife and OwnLife are at most %v", i2p.MaxLeaseSetLife)
	case p.MergedRefresh >= p.MergedLife || p.OwnRefresh >= min(p.OwnLife, p.RefugeOwnLife):
		return fmt.Errorf("policy MergedRefresh and OwnRefresh must be shorter than the lives they renew")
	case p.RefugeTime < 0:
		return fmt.Errorf("policy RefugeTime is %v, want more than 0, or 0 for the default", p.RefugeTime)
	case p.PublishGap < 20*time.Second:
		return fmt.Errorf("policy PublishGap is %v: below 20 s routers put publishing off again and again", p.PublishGap)
	case p.DelegationLife < time.Minute || p.DelegationLife > maxDelegationLife:
		return fmt.Errorf("policy DelegationLife is %v, want 1m to %v", p.DelegationLife, maxDelegationLife)
	case p.DrainLimit < 0:
		return fmt.Errorf("policy DrainLimit is %v, want more than 0, or 0 for the default", p.DrainLimit)
	case p.AnswerTime >= 10*time.Second:
		return fmt.Errorf("policy AnswerTime is %v: i2pd closes a session that is not answered in 10 s", p.AnswerTime)
	}
	switch p.Rotation {
	case RotateNever, RotateAfterHello, RotateAtOnce:
		return nil
	}
	return fmt.Errorf("policy Rotation is %q, want %s, %s or %s", p.Rotation, RotateNever, RotateAfterHello, RotateAtOnce)
}

// perIssue is how much of the clock one LeaseSet takes up: `published` has a
// resolution of one second and must rise with each. A reserve takes as much.
const perIssue = 1250 * time.Millisecond

// nearEnd is when i2pd calls a lease near its end (51 s), and somewhat more.
const nearEnd = 60 * time.Second

// ownRefresh is how often each of so many members can have its own LeaseSet
// renewed without `published` running ahead of the clock. Up to eight can as often
// as is best, if some go without a reserve; with more there is time for those too.
func (p Policy) ownRefresh(members int) time.Duration {
	round := time.Duration(members) * perIssue
	if round <= p.OwnRefresh {
		return p.OwnRefresh
	}
	return 2 * round
}

// ownLife is longer where ownRefresh had to stretch, so that one is renewed
// before its leases are near their end.
func (p Policy) ownLife(members int) time.Duration {
	return min(max(p.OwnLife, p.ownRefresh(members)+nearEnd), i2p.MaxLeaseSetLife)
}

// drainRefresh is ownRefresh for a member that drains. Each of its LeaseSets
// may call a remote back that has moved on, so they are few, but still renewed
// above the 51 s at which i2pd calls a lease near its end.
func (p Policy) drainRefresh(members int) time.Duration {
	life := p.ownLife(members)
	return max(p.ownRefresh(members), min(life/3, life-nearEnd))
}
