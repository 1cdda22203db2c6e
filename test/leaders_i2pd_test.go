package test

import (
	"testing"
	"time"

	"github.com/onelease/onelease/balancer"
)

// TestSoakLeaders kills the leader three times in ten minutes, under requests.
func TestSoakLeaders(t *testing.T) {
	soakOnly(t)
	j := startJob(t, balancer.Policy{Tunnels: 3, Hops: 1})
	j.checkLeaseSet(members)
	j.addRemotes()
	j.ask(warmUpTime, nil)
	warm := time.Now()
	watch := j.watchNetDB()
	for range 3 {
		j.ask(200*time.Second, j.killLeader)
	}
	watch()
	if requests := j.tally.Since(warm); requests.Lost > 0 {
		j.logGaps()
		t.Errorf("requests: %+v", requests)
	} else {
		t.Logf("requests: %+v", requests)
	}
}
