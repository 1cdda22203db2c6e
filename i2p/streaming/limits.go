package streaming

import (
	"time"

	"github.com/onelease/onelease/i2p"
)

// admit puts a stream that a remote begins into the tables, if the limits let
// it; isNew is false if it is there already.
func (s *Stack) admit(st *Stream) (admitted, isNew bool) {
	l := &s.cfg.Limits
	if l.Allow != nil && !l.Allow(st.remote.Hash) {
		return false, true
	}
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.begun[st.syn] != nil:
		return false, false
	case s.closed.Load() || !below(s.open, l.Streams) || !below(len(s.remotes[st.remote.Hash]), l.StreamsPerRemote):
		return false, true
	case !s.rates.take(st.remote.Hash, now):
		return false, true
	}
	if !s.addLocked(st) {
		return false, true
	}
	s.begun[st.syn], s.eager[st.syn.id] = st, st
	return true, true
}

// maxRates is how many remotes are counted at once. The one that was not seen
// for longest is forgotten first.
const maxRates = 8192

// rates counts how many streams remotes begin. The Stack's lock guards it.
type rates struct {
	each, all [3]int // limits by minute, hour, day; 0 is none
	total     rate
	remotes   map[i2p.Hash]*rate
	order     ring[seen]
}

// A seen is when a remote was; the newest for it counts.
type seen struct {
	remote i2p.Hash
	serial uint64
}

// A rate counts in the current minute, hour and day.
type rate struct {
	period [3]time.Duration
	count  [3]int
	serial uint64
}

var periods = [3]time.Duration{time.Minute, time.Hour, 24 * time.Hour}

func (r *rates) init(l Limits) {
	r.each = [3]int{l.PerMinute, l.PerHour, l.PerDay}
	r.all = [3]int{l.TotalPerMinute, l.TotalPerHour, l.TotalPerDay}
	r.remotes = make(map[i2p.Hash]*rate)
}

// take counts a stream, unless there have been too many.
func (r *rates) take(remote i2p.Hash, now time.Duration) bool {
	if !r.total.below(r.all, now) {
		return false
	}
	if r.each != [3]int{} {
		of := r.of(remote)
		if !of.below(r.each, now) {
			return false
		}
		of.add()
	}
	r.total.add()
	return true
}

// of is the rate of a remote, which is now the last to be forgotten.
func (r *rates) of(remote i2p.Hash) *rate {
	of := r.remotes[remote]
	if of == nil {
		of = new(rate)
		r.remotes[remote] = of
	}
	of.serial++
	r.order.push(seen{remote, of.serial})
	for len(r.remotes) > maxRates || r.order.len() > 4*maxRates {
		oldest := r.order.pop()
		if was := r.remotes[oldest.remote]; was != nil && was.serial == oldest.serial {
			delete(r.remotes, oldest.remote)
		}
	}
	return of
}

// below says whether the counts are below limits. A new period begins at 0.
func (r *rate) below(limits [3]int, now time.Duration) bool {
	ok := true
	for i, length := range periods {
		if period := now / length; period != r.period[i] {
			r.period[i], r.count[i] = period, 0
		}
		ok = ok && (limits[i] <= 0 || r.count[i] < limits[i])
	}
	return ok
}

func (r *rate) add() {
	for i := range r.count {
		r.count[i]++
	}
}
