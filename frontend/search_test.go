package frontend

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// TestSearchTriesTheLostLeaderLast: it may be gone without a word, and cost the
// time that a new leader gives to come over.
func TestSearchTriesTheLostLeaderLast(t *testing.T) {
	for start := range 3 {
		s := search{balancers: []string{"a", "b", "c"}, next: start}
		s.lost("b", time.Minute)
		var tried []string
		for range 3 {
			tried = append(tried, s.target())
			if !s.hurry() {
				t.Errorf("from %d on: a rest after %v", start, tried)
			}
		}
		if slices.Contains(tried[:2], "b") {
			t.Errorf("from %d on: tried %v, want the others before b", start, tried)
		}
	}
	alone := search{balancers: []string{"a"}}
	alone.lost("a", time.Minute)
	if got := alone.target(); got != "a" {
		t.Errorf("alone: tried %q", got)
	}
}

// takeoverTime is how long a new leader gives the frontends to come over:
// balancer.Policy.TakeoverTime's default.
const takeoverTime = 4 * time.Second

// TestSearchRestsBriefly: who was attached for a moment only is not punished for
// long, and nobody rests for so long that a new leader gives it up.
func TestSearchRestsBriefly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := search{balancers: []string{"a", "b"}, wait: minRetry}
		for range 10 {
			began := time.Now()
			if s.rest(t.Context()); time.Since(began) > takeoverTime/2 {
				t.Errorf("rested for %v", time.Since(began))
			}
		}
		s.lost("a", time.Millisecond)
		if s.wait == minRetry || s.hurry() {
			t.Error("a line that is cut off at once is hurried about")
		}
		s.lost("a", 2*time.Second)
		if s.wait != minRetry || !s.hurry() {
			t.Errorf("after a line of 2 s: rests for %v, want no rest at first", s.wait)
		}
	})
}
