package streaming

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/i2p"
)

// count is how many of n SYNs of different streams are taken.
func (f *forger) count(n int, first uint32) int {
	before := f.at.Stats().Accepted
	for i := range n {
		f.receive(f.sign(f.syn(first+uint32(i))), nil)
	}
	return int(f.at.Stats().Accepted - before)
}

func TestLimits(t *testing.T) {
	for _, c := range []struct {
		name   string
		limits Limits
		want   int
		more   int // that are refused
	}{
		{"backlog", Limits{Backlog: 3}, 3, 10},
		{"streams", Limits{Streams: 4}, 4, 10},
		{"of a remote", Limits{StreamsPerRemote: 5}, 5, 10},
		{"per minute", Limits{PerMinute: 2}, 2, 10},
		{"per day", Limits{PerHour: 9, PerDay: 6}, 6, 10},
		{"all per hour", Limits{TotalPerHour: 7}, 7, 10},
		{"access list", Limits{Allow: func(i2p.Hash) bool { return false }}, 0, 10},
		{"none", Limits{Backlog: -1, Streams: -1, StreamsPerRemote: -1}, 300, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, e := listening(t, Config{Limits: c.limits})
				if n := newForger(t, e).count(c.want+c.more, 1); n != c.want {
					t.Errorf("%d streams are taken, want %d", n, c.want)
				}
				if s := e.Stats(); s.Refused != uint64(c.more) {
					t.Errorf("%d are refused", s.Refused)
				}
			})
		})
	}
}

func TestRateLimitsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, e := listening(t, Config{Limits: Limits{PerMinute: 2}})
		one, two := newForger(t, e), newForger(t, e)
		if a, b := one.count(5, 1), two.count(5, 100); a != 2 || b != 2 {
			t.Errorf("%d and %d are taken", a, b)
		}
		time.Sleep(time.Minute)
		if n := one.count(5, 10); n != 2 {
			t.Errorf("%d are taken a minute later", n)
		}
	})
}
