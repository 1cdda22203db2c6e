package simnet

import (
	"container/heap"
	"time"
)

// An event is something due at a time. Those of a router wait while it is
// frozen, as the timers of a stopped process do.
type event struct {
	at     time.Time
	seq    uint64
	router *Router // nil for what happens in the network itself
	run    func()
	index  int // in the queue, -1 when it is no longer there
}

// eventQueue is a heap of events by time, and by order of arrival at one time.
type eventQueue struct {
	list []*event
	seq  uint64
}

func (q *eventQueue) Len() int { return len(q.list) }

func (q *eventQueue) Less(i, j int) bool {
	a, b := q.list[i], q.list[j]
	if a.at.Equal(b.at) {
		return a.seq < b.seq
	}
	return a.at.Before(b.at)
}

func (q *eventQueue) Swap(i, j int) {
	q.list[i], q.list[j] = q.list[j], q.list[i]
	q.list[i].index, q.list[j].index = i, j
}

// Push is for package heap.
func (q *eventQueue) Push(x any) {
	e := x.(*event)
	e.index = len(q.list)
	q.list = append(q.list, e)
}

// Pop is for package heap.
func (q *eventQueue) Pop() any {
	last := len(q.list) - 1
	e := q.list[last]
	q.list[last] = nil
	q.list = q.list[:last]
	e.index = -1
	return e
}

// afterLocked runs f, with the network locked, after d.
func (n *Network) afterLocked(r *Router, d time.Duration, f func()) *event {
	n.events.seq++
	e := &event{at: time.Now().Add(d), seq: n.events.seq, router: r, run: f}
	heap.Push(&n.events, e)
	if e.index == 0 {
		n.wakeUp()
	}
	return e
}

// cancelLocked takes e off the queue; a nil e is none.
func (n *Network) cancelLocked(e *event) {
	if e == nil {
		return
	}
	e.run = nil
	if e.index >= 0 {
		heap.Remove(&n.events, e.index)
	}
}

func (n *Network) wakeUp() {
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// run does what is due, one event after the other, until the network closes.
func (n *Network) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-n.ctx.Done():
			return
		case <-timer.C:
		case <-n.wake:
		}
		timer.Reset(n.runDue())
	}
}

// runDue runs all events that are due and returns the time to the next.
func (n *Network) runDue() time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	for n.events.Len() > 0 {
		e := n.events.list[0]
		if wait := time.Until(e.at); wait > 0 {
			return wait
		}
		heap.Pop(&n.events)
		n.runLocked(e)
	}
	return time.Hour
}

func (n *Network) runLocked(e *event) {
	switch {
	case e.run == nil:
	case e.router != nil && e.router.state == routerFrozen:
		e.router.stalled = append(e.router.stalled, e)
	default:
		e.run()
	}
}
