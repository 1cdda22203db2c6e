package cluster_test

import (
	"testing"
	"time"
)

// TestClusterAway has all balancers killed under traffic. The frontends go on with
// what they have, and before that runs out with the reserve LeaseSets; when the
// balancers are back, all goes on by itself.
func TestClusterAway(t *testing.T) {
	t.Parallel()
	away := 70 * time.Second
	if soak() {
		away = 5 * time.Minute
	}
	w := newWorld(t, newLoopback(t, balancers), 3)
	w.startTraffic()
	w.settle()
	w.letPass(30 * time.Second) // a service that has just begun has no time for reserves
	before, began := w.history.last(), time.Now()
	w.each((*process).kill)
	w.watchAway(away)
	back := time.Now()
	w.each((*process).start)
	first := w.history.awaitTerm(t, before, 2*time.Minute)
	took := w.until(2*time.Minute, "publishing resumes", func() bool { return w.history.publishedSince(back) > 0 })
	w.settle()
	sum := w.traffic.endWhole()
	w.judge()
	t.Logf("SUMMARY cluster away for %v: %d requests, %d lost, %d streams broken, longest echo %v, on reserve: %d of %d routers; back: first LeaseSet after %v, in the netDB after %v",
		time.Since(began).Round(time.Second), sum.Sent, sum.Lost, sum.Broken, sum.Gap.Round(time.Millisecond),
		w.history.reservesBetween(began, back), w.members+1, first.at.Sub(back).Round(time.Millisecond), took.Round(time.Millisecond))
	if w.history.reservesBetween(began, back) == 0 {
		t.Error("no frontend turned to its reserve: nothing was bridged")
	}
}

// letPass lets time pass.
func (w *world) letPass(d time.Duration) {
	select {
	case <-time.After(d):
	case <-w.t.Context().Done():
	}
}

// watchAway lets time pass, and says what becomes of the requests.
func (w *world) watchAway(away time.Duration) {
	const window = 30 * time.Second
	for began := time.Now(); time.Since(began) < away; {
		from := time.Now()
		w.letPass(min(window, time.Until(began.Add(away))))
		if w.t.Context().Err() != nil {
			return
		}
		q := w.traffic.tally.Since(from)
		w.t.Logf("away for %3.0f s: %d requests, %d answered", time.Since(began).Seconds(), q.Sent, q.Answered)
	}
}

// reservesBetween is how many frontends took something while no balancer was
// there to send it.
func (h *history) reservesBetween(from, to time.Time) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	who := map[string]bool{}
	for _, o := range h.offers {
		if !o.refused && o.at.After(from.Add(time.Second)) && o.at.Before(to) {
			who[o.frontend] = true
		}
	}
	return len(who)
}
