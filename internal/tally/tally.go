// Package tally counts requests and answers of remotes while things are killed,
// and says afterwards which losses a kill explains and which nothing does. The
// demo and the tests against real routers judge by it.
package tally

import (
	"sync"
	"time"
)

// RecoverTime is how long after a kill a remote may go unanswered. What it
// sends later and gets no answer to is lost.
const RecoverTime = 30 * time.Second

// flightTime is how long before a kill a request may have been sent and still
// have been under way when it happened.
const flightTime = time.Second

// A Tally counts for each remote by itself. Its methods may be called by many
// goroutines.
type Tally struct {
	mu      sync.Mutex
	remotes []remoteTally
	kills   []time.Time
	recover time.Duration
}

// A remoteTally is one remote's requests, by number.
type remoteTally struct {
	sent     []time.Time
	answered []bool
}

// New returns a Tally of remotes numbered from 0.
func New(remotes int) *Tally {
	return &Tally{remotes: make([]remoteTally, remotes), recover: RecoverTime}
}

// RecoverWithin sets another RecoverTime, for remotes that may take longer.
func (t *Tally) RecoverWithin(d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.recover = d
}

// Send notes a request of a remote and returns its number.
func (t *Tally) Send(remote int, now time.Time) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := &t.remotes[remote]
	r.sent = append(r.sent, now)
	r.answered = append(r.answered, false)
	return len(r.sent) - 1
}

// Answer notes that a request was answered; a second answer does not count.
func (t *Tally) Answer(remote, number int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := &t.remotes[remote]
	if number >= 0 && number < len(r.sent) {
		r.answered[number] = true
	}
}

// Kill notes that something was killed.
func (t *Tally) Kill(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kills = append(t.kills, now)
}

// Requests is what became of the remotes' requests.
type Requests struct {
	Sent     int `json:"sent"`
	Answered int `json:"answered"`
	// Lost were not answered and should have been.
	Lost int `json:"lost"`
	// Cut were under way when something was killed, or sent after that by a
	// remote that was not answered again yet, within 30 s.
	Cut int `json:"cut"`
}

// Requests sums up. Requests younger than grace may still be answered, and
// do not count as lost yet.
func (t *Tally) Requests(now time.Time, grace time.Duration) Requests {
	return t.between(time.Time{}, now.Add(-grace))
}

// Since sums up the requests sent after start, all of which count.
func (t *Tally) Since(start time.Time) Requests { return t.between(start, far) }

var far = time.Unix(1<<40, 0)

// between sums up the requests sent after start. Those sent after ripe do not
// count as lost.
func (t *Tally) between(start, ripe time.Time) Requests {
	t.mu.Lock()
	defer t.mu.Unlock()
	var sum Requests
	for i := range t.remotes {
		r := &t.remotes[i]
		for n, sent := range r.sent {
			if !sent.After(start) {
				continue
			}
			sum.Sent++
			switch {
			case r.answered[n]:
				sum.Answered++
			case sent.After(ripe):
			case t.excusedLocked(r, sent):
				sum.Cut++
			default:
				sum.Lost++
			}
		}
	}
	return sum
}

// excusedLocked reports whether a kill explains that a request of r went unanswered.
func (t *Tally) excusedLocked(r *remoteTally, sent time.Time) bool {
	for _, kill := range t.kills {
		until := kill.Add(t.recover)
		if back, ok := r.recovered(kill); ok && back.Before(until) {
			until = back
		}
		if sent.After(kill.Add(-flightTime)) && sent.Before(until) {
			return true
		}
	}
	return false
}

// recovered is when r sent its first request after the kill that was answered.
func (r *remoteTally) recovered(kill time.Time) (time.Time, bool) {
	for n, sent := range r.sent {
		if sent.After(kill) && r.answered[n] {
			return sent, true
		}
	}
	return time.Time{}, false
}

// Recovery is how long after the kill the last remote was served again: its
// first request after it that was answered. False until all are.
func (t *Tally) Recovery(kill time.Time) (time.Duration, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var longest time.Duration
	for i := range t.remotes {
		back, ok := t.remotes[i].recovered(kill)
		if !ok {
			return 0, false
		}
		longest = max(longest, back.Sub(kill))
	}
	return longest, true
}

// Affected is how many remotes a kill cost a request or more.
func (t *Tally) Affected(kill time.Time) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := 0
	for i := range t.remotes {
		if t.remotes[i].affected(kill) {
			n++
		}
	}
	return n
}

func (r *remoteTally) affected(kill time.Time) bool {
	for n, sent := range r.sent {
		if !r.answered[n] && sent.After(kill.Add(-flightTime)) && sent.Before(kill.Add(RecoverTime)) {
			return true
		}
	}
	return false
}

// A Gap is a run of requests of one remote that were not answered.
type Gap struct {
	Remote   int
	From, To time.Time // when the first and the last were sent
	Requests int
}

// Gaps are all gaps, remote by remote.
func (t *Tally) Gaps() []Gap {
	t.mu.Lock()
	defer t.mu.Unlock()
	var gaps []Gap
	for i := range t.remotes {
		r, open := &t.remotes[i], false
		for n, sent := range r.sent {
			switch {
			case r.answered[n]:
				open = false
			case !open:
				gaps, open = append(gaps, Gap{Remote: i, From: sent, To: sent, Requests: 1}), true
			default:
				last := &gaps[len(gaps)-1]
				last.To, last.Requests = sent, last.Requests+1
			}
		}
	}
	return gaps
}
