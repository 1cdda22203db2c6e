package balancer

import (
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/raftstate/ledger"
)

// A refuge is a member with a key of its own: that of the epoch after the
// members'. It serves nobody until a member is lost. Then the merged LeaseSet
// lists the refuge alone:
//
//	members listed --a member is lost--> refuge listed --RefugeTime--> members listed
//	                                      \--another is lost--/ (the time begins anew)
//
// Remotes of the lost member that no hello reaches go on sending by a dead
// session until they look the Destination up. With the members' key they would
// send what nobody can read even then, since a router finds its session by that
// key; with another it begins a new one. Who holds a living member's LeaseSet
// does not look, and is not touched. What the refuge has taken in it keeps: its
// own LeaseSets have its key for good.
//
// A leader that takes over in that time lists the members: that some were lost
// is not in the replicated state, and what is lost with the leader itself it
// sees to as any other loss.

// shelters reports whether f is a refuge that can take remotes in.
func (f *frontend) shelters() bool { return f.refuge && f.up && len(f.leases) > 0 }

// epoch is that of the key of f's own LeaseSets.
func (f *frontend) epoch(issued ledger.Destination) uint64 {
	if f.refuge {
		return issued.Epoch + 1
	}
	return issued.Epoch
}

// openRefugeLocked has the refuge listed, if there is one, after a loss. Before
// the first merged LeaseSet nobody has come: a session that breaks then is one of
// a router that starts.
func (b *Balancer) openRefugeLocked(now time.Time) {
	if b.mergedAt.IsZero() {
		return
	}
	b.refugeUntil = now.Add(b.policy.RefugeTime)
	if b.refugeOpenLocked(now) {
		b.log.Info("refuge opens", "until", b.refugeUntil)
	}
}

// refugeOpenLocked reports whether the merged LeaseSet is to list the refuge: for
// a time, or while no member has tunnels. A router that serves and publishes as
// well hands the merged LeaseSet to its own remotes, which it would shut out of
// the sessions that they have.
func (b *Balancer) refugeOpenLocked(now time.Time) bool {
	if b.policy.Rotation != RotateNever || b.countLocked((*frontend).shelters) == 0 {
		return false
	}
	if b.countLocked(func(f *frontend) bool { return f.publisher && f.serves() }) > 0 {
		return false
	}
	return now.Before(b.refugeUntil) || b.countLocked(func(f *frontend) bool { return f.lists() && f.up && len(f.leases) > 0 }) == 0
}

// mergedEpochLocked is that of the key of the merged LeaseSet.
func (b *Balancer) mergedEpochLocked(now time.Time, issued ledger.Destination) uint64 {
	if b.refugeOpenLocked(now) {
		return issued.Epoch + 1
	}
	return issued.Epoch
}

// livesLocked is the policy in force, with the life of own LeaseSets as it is
// where there is a refuge.
func (b *Balancer) livesLocked() Policy {
	p := b.policy
	if b.countLocked(func(f *frontend) bool { return f.refuge }) > 0 {
		p.OwnLife = min(p.OwnLife, p.RefugeOwnLife)
	}
	return p
}

// checkRefuge refuses a refuge where keys are rotated: its key is that of the
// next epoch, and would become the members'.
func (b *Balancer) checkRefuge(hello *controlpb.Hello) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if hello.GetRefuge() && b.policy.Rotation != RotateNever {
		return status.Errorf(codes.FailedPrecondition, "frontend %.80q is a refuge, and the policy Rotation is %q: a refuge needs %q", hello.GetName(), b.policy.Rotation, RotateNever)
	}
	return nil
}
