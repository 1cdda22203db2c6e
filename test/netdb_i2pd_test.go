package test

import (
	"testing"
	"time"

	"github.com/onelease/onelease/balancer"
	"github.com/onelease/onelease/balancer/controlpb"
)

// awaitNetDB waits until the leader says that of the netDB, and returns how long it took.
func (j *job) awaitNetDB(limit time.Duration, what string, ok func(*controlpb.NetDB) bool) time.Duration {
	j.t.Helper()
	var last *controlpb.NetDB
	for began := time.Now(); time.Since(began) < limit; j.pause(500 * time.Millisecond) {
		if b := j.balancers.Balancer(); b != nil {
			last = b.Status().GetNetDb()
		}
		if last != nil && ok(last) {
			return time.Since(began)
		}
	}
	j.t.Errorf("not within %v: %s; the leader says %v", limit, what, last)
	return limit
}

// checkLookedUp wants the leader to know that the netDB has the Destination.
func (j *job) checkLookedUp() {
	j.t.Helper()
	took := j.awaitNetDB(2*time.Minute, "found", func(n *controlpb.NetDB) bool { return n.GetFound() && n.GetMisses() == 0 })
	j.t.Logf("the leader knows after %.1f s that the netDB has it", took.Seconds())
}

// TestSoakNetDBIsLookedAt: on stock i2pd a member that looks the Destination up finds it
// once it is published, and not for long when nobody publishes it any more, though the
// member's own router holds a LeaseSet of it all the time.
func TestSoakNetDBIsLookedAt(t *testing.T) {
	soakOnly(t)
	j := startJob(t, balancer.Policy{Tunnels: 3, Hops: 1})
	j.checkLeaseSet(members)
	j.checkLookedUp()
	j.node.KillFrontend(routerName(publisher))
	took := j.awaitNetDB(7*time.Minute, "missed", func(n *controlpb.NetDB) bool { return n.GetMisses() >= balancer.MissesUntilGone })
	t.Logf("missed %.0f s after the publisher's end", took.Seconds())
}
