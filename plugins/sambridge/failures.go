package sambridge

import (
	"sync"
	"time"
)

// failures are wrong passwords by source. After the third in a row the next try of the
// source waits for 200 ms, after each one more twice as long, at most 10 s.
type failures struct {
	mu       sync.Mutex
	bySource map[string]failure
}

type failure struct {
	count   int       // of wrong passwords
	pending int       // tries that wait or are checked
	next    time.Time // no try before
}

const (
	failureDelay   = 100 * time.Millisecond
	maxDelay       = 10 * time.Second
	maxDoublings   = 7
	failureMemory  = 10 * time.Minute
	maxFailures    = 4096 // sources that are remembered
	maxPending     = 64   // tries of a source
	maxPatience    = 30 * time.Second
	failuresIgnore = 2 // somebody mistypes
)

func (f *failure) delay() time.Duration {
	if f.count <= failuresIgnore {
		return 0
	}
	return min(failureDelay<<min(f.count-failuresIgnore, maxDoublings), maxDelay)
}

// admit says how long a try has to wait, and expects a call of done; not ok, that there are
// too many that do.
func (f *failures) admit(source string, now time.Time) (wait time.Duration, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	of := f.bySource[source]
	if of.pending == 0 && now.Sub(of.next) > failureMemory {
		of = failure{next: now}
	}
	wait = max(0, of.next.Sub(now))
	if wait > maxPatience || of.pending >= maxPending {
		return 0, false
	}
	if f.bySource == nil {
		f.bySource = map[string]failure{}
	}
	if len(f.bySource) >= maxFailures {
		f.forgetLocked(now)
	}
	of.next = now.Add(wait + of.delay())
	of.pending++
	f.bySource[source] = of
	return wait, true
}

// done notes how a try went, and returns how many of the source were wrong.
func (f *failures) done(source string, wrong bool, now time.Time) (count int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	of := f.bySource[source]
	of.pending = max(0, of.pending-1)
	if wrong {
		of.count++
		if earliest := now.Add(of.delay()); of.next.Before(earliest) {
			of.next = earliest
		}
	}
	if of.count == 0 && of.pending == 0 {
		delete(f.bySource, source)
		return 0
	}
	f.bySource[source] = of
	return of.count
}

// forgetLocked makes room: of those that are over, or else of any one.
func (f *failures) forgetLocked(now time.Time) {
	var some string
	for source, of := range f.bySource {
		some = source
		if now.Sub(of.next) > failureMemory {
			delete(f.bySource, source)
		}
	}
	if len(f.bySource) >= maxFailures {
		delete(f.bySource, some)
	}
}
