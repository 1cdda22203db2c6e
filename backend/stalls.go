package backend

import (
	"slices"
	"time"
)

// StallStats say how long streams stood still when the frontend of their remote
// was lost. Each remote that had streams then counts once for each loss.
type StallStats struct {
	// Resumed counts the remotes whose streams went on: one of them at least,
	// since a remote's streams share a session.
	Resumed uint64
	// P50 and Max are from the loss to the first packet of a stream, of the
	// last 100 of those.
	P50, Max time.Duration
	// Unreachable counts remotes that were not heard again in time (5 min): on
	// stock routers those that publish no LeaseSet, or are gone themselves.
	// Broken counts those that were heard again, and a stream of theirs was not.
	Unreachable, Broken uint64
}

// stalls are StallStats with the times that they are made of.
type stalls struct {
	StallStats
	last [100]time.Duration // a ring
}

func (s *stalls) add(stall time.Duration) {
	s.last[s.Resumed%uint64(len(s.last))] = stall
	s.Resumed++
}

func (s *stalls) stats() StallStats {
	if n := min(s.Resumed, uint64(len(s.last))); n > 0 {
		sorted := slices.Sorted(slices.Values(s.last[:n]))
		s.P50, s.Max = sorted[n/2], sorted[n-1]
	}
	return s.StallStats
}
