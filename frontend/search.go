package frontend

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	// longestRest bounds the wait before the next balancer is tried. A new leader
	// gives up the frontends that have not come over in 4 s
	// (balancer.Policy.TakeoverTime), so half of that.
	longestRest = 2 * time.Second
	// goodLine is how long a line to a leader must have lasted for its loss to be
	// hurried about: one that is cut off at once would else be tried without end.
	goodLine = time.Second
)

// A search goes round the balancers until the leader is found.
type search struct {
	balancers []string
	next      int
	gone      string // the leader that was lost last, to be tried last
	redirect  string // where to look next, if a balancer said
	redirects int
	hurries   int // how often more it goes on without a rest
	wait      time.Duration
}

// target is the next balancer to try.
func (s *search) target() string {
	if target := s.redirect; target != "" {
		s.redirect = ""
		return target
	}
	s.next++
	if next := s.balancers[s.next%len(s.balancers)]; next != s.gone {
		return next
	}
	s.gone = "" // once round
	s.next++
	return s.balancers[s.next%len(s.balancers)]
}

// lost says that the leader is lost, which had been there for so long. The
// others are asked at once: they answer when they know the next one. It may have
// gone without a word, and then it takes seconds to find that out.
func (s *search) lost(leader string, after time.Duration) {
	s.redirects, s.gone = 0, leader
	if after > goodLine {
		s.wait, s.hurries = minRetry, len(s.balancers)
	}
}

// follow reports whether a redirect is to be followed.
func (s *search) follow(leader string) bool {
	s.redirects++
	if s.redirects > maxRedirects {
		s.redirects = 0
		return false
	}
	s.redirect = leader
	return true
}

// hurry reports whether to go on without a rest.
func (s *search) hurry() bool {
	s.redirects = 0
	s.hurries--
	return s.hurries >= 0
}

// rest waits before the next try, each time for longer.
func (s *search) rest(ctx context.Context) {
	sleep(ctx, s.wait/2+rand.N(s.wait/2))
	s.wait = min(2*s.wait, longestRest)
}
