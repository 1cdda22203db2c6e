package onelease_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/simnet"
	"github.com/onelease/onelease/internal/owner"
)

const (
	memberC = "c"
	// webOne and webTwo are backends.
	webOne = "web-1"
	webTwo = "web-2"
)

// startBackends starts a node on three members, with backends that serve one
// list of streams, and as many remotes.
func (w *world) startBackends(remotes int, backends ...onelease.Backend) (s *streamRuns, stop func()) {
	w.t.Helper()
	s = &streamRuns{w: w}
	cfg := w.config()
	third := w.network.NewRouter(simnet.RouterConfig{Name: memberC, Profile: w.profile})
	cfg.Routers = append(cfg.Routers, onelease.Router{Name: memberC, Dial: third.DialI2CP, Member: true})
	for i := range cfg.Routers {
		cfg.Routers[i].DontPublish = quirkOf(w.profile)
	}
	for i := range backends {
		backends[i].Service = s.on(backends[i].Name)
	}
	cfg.Service, cfg.Backends = nil, backends
	stop = w.start(cfg)
	w.untilPublished(memberA, memberB, memberC)
	for i := range remotes {
		w.addStreamRemote(w.profile, true, keysFor(w.t, i%2 == 0))
	}
	return s, stop
}

// keysFor makes keys of a remote that goes to the first of the two backends, while
// both take new streams, or to the second.
func keysFor(t *testing.T, first bool) *i2p.Keys {
	t.Helper()
	one, two := owner.Tag(webOne), owner.Tag(webTwo)
	for {
		keys, err := i2p.GenerateKeys()
		if err != nil {
			t.Fatal(err)
		}
		key := owner.KeyOf(keys.Destination.Hash())
		if first == (owner.Score(key, one, 1) > owner.Score(key, two, 1)) {
			return keys
		}
	}
}

// addEach has each remote begin a stream, one after the other.
func (s *streamRuns) addEach(chunks int, every time.Duration) []*streamRun {
	before := len(s.all())
	for i, remote := range s.w.remotes {
		s.add(remote, i%3 == 1, askersApart*time.Duration(i), chunks, every)
	}
	return s.all()[before:]
}

// untilServed waits until all of these carry data.
func (s *streamRuns) untilServed(runs []*streamRun) {
	s.w.t.Helper()
	s.w.until(time.Minute, "all streams carry data", func() bool {
		for _, r := range runs {
			if r.heard() == 0 {
				return false
			}
		}
		return true
	})
}

// by are those of the streams that a backend serves.
func by(backend string, runs []*streamRun) (of []*streamRun) {
	for _, r := range runs {
		if r.server() == backend {
			of = append(of, r)
		}
	}
	return of
}

// longest is the longest stall of any of them since then.
func longest(runs []*streamRun, since time.Time) (stall time.Duration) {
	for _, r := range runs {
		stall = max(stall, r.stall(since))
	}
	return stall
}

// TestBackendKilled kills one of two under load: the streams of the other do not
// notice, those of the lost one end, and new streams of all remotes are served
// within a second.
func TestBackendKilled(t *testing.T) {
	for _, profile := range []simnet.Profile{simnet.I2PD245, simnet.I2PD258} {
		t.Run(profile.Name, func(t *testing.T) {
			inWorld(t, simnet.Config{Seed: 1}, profile, func(w *world) {
				s, stop := w.startBackends(12, onelease.Backend{Name: webOne}, onelease.Backend{Name: webTwo})
				defer stop()
				runs := s.addEach(300, 200*time.Millisecond)
				time.Sleep(20 * time.Second)
				s.untilServed(runs)
				own, others := by(webOne, runs), by(webTwo, runs)
				if len(own) != len(runs)/2 || len(others) != len(runs)/2 {
					t.Fatalf("%d streams on the one backend, %d on the other", len(own), len(others))
				}
				usual := longest(others, time.Now().Add(-10*time.Second))
				lost := time.Now()
				w.node.KillBackend(webOne)
				again := s.addEach(1, 0)
				time.Sleep(20 * time.Second) // then some come to their ends, which takes a while
				stall := longest(others, lost)
				s.w.until(2*time.Minute, "the other's streams have ended", func() bool { return allDone(others) && allDone(again) })
				t.Logf("%d streams lost; the other %d stalled for %v, before that for %v; new ones waited %v",
					len(own), len(others), stall, usual, waits(again))
				if stall > usual+100*time.Millisecond {
					t.Errorf("a stream of the other backend stalled for %v, before that for %v", stall, usual)
				}
				for _, r := range again {
					if waited, ok := r.waited(); r.server() != webTwo || !ok || waited > time.Second {
						t.Errorf("a new stream was served by %q, after %v", r.server(), waited)
					}
				}
				if anyDone(own) {
					t.Error("a stream of the lost backend came to its end")
				}
				if lost := w.orphaned(); lost == 0 {
					t.Error("no packet for the lost backend was counted")
				}
			})
		})
	}
}

func waits(runs []*streamRun) (longest time.Duration) {
	for _, r := range runs {
		waited, _ := r.waited()
		longest = max(longest, waited)
	}
	return longest
}

func allDone(runs []*streamRun) bool {
	for _, r := range runs {
		if done, _, _ := r.state(); !done {
			return false
		}
	}
	return true
}

func anyDone(runs []*streamRun) bool {
	for _, r := range runs {
		if done, _, _ := r.state(); done {
			return true
		}
	}
	return false
}

