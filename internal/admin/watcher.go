package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// A Source takes a Snapshot. It is called each second and whenever somebody looks, one
// call at a time.
type Source func() *Snapshot

// How often a node looks at itself. One for which that is much work, such as a backend
// with tens of thousands of remotes, does so less often: in one part in looking of its time.
const (
	tick    = time.Second
	maxTick = 5 * time.Second
	looking = 200
)

// lookTime is how long a node may take to say how it is. It takes some of its locks for
// that, each for microseconds.
const lookTime = 5 * time.Second

// errStuck is what a node whose locks are stuck gets.
var errStuck = fmt.Errorf("the node has not said how it is for %v: it is stuck or badly overloaded; /debug/pprof/goroutine?debug=2 says where", lookTime)

var errNoSnapshot = errors.New("the node could not say how it is: see its log")

// A Watcher takes Snapshots of a node, one at a time: all that look meanwhile see the same.
// It keeps since when what fails has failed, and how some metrics were: so it takes them
// when nobody looks, too.
type Watcher struct {
	source Source
	closed chan struct{}
	once   sync.Once
	done   sync.WaitGroup

	mu      sync.Mutex
	now     *glance // under way; nil if none is
	lapses  lapses
	history *history // nil: none is kept
}

// A glance is a Snapshot that is being taken.
type glance struct {
	done chan struct{}
	s    *Snapshot // set when done is closed
}

// Watch watches a node until Close.
func Watch(source Source) *Watcher {
	o := newWatcher(source)
	o.history = newHistory(time.Now())
	o.done.Go(o.tick)
	return o
}

func newWatcher(source Source) *Watcher {
	return &Watcher{source: source, closed: make(chan struct{}), lapses: lapses{checks: map[string]time.Time{}}}
}

// Lines is a look at source that has its Line. It fails when /livez does.
func Lines(source Source) (look func(context.Context) (string, error)) {
	o := newWatcher(source)
	return func(ctx context.Context) (string, error) {
		s, err := o.look(ctx)
		if err != nil {
			return "", err
		}
		return s.Line(), nil
	}
}

// Close ends it, and does not wait for a node that is stuck.
func (o *Watcher) Close() {
	o.once.Do(func() { close(o.closed) })
	o.done.Wait()
}

// tick looks again and again, but waits while a look takes its time.
func (o *Watcher) tick() {
	for {
		began := time.Now()
		select {
		case <-o.join().done:
		case <-o.closed:
			return
		}
		took := time.Since(began)
		select {
		case <-time.After(min(max(tick, took*looking), maxTick)):
		case <-o.closed:
			return
		}
	}
}

// look waits for the Snapshot that is being taken, or for a new one, for lookTime.
func (o *Watcher) look(ctx context.Context) (*Snapshot, error) {
	g := o.join()
	timer := time.NewTimer(lookTime)
	defer timer.Stop()
	select {
	case <-g.done:
		if g.s == nil {
			return nil, errNoSnapshot
		}
		return g.s, nil
	case <-timer.C:
		return nil, errStuck
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (o *Watcher) join() *glance {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.now != nil {
		return o.now
	}
	g := &glance{done: make(chan struct{})}
	o.now = g
	go func() {
		s := o.source()
		o.mu.Lock()
		defer o.mu.Unlock()
		g.s = o.noteLocked(s, time.Now())
		o.now = nil
		close(g.done)
	}()
	return g
}

// noteLocked returns s with what the earlier ones tell, and keeps what later ones are
// to have.
func (o *Watcher) noteLocked(s *Snapshot, now time.Time) *Snapshot {
	if s == nil {
		return nil
	}
	seen := *s
	seen.at, seen.Checks = now.UTC().Truncate(time.Millisecond), slices.Clone(s.Checks)
	o.lapses.note(&seen)
	if o.history != nil {
		o.history.add(now, append(seen.common(), seen.samples...))
	}
	return &seen
}

// lapses are since when what fails now has failed without a break.
type lapses struct {
	checks map[string]time.Time // by name
	ready  *time.Time           // nil: the node is ready
}

// note has s tell it.
func (l *lapses) note(s *Snapshot) {
	before := l.checks
	l.checks = map[string]time.Time{}
	for i := range s.Checks {
		c := &s.Checks[i]
		if c.OK {
			continue
		}
		since, ok := before[c.Name]
		if !ok {
			since = s.at
		}
		l.checks[c.Name], c.Since = since, &since
	}
	switch {
	case s.Ready():
		l.ready = nil
	case l.ready == nil:
		since := s.at
		l.ready = &since
	}
	s.notReadySince = l.ready
}
