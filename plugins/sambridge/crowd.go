package sambridge

import (
	"net"
	"sync"
)

// A crowd has all connections, and bounds those that have not begun. When there are too
// many, the oldest of the source that has most goes, so who comes now is served,
// however many stand in the door: of those that said nothing, and only if there are
// none of those that said HELLO.
type crowd struct {
	max, maxYoung int

	mu              sync.Mutex
	all             int
	silent, greeted queues
}

func newCrowd(max, maxYoung int) crowd {
	return crowd{max: max, maxYoung: maxYoung, silent: newQueues(), greeted: newQueues()}
}

// enter takes c in as a young one, or returns false if all places are taken.
func (w *crowd) enter(c *conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.silent.count+w.greeted.count >= w.maxYoung {
		w.evictLocked()
	}
	if w.all >= w.max {
		return false
	}
	w.all++
	w.silent.add(c)
	return true
}

func (w *crowd) evictLocked() {
	c := w.silent.next()
	if c == nil {
		c = w.greeted.next()
	}
	if c == nil {
		return
	}
	w.grownLocked(c)
	w.all-- // its place is free at once
	c.b.stats.evicted.Add(1)
	c.evicted.Store(true)
	c.nc.SetReadDeadline(longAgo)
}

// greets says that c has said HELLO.
func (w *crowd) greets(c *conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.silent.remove(c) {
		w.greeted.add(c)
	}
}

// grown says that c has begun.
func (w *crowd) grown(c *conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.grownLocked(c)
}

func (w *crowd) grownLocked(c *conn) {
	if !w.silent.remove(c) {
		w.greeted.remove(c)
	}
}

// leave says that c has ended.
func (w *crowd) leave(c *conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.grownLocked(c)
	if !c.evicted.Load() {
		w.all--
	}
}

func (w *crowd) len() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.all
}

// areaOf is what counts as one source: an address, or the network of an IPv6 address, of which
// one machine has all.
func areaOf(addr net.Addr) string {
	a, ok := addr.(*net.TCPAddr)
	switch {
	case !ok:
		return ""
	case a.IP.To4() != nil:
		return a.IP.String()
	}
	return a.IP.Mask(net.CIDRMask(64, 128)).String()
}

// sourceOf is the machine that a connection comes from.
func sourceOf(addr net.Addr) string {
	if a, ok := addr.(*net.TCPAddr); ok {
		return a.IP.String()
	}
	return ""
}
