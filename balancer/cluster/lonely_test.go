package cluster

import (
	"testing"
	"time"
)

// TestCompanyDecides when a leader has another one try: not while a frontend is
// there, or none is known, and each time later while all are away.
func TestCompanyDecides(t *testing.T) {
	began := time.Now()
	l := newLoneliness()
	left := func(from, to time.Duration, known, attached int) (at []time.Duration) {
		for d := from; d < to; d += time.Second {
			if l.over(known, attached, began.Add(d)) {
				at = append(at, d)
			}
		}
		return at
	}
	if at := left(0, time.Hour, 0, 0); at != nil {
		t.Errorf("none is known: it hands over after %v", at)
	}
	if at := left(0, time.Hour, 2, 1); at != nil {
		t.Errorf("one is there: it hands over after %v", at)
	}
	at := left(0, time.Hour, 2, 0)
	if len(at) < 5 || len(at) > 20 || at[0] < lonelyTime || at[0] > 2*lonelyTime {
		t.Errorf("all are away: it hands over after %v", at)
	}
	left(0, time.Second, 2, 2)
	if at := left(0, 2*lonelyTime, 2, 0); len(at) != 1 {
		t.Errorf("away again: it hands over after %v", at)
	}
}