func (w *world) orphaned() (n uint64) {
	for _, name := range []string{memberA, memberB, memberC} {
		n += w.node.Frontend(name).Status().Orphaned
	}
	return n
}

// TestBackendDrained drains one of two: it finishes what it has, the other gets
// what is new, and Drain returns when nothing is left.
func TestBackendDrained(t *testing.T) {
	inWorld(t, simnet.Config{Seed: 1}, simnet.I2PD245, func(w *world) {
		s, stop := w.startBackends(8, onelease.Backend{Name: webOne}, onelease.Backend{Name: webTwo})
		defer stop()
		runs := s.addEach(200, 200*time.Millisecond)
		time.Sleep(10 * time.Second)
		s.untilServed(runs)
		host := w.node.Backend(webOne)
		ctx, cancel := context.WithTimeout(w.ctx, time.Second)
		if err := host.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("with %d streams left, drained: %v", len(by(webOne, runs)), err)
		}
		cancel()
		again := s.addEach(20, 100*time.Millisecond)
		if err := host.Drain(w.ctx); err != nil {
			t.Fatal(err)
		}
		if left := host.Stats().Streams.Open; left != 0 || !allDone(by(webOne, runs)) {
			t.Errorf("drained, and %d streams are left", left)
		}
		s.finish(2 * time.Minute)
		if n := len(by(webTwo, again)); n != len(again) {
			t.Errorf("%d of %d new streams went to the other backend", n, len(again))
		}
		host.SetWeight(1)
		back := s.addEach(1, 0)
		s.finish(time.Minute)
		if n := len(by(webOne, back)); n != len(back)/2 {
			t.Errorf("of %d streams after the drain %d went to who was drained", len(back), n)
		}
	})
}

// TestStandbyBackend: a standby serves when no primary does, and no longer.
func TestStandbyBackend(t *testing.T) {
	inWorld(t, simnet.Config{Seed: 1}, simnet.I2PD245, func(w *world) {
		s, stop := w.startBackends(6, onelease.Backend{Name: webOne}, onelease.Backend{Name: webTwo, Standby: true})
		defer stop()
		for _, step := range []struct {
			serves string
			before func()
		}{
			{webOne, func() {}},
			{webTwo, func() { w.node.KillBackend(webOne) }},
			{webOne, func() {
				if err := w.node.AddBackend(onelease.Backend{Name: webOne, Service: s.on(webOne)}); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
			}},
		} {
			step.before()
			runs := s.addEach(3, 100*time.Millisecond)
			s.finish(time.Minute)
			if n := len(by(step.serves, runs)); n != len(runs) {
				t.Errorf("%s served %d of %d", step.serves, n, len(runs))
			}
		}
	})
}

// TestRouterLostUnderTwoBackends loses, or drains, a router whose remotes have
// streams on both backends. Both must bring them to the same other one, or they
// would take them from each other. The second backend may have heard the remotes
// just before: it takes their sessions for too young to be moved, and must learn
// that the first has moved them.
func TestRouterLostUnderTwoBackends(t *testing.T) {
	for _, test := range []struct {
		name   string
		most   time.Duration // that a stream may stall
		strike func(w *world)
	}{
		{"kill", time.Second, func(w *world) { w.network.Router(memberA).Kill() }},
		{"hang", 3 * time.Second, func(w *world) { w.network.Router(memberA).Freeze() }},
		{"drain", time.Second, func(w *world) {
			if err := w.node.Drain(memberA, true); err != nil {
				w.t.Fatal(err)
			}
		}},
	} {
		for _, profile := range []simnet.Profile{simnet.I2PD245, simnet.I2PD258} {
			for late, before := range map[string]time.Duration{"": 130 * time.Second, " late": 5 * time.Second} {
				t.Run(test.name+late+" "+profile.Name, func(t *testing.T) {
					inWorld(t, simnet.Config{Seed: 1}, profile, func(w *world) {
						w.loseRouterUnderTwo(before, test.most, test.strike)
					})
				})
			}
		}
	}
}

// loseRouterUnderTwo has streams on both backends, those on the second begun so
// long before the strike.
func (w *world) loseRouterUnderTwo(before, most time.Duration, strike func(*world)) {
	w.t.Helper()
	const sessions = 136 * time.Second // their age at the strike
	s, stop := w.startBackends(6, onelease.Backend{Name: webOne})
	defer stop()
	const pace, rest = 200 * time.Millisecond, 30 * time.Second // of streams, and what they last beyond the strike
	older := s.addEach(int((sessions+rest)/pace), pace)
	time.Sleep(5 * time.Second)
	if err := w.node.AddBackend(onelease.Backend{Name: webTwo, Service: s.on(webTwo)}); err != nil {
		w.t.Fatal(err)
	}
	time.Sleep(sessions - before - 5*time.Second)
	newer := s.addEach(int((before+rest)/pace), pace)
	time.Sleep(before)
	if w.remotesOf(memberA) == 0 {
		w.t.Fatal("nobody is at the member that is to be lost")
	}
	if n := len(by(webTwo, newer)); n != len(newer)/2 || len(by(webOne, older)) != len(older) {
		w.t.Fatalf("the second backend serves %d streams", n)
	}
	lost := time.Now()
	strike(w)
	s.finish(6 * time.Minute)
	w.t.Logf("stalls %v", s.stalls(lost))
	if stall := longest(s.all(), lost); stall > most {
		w.t.Errorf("a stream stalled for %v", stall)
	}
}
