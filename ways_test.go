package onelease_test

import (
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/simnet"
)

// ways notes when remotes' LeaseSets were not in the netDB, how many of their
// streams were stuck at most, and when they lost a member that they had just
// come to.
type ways struct {
	w       *world
	missing map[*simnet.Remote][]time.Time
	stuck   map[*simnet.Remote]int
	early   map[*simnet.Remote][]time.Time
}

func newWays(w *world) *ways {
	return &ways{
		w: w, missing: map[*simnet.Remote][]time.Time{},
		stuck: map[*simnet.Remote]int{}, early: map[*simnet.Remote][]time.Time{},
	}
}

// lost notes that a member will be.
func (s *ways) lost(member string) {
	dest := s.w.keys.Destination.Hash()
	for _, r := range s.w.remotes {
		raw, _ := r.LeaseSet(dest)
		ls, _, err := i2p.ParseLeaseSet2(raw)
		if age, ok := r.SessionAge(dest); err != nil || !ok || age > resendTime {
			continue
		}
		for _, own := range s.w.node.Frontend(member).Status().Pool {
			if lists(ls, own) {
				s.early[r] = append(s.early[r], time.Now())
				break
			}
		}
	}
}

func (s *ways) watch(during time.Duration) {
	for began := time.Now(); time.Since(began) < during; time.Sleep(time.Second) {
		for _, r := range s.w.remotes {
			if _, ok := s.w.network.Lookup(r.Destination().Hash()); !ok {
				s.missing[r] = append(s.missing[r], time.Now())
			}
			s.stuck[r] = max(s.stuck[r], r.StuckStreams(s.w.keys.Destination.Hash()))
		}
	}
}

// had reports whether a stream that broke could have gone on. As many of a
// remote as were stuck are taken for those that were.
func (s *ways) had(r *streamRun) bool {
	if r.stoodStill(s.missing[r.remote]) > 0 || r.stoodStill(s.early[r.remote]) >= 2 {
		return false
	}
	s.stuck[r.remote]--
	return s.stuck[r.remote] < 0
}

// stoodStill counts the times that are between when the stream was last heard and
// when it failed.
func (r *streamRun) stoodStill(times []time.Time) int {
	n, last := 0, r.last()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, at := range times {
		if at.After(last) && (r.failed.IsZero() || at.Before(r.failed)) {
			n++
		}
	}
	return n
}
