package onelease_test

import (
	"testing"
	"time"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/i2p/simnet"
)

// TestSurvivalOfTwoBackends is TestSurvival with each remote's streams on two
// backends: the second comes when the first has some of each, and gets the rest.
func TestSurvivalOfTwoBackends(t *testing.T) {
	s := survival{members: 6, remotes: 16, perRemote: 2, losses: 3 * time.Minute, every: time.Second}
	inWorld(t, simnet.Config{Seed: 1}, simnet.I2PD245, func(w *world) {
		runs := &streamRuns{w: w}
		cfg := s.config(w, runs)
		cfg.Service, cfg.Backends = nil, []onelease.Backend{{Name: webOne, Service: runs.on(webOne)}}
		defer w.start(cfg)()
		s.untilListed(w)
		s.begin(w, runs)
		w.node.Backend(webOne).SetWeight(0)
		if err := w.node.AddBackend(onelease.Backend{Name: webTwo, Service: runs.on(webTwo)}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		before := len(runs.all())
		for i, remote := range w.remotes { // no uploads: see TestSurvival
			runs.add(remote, false, askersApart*time.Duration(i), int(s.losses/s.every), s.every)
		}
		newer := runs.all()[before:]
		runs.untilServed(newer)
		if n := len(by(webTwo, newer)); n != len(newer) {
			t.Fatalf("the second backend has %d of %d streams", n, len(newer))
		}
		w.network.SetLink(survivalLink)
		ways := newWays(w)
		s.lose(w, ways)
		runs.finishSurvivors(ways, settleTime)
	})
}
