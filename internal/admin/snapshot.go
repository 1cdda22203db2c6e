package admin

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// A Snapshot is what a role has to show at one moment.
type Snapshot struct {
	// Role is one of Roles, and Name the node's, empty if it has none.
	Role, Name string
	// Checks are what /readyz is made of.
	Checks []Check
	// Status is the role's own, for JSON.
	Status any

	samples []sample
}

// A Check is one line of /readyz.
type Check struct {
	Name string `json:"name"` // of each once
	OK   bool   `json:"ok"`
	// Advisory checks tell of what is wrong, and a node that fails one is ready nevertheless.
	Advisory bool `json:"advisory"`
	// Text says in words how it is; if it is not OK, also what to do, where that is known.
	Text string `json:"text"`
}

// String is the line: "[+] router: session held", with "[-]" if it is not OK, and "[!]" if
// that is no reason not to be ready.
func (c Check) String() string {
	mark := "-"
	switch {
	case c.OK:
		mark = "+"
	case c.Advisory:
		mark = "!"
	}
	return fmt.Sprintf("[%s] %s: %s", mark, c.Name, c.Text)
}

// Need adds a check that must be OK for the node to be ready; good and bad are its text
// when it is and when not.
func (s *Snapshot) Need(name string, ok bool, good, bad string) { s.check(name, ok, false, good, bad) }

// Advise adds a check without which the node is ready all the same.
func (s *Snapshot) Advise(name string, ok bool, good, bad string) { s.check(name, ok, true, good, bad) }

func (s *Snapshot) check(name string, ok, advisory bool, good, bad string) {
	text := good
	if !ok {
		text = bad
	}
	s.Checks = append(s.Checks, Check{Name: name, OK: ok, Advisory: advisory, Text: text})
}

// Ready reports whether the node does its work.
func (s *Snapshot) Ready() bool {
	for _, c := range s.Checks {
		if !c.OK && !c.Advisory {
			return false
		}
	}
	return true
}

// A Report is what /status.json has.
type Report struct {
	Role   string  `json:"role"`
	Name   string  `json:"name"`
	Ready  bool    `json:"ready"`
	Checks []Check `json:"checks"`
	Status any     `json:"status"`
}

// Report is s for JSON.
func (s *Snapshot) Report() Report {
	return Report{Role: s.Role, Name: s.Name, Ready: s.Ready(), Checks: s.Checks, Status: s.Status}
}

// lookTime is how long a node may take to say how it is. It takes some of its locks for
// that, each for microseconds.
const lookTime = 5 * time.Second

// errStuck is what a node whose locks are stuck gets.
var errStuck = fmt.Errorf("the node has not said how it is for %v: it is stuck or badly overloaded; /debug/pprof/goroutine?debug=2 says where", lookTime)

// A watcher takes Snapshots, one at a time: all that look meanwhile see the same.
type watcher struct {
	source Source

	mu  sync.Mutex
	now *glance // under way; nil if none is
}

// A glance is a Snapshot that is being taken.
type glance struct {
	done chan struct{}
	s    *Snapshot // set when done is closed
}

// look waits for the Snapshot that is being taken, or for a new one, for lookTime.
func (o *watcher) look(ctx context.Context) (*Snapshot, error) {
	g := o.join()
	timer := time.NewTimer(lookTime)
	defer timer.Stop()
	select {
	case <-g.done:
		if g.s == nil {
			return nil, errors.New("the node could not say how it is: see its log")
		}
		return g.s, nil
	case <-timer.C:
		return nil, errStuck
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (o *watcher) join() *glance {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.now != nil {
		return o.now
	}
	g := &glance{done: make(chan struct{})}
	o.now = g
	go func() {
		g.s = o.source()
		o.mu.Lock()
		o.now = nil
		o.mu.Unlock()
		close(g.done)
	}()
	return g
}
