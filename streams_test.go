package onelease_test

import (
	"testing"
	"time"

	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/simnet"
)

// startStreams starts a node whose service has streams, with that many remotes
// that can begin some.
func (w *world) startStreams(remotes int, published bool) (s *streamRuns, stop func()) {
	w.t.Helper()
	s = &streamRuns{w: w}
	cfg := w.config()
	cfg.Service = s
	for i := range cfg.Routers {
		cfg.Routers[i].DontPublish = quirkOf(w.profile)
	}
	stop = w.start(cfg)
	w.untilPublished(memberA, memberB)
	w.addStreamRemotes(remotes, w.profile, published)
	return s, stop
}

// quirkOf is how a router of that make reads i2cp.dontPublishLeaseSet.
func quirkOf(profile simnet.Profile) frontend.Quirk {
	if profile.I2CP.DontPublishInverted {
		return frontend.Inverted
	}
	return frontend.Normal
}

// addStreamRemotes adds remotes whose streams are as those of i2pd's SAM.
func (w *world) addStreamRemotes(count int, profile simnet.Profile, published bool) {
	w.t.Helper()
	for range count {
		w.addStreamRemote(profile, published, nil)
	}
}

func (w *world) addStreamRemote(profile simnet.Profile, published bool, keys *i2p.Keys) {
	w.t.Helper()
	r := w.network.NewRemote(simnet.RemoteConfig{Profile: profile, Published: published, Streams: true, Keys: keys})
	w.remotes = append(w.remotes, r)
	w.until(time.Minute, "a remote has tunnels", r.Ready)
}

// finish waits until the streams have ended and checks each of them.
func (s *streamRuns) finish(limit time.Duration) {
	s.w.t.Helper()
	s.w.until(limit, "all streams have ended", s.ended)
	for _, r := range s.all() {
		if done, wrong, err := r.state(); !done || wrong {
			s.w.t.Errorf("stream %d, upload %v: wrong bytes %v, last heard of %v ago, ended with %v",
				r.number, r.upload, wrong, time.Since(r.last()).Round(time.Second), err)
		}
	}
}

// TestStreamsSurvive loses a member in the middle of downloads and uploads whose
// sessions are old enough to be taken over.
func TestStreamsSurvive(t *testing.T) {
	const remotes = 4
	for _, test := range []struct {
		name   string
		most   time.Duration // that a stream may stall
		strike func(w *world)
	}{
		{"kill", time.Second, func(w *world) { w.network.Router(memberA).Kill() }},
		{"hang", 3 * time.Second, func(w *world) { w.network.Router(memberA).Freeze() }},
		{"frontend", time.Second, func(w *world) { w.node.KillFrontend(memberA) }},
	} {
		for _, profile := range []simnet.Profile{simnet.I2PD245, simnet.I2PD258} {
			t.Run(test.name+" "+profile.Name, func(t *testing.T) {
				inWorld(t, simnet.Config{Seed: 1}, profile, func(w *world) {
					s, stop := w.startStreams(remotes, true)
					defer stop()
					for i, remote := range w.remotes {
						s.add(remote, i%2 == 1, askersApart*time.Duration(i), 1100, 200*time.Millisecond)
					}
					time.Sleep(130 * time.Second)
					if w.remotesOf(memberA) == 0 {
						t.Fatal("nobody is at the member that is to be lost")
					}
					lost := time.Now()
					test.strike(w)
					s.finish(5 * time.Minute)
					stalls := s.stalls(lost)
					t.Logf("stalls %v", stalls)
					if longest := stalls[len(stalls)-1]; longest > test.most {
						t.Errorf("a stream stalled for %v", longest)
					}
				})
			})
		}
	}
}

// TestYoungStreams loses a member when the sessions are too young to be taken
// over: streams wait for that, and come to their ends. Uploads from i2pd 2.58
// do not, which gives up after 82 s.
func TestYoungStreams(t *testing.T) {
	inWorld(t, simnet.Config{Seed: 1}, simnet.I2PD245, func(w *world) {
		s, stop := w.startStreams(4, true)
		defer stop()
		for i, remote := range w.remotes {
			s.add(remote, i%2 == 1, askersApart*time.Duration(i), 300, 200*time.Millisecond)
		}
		time.Sleep(20 * time.Second)
		lost := time.Now()
		w.network.Router(memberA).Kill()
		s.finish(5 * time.Minute)
		stalls := s.stalls(lost)
		t.Logf("stalls %v", stalls)
		if longest := stalls[len(stalls)-1]; longest < 90*time.Second || longest > 125*time.Second {
			t.Errorf("the longest stall was %v, want it until the session was 120 s old", longest)
		}
	})
}

// TestStreamsBeginTogether has each remote begin several streams before it is
// served: its router begins a session for each, maybe with several members, and a
// remote that is answered on more than one is torn between them.
func TestStreamsBeginTogether(t *testing.T) {
	for _, profile := range []simnet.Profile{simnet.I2PD245, simnet.I2PD258} {
		t.Run(profile.Name, func(t *testing.T) {
			inWorld(t, simnet.Config{Seed: 1}, profile, func(w *world) {
				s, stop := w.startStreams(8, true)
				defer stop()
				for i, remote := range w.remotes {
					for k := range 3 {
						s.add(remote, k == 1, 2*askersApart*time.Duration(i), 400, 100*time.Millisecond)
					}
				}
				s.finish(3 * time.Minute)
				stuck := 0
				for _, remote := range w.remotes {
					stuck += remote.StuckStreams(w.keys.Destination.Hash())
				}
				stalls := s.stalls(time.Time{})
				t.Logf("stalls p50 %v, max %v", stalls[len(stalls)/2], stalls[len(stalls)-1])
				if stuck > 0 {
					t.Errorf("%d of %d streams would end with their member", stuck, len(stalls))
				}
			})
		})
	}
}
