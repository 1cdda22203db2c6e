package balancer

import (
	"log/slog"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/raftstate"
)

// BenchmarkMergeAndSign is what a merged LeaseSet costs the leader without the
// commit: 16 leases chosen of 100 routers with 16 tunnels each, built and signed.
func BenchmarkMergeAndSign(b *testing.B) {
	keys, err := i2p.GenerateKeys()
	if err != nil {
		b.Fatal(err)
	}
	store, err := raftstate.Open(raftstate.Config{ID: "balancer-1", InMemory: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	leader, err := New(Config{Keys: keys, Store: store})
	if err != nil {
		b.Fatal(err)
	}
	var pools []pool
	for router := range 100 {
		pools = append(pools, poolOf(router, i2p.MaxLeases, 5*time.Minute))
	}
	for turn := 0; b.Loop(); turn++ {
		d := draft{leases: choose(pools, epochStart, leastLife, turn), life: leader.policy.MergedLife}
		made, _, err := leader.build([]draft{d}, epochStart)
		if err != nil {
			b.Fatal(err)
		}
		if err := leader.sign(&made[0], 1); err != nil {
			b.Fatal(err)
		}
	}
}
