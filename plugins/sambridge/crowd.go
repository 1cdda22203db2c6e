package sambridge

import (
	"net"
	"sync"
)

// A crowd has all connections, and bounds those that have not begun. They are
// kept by source, oldest first: when there are too many, the oldest of the source
// that has most goes, so who comes now is served, however many stand in the door.
type crowd struct {
	max, maxYoung int

	mu    sync.Mutex
	all   int
	count int // of the young
	young map[string][]*conn
}

func newCrowd(max, maxYoung int) crowd {
	return crowd{max: max, maxYoung: maxYoung, young: map[string][]*conn{}}
}

// enter takes c in as a young one, or returns false if all places are taken.
func (w *crowd) enter(c *conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.count >= w.maxYoung {
		w.evictLocked()
	}
	if w.all >= w.max {
		return false
	}
	w.all++
	w.count++
	w.young[c.area] = append(w.young[c.area], c)
	return true
}

// evictLocked ends the oldest of the source that has most young ones.
func (w *crowd) evictLocked() {
	var fullest []*conn
	for _, conns := range w.young {
		if len(conns) > len(fullest) {
			fullest = conns
		}
	}
	if len(fullest) == 0 {
		return
	}
	c := fullest[0]
	w.grownLocked(c)
	w.all-- // its place is free at once
	c.b.stats.evicted.Add(1)
	c.evicted.Store(true)
	c.nc.SetReadDeadline(longAgo)
}

// grown says that c has begun.
func (w *crowd) grown(c *conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.grownLocked(c)
}

func (w *crowd) grownLocked(c *conn) {
	conns := w.young[c.area]
	for i := range conns {
		if conns[i] != c {
			continue
		}
		w.count--
		if len(conns) == 1 {
			delete(w.young, c.area)
			return
		}
		if i == 0 { // the usual one, and the cheap one
			conns[0] = nil
			w.young[c.area] = conns[1:]
			return
		}
		w.young[c.area] = append(conns[:i], conns[i+1:]...)
		return
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
