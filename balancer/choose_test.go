package balancer

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/onelease/onelease/i2p"
)

var epochStart = time.Unix(1_800_000_000, 0)

// leaseOf makes a lease of tunnel n of a router, with so much life left.
func leaseOf(router, n int, left time.Duration) i2p.Lease {
	return i2p.Lease{Gateway: i2p.Hash{byte(router), byte(n)}, Tunnel: uint32(router*100 + n), End: epochStart.Add(left)}
}

func poolOf(router, leases int, left time.Duration) pool {
	p := pool{}
	for n := range leases {
		p.leases = append(p.leases, leaseOf(router, n, left))
	}
	return p
}

func TestChooseFourRoutersThreeTunnels(t *testing.T) {
	var pools []pool
	for router := range 4 {
		pools = append(pools, poolOf(router, 3, 5*time.Minute))
	}
	if got := choose(pools, epochStart, time.Minute, 0); len(got) != 12 {
		t.Errorf("%d leases, want all 12 of 4 routers with 3 tunnels", len(got))
	}
}

func TestChooseListsShortLeasesOnlyWhenNothingElseIsLeft(t *testing.T) {
	short, long := poolOf(0, 2, 30*time.Second), poolOf(1, 2, 5*time.Minute)
	got := choose([]pool{short, long}, epochStart, time.Minute, 0)
	if len(got) != 2 || got[0].Gateway[0] != 1 {
		t.Errorf("chose %v, want the two long leases", got)
	}
	if got := choose([]pool{short}, epochStart, time.Minute, 0); len(got) != 2 {
		t.Errorf("chose %v, want the short leases since there are no others", got)
	}
}

func TestChooseListsEveryRouterInTurn(t *testing.T) {
	var pools []pool
	for router := range 100 {
		pools = append(pools, poolOf(router, 16, 5*time.Minute))
	}
	seen := map[byte]bool{}
	for turn := range 100 {
		for _, l := range choose(pools, epochStart, time.Minute, turn) {
			seen[l.Gateway[0]] = true
		}
	}
	if len(seen) != 100 {
		t.Errorf("%d routers were listed in 100 turns, want all 100", len(seen))
	}
}

func TestChooseIsFair(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pools := drawPools(t)
		chosen := choose(pools, epochStart, time.Minute, rapid.IntRange(0, 1000).Draw(t, "turn"))
		if len(chosen) > i2p.MaxLeases {
			t.Fatalf("%d leases", len(chosen))
		}
		checkFair(t, pools, chosen)
	})
}

func drawPools(t *rapid.T) []pool {
	var pools []pool
	for router := range rapid.IntRange(0, 40).Draw(t, "routers") {
		var p pool
		for n := range rapid.IntRange(0, 18).Draw(t, "tunnels") {
			left := time.Duration(rapid.IntRange(-60, 600).Draw(t, "seconds left")) * time.Second
			p.leases = append(p.leases, leaseOf(router, n, left))
		}
		pools = append(pools, p)
	}
	return pools
}

// checkFair fails if a dead lease was chosen, one was chosen twice, or a
// router has two more than another one that had more to give.
func checkFair(t *rapid.T, pools []pool, chosen []i2p.Lease) {
	count, seen := map[byte]int{}, map[tunnelKey]bool{}
	least := epochStart
	for _, l := range chosen {
		if !l.End.After(epochStart) || seen[keyOf(l)] {
			t.Fatalf("lease %v was dead, or came twice", l)
		}
		seen[keyOf(l)] = true
		count[l.Gateway[0]]++
		if l.End.After(epochStart.Add(time.Minute)) {
			least = epochStart.Add(time.Minute)
		}
	}
	for router, p := range pools {
		have := len(longest(p.leases, least))
		for other, n := range count {
			if got := count[byte(router)]; got < have && n > got+1 {
				t.Fatalf("router %d has %d of %d leases listed, router %d has %d", router, got, have, other, n)
			}
		}
	}
}

func TestClipLeavesTheOriginalAlone(t *testing.T) {
	leases := []i2p.Lease{leaseOf(0, 0, time.Minute), leaseOf(0, 1, time.Hour)}
	got := clip(leases, epochStart.Add(2*time.Minute))
	if got[0].End != epochStart.Add(time.Minute) || got[1].End != epochStart.Add(2*time.Minute) {
		t.Errorf("clipped to %v", got)
	}
	if leases[1].End != epochStart.Add(time.Hour) {
		t.Error("clip changed its argument")
	}
}
