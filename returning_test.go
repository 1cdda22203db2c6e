package onelease_test

import (
	"testing"
	"time"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/i2p/simnet"
)

// TestReturningVisitors has visitors load a page, read it for half a minute to
// three, and load another. Between, their member's LeaseSet runs out, and must
// not before their router would begin a new session.
func TestReturningVisitors(t *testing.T) {
	for _, profile := range []simnet.Profile{simnet.I2PD245, simnet.I2PD258} {
		for _, with := range []bool{false, true} {
			name := profile.Name + map[bool]string{false: "", true: " with a refuge"}[with]
			t.Run(name, func(t *testing.T) {
				inWorld(t, simnet.Config{Seed: 1}, profile, func(w *world) { w.visitorsReturn(with) })
			})
		}
	}
}

func (w *world) visitorsReturn(withRefuge bool) {
	s := &streamRuns{w: w}
	defer w.start(w.configWith(s, withRefuge))()
	w.untilPublished(memberA, memberB)
	w.addStreamRemotes(36, w.profile, false)
	for i, remote := range w.remotes {
		loads := askersApart * time.Duration(i)
		reads := 30*time.Second + 4*time.Second*time.Duration(i)
		s.add(remote, false, loads, 10, 0)
		s.add(remote, false, loads+reads, 10, 0)
	}
	s.finish(6 * time.Minute)
	for _, r := range s.all() {
		if waited := r.last().Sub(r.begin()); waited > 3*time.Second {
			w.t.Errorf("stream %d took %v", r.number, waited)
		}
	}
}

// configWith is a configuration for streams, maybe with a refuge.
func (w *world) configWith(s *streamRuns, withRefuge bool) onelease.Config {
	cfg := w.config()
	cfg.Service = s
	if withRefuge {
		w.network.NewRouter(simnet.RouterConfig{Name: refuge, Profile: w.profile})
		cfg.Routers = append(cfg.Routers, onelease.Router{Name: refuge, Dial: w.network.Router(refuge).DialI2CP, Refuge: true})
	}
	for i := range cfg.Routers {
		cfg.Routers[i].DontPublish = quirkOf(w.profile)
	}
	return cfg
}
