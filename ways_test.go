package onelease_test

import (
	"time"

	"github.com/onelease/onelease/i2p/simnet"
)

// ways notes when remotes' LeaseSets were not in the netDB, how many of their
// streams were stuck at most, and when they came to a member in vain: it was lost
// within resendTime, or already when the remote took the session that it was given.
// A router that hangs, too, may give one when it goes on, by a hello of before,
// though nobody holds its I2CP session any more.
type ways struct {
	w       *world
	missing map[*simnet.Remote][]time.Time
	stuck   map[*simnet.Remote]int
	vain    map[*simnet.Remote][]time.Time // when they took the session
}

func newWays(w *world) *ways {
	return &ways{
		w: w, missing: map[*simnet.Remote][]time.Time{},
		stuck: map[*simnet.Remote]int{}, vain: map[*simnet.Remote][]time.Time{},
	}
}

func (s *ways) watch(during time.Duration) {
	for began := time.Now(); time.Since(began) < during; time.Sleep(time.Second) {
		for _, r := range s.w.remotes {
			if _, ok := s.w.network.Lookup(r.Destination().Hash()); !ok {
				s.missing[r] = append(s.missing[r], time.Now())
			}
			s.stuck[r] = max(s.stuck[r], r.StuckStreams(s.w.keys.Destination.Hash()))
			s.watchSession(r)
		}
	}
}

// watchSession notes a session that was begun in vain, once.
func (s *ways) watchSession(r *simnet.Remote) {
	dest := s.w.keys.Destination.Hash()
	age, ok := r.SessionAge(dest)
	if !ok || age > resendTime || !r.SessionLost(dest) {
		return
	}
	began := time.Now().Add(-age)
	if n := len(s.vain[r]); n == 0 || !s.vain[r][n-1].Equal(began) {
		s.vain[r] = append(s.vain[r], began)
	}
}

// had reports whether a stream that broke could have gone on. As many of a
// remote as were stuck are taken for those that were.
func (s *ways) had(r *streamRun) bool {
	vain := r.stoodStill(s.vain[r.remote])
	if len(vain) >= 2 && r.diedBefore(vain[len(vain)-1].Add(simnet.TakeoverAge+resendTime)) {
		return false
	}
	if len(r.stoodStill(s.missing[r.remote])) > 0 {
		return false
	}
	s.stuck[r.remote]--
	return s.stuck[r.remote] < 0
}

// stoodStill are those of the times that are between when the stream was last heard
// and when it failed. What has come by a member that was lost before it could
// be acked was no help to who waits for the ack: it fails patience after the last.
func (r *streamRun) stoodStill(times []time.Time) (within []time.Time) {
	const patience = 280 * time.Second
	last := r.last()
	if r.mu.Lock(); !r.failed.IsZero() && r.failed.Add(-patience).Before(last) {
		last = r.failed.Add(-patience)
	}
	r.mu.Unlock()
	for _, at := range times {
		if at.After(last) && !r.diedBefore(at) {
			within = append(within, at)
		}
	}
	return within
}

// diedBefore reports whether the stream had failed by then.
func (r *streamRun) diedBefore(at time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.failed.IsZero() && r.failed.Before(at)
}
