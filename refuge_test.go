package onelease_test

import (
	"testing"
	"time"

	"github.com/onelease/onelease/i2p/simnet"
)

const refuge = "refuge"

// TestRefuge loses a member whose remotes no hello can reach, since they publish
// no LeaseSet, and has all begin a new stream every few seconds. Without a refuge
// those of the lost member wait for as long as their routers keep its session.
func TestRefuge(t *testing.T) {
	for _, profile := range []simnet.Profile{simnet.I2PD245, simnet.I2PD258} {
		for _, with := range []bool{false, true} {
			name := profile.Name + map[bool]string{false: " without", true: " with"}[with]
			t.Run(name, func(t *testing.T) {
				inWorld(t, simnet.Config{Seed: 1}, profile, func(w *world) {
					slowest := w.slowestAfterLoss(with)
					t.Logf("the last new stream worked after %v", slowest)
					// One is begun every 5 s: the last that may work is of 30 s after the loss.
					if with != (slowest < 31*time.Second) {
						t.Errorf("the last new stream worked after %v", slowest)
					}
				})
			})
		}
	}
}

// slowestAfterLoss is how long the last remote had no new stream that worked.
func (w *world) slowestAfterLoss(withRefuge bool) time.Duration {
	s := &streamRuns{w: w}
	defer w.start(w.configWith(s, withRefuge))()
	w.untilPublished(memberA, memberB)
	w.addStreamRemotes(6, w.profile, false)
	for i, remote := range w.remotes {
		s.add(remote, false, askersApart*time.Duration(i), 10, 100*time.Millisecond)
	}
	s.finish(time.Minute)
	if w.remotesOf(memberA) == 0 {
		w.t.Fatal("nobody is at the member that is to be lost")
	}
	lost := time.Now()
	w.network.Router(memberA).Kill()
	for _, remote := range w.remotes {
		w.askers.Go(func() {
			for ; w.ctx.Err() == nil; time.Sleep(5 * time.Second) {
				s.add(remote, false, 0, 1, 0)
			}
		})
	}
	return w.until(3*time.Minute, "all have a new stream", func() bool { return s.servedSince(lost) == len(w.remotes) })
}

// servedSince is how many remotes had a whole stream that began since then.
func (s *streamRuns) servedSince(since time.Time) int {
	served := map[*simnet.Remote]bool{}
	for _, r := range s.all() {
		if done, _, _ := r.state(); done && r.begin().After(since) {
			served[r.remote] = true
		}
	}
	return len(served)
}

// begin is when the stream began.
func (r *streamRun) begin() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.began
}
