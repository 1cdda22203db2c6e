package simnet

import (
	"time"

	"github.com/onelease/onelease/i2p"
)

// maxAsked is how many floodfills are asked for one LeaseSet (i2pd
// Destination.h, MAX_NUM_FLOODFILLS_PER_REQUEST).
const maxAsked = 7

// maxWaiting bounds what waits for one lookup.
const maxWaiting = 256

// A lookup asks one floodfill after the other for a LeaseSet.
type lookup struct {
	began time.Time
	asked int
	done  []func(raw []byte)
}

// lookupLocked looks hash up in the netDB, stores what is found, and calls
// done with it, or with nil if no floodfill has it. There is one lookup at a
// time for a hash; done may be nil.
func (d *destination) lookupLocked(hash i2p.Hash, done func(raw []byte)) {
	l := d.lookups[hash]
	if l == nil {
		l = &lookup{began: time.Now()}
		d.lookups[hash] = l
		d.net.countLocked(d.router, func(s *Stats) { s.Lookups++ })
		defer d.askLocked(hash, l)
	}
	switch {
	case done == nil:
	case len(l.done) >= maxWaiting:
		d.afterLocked(0, func() { done(nil) })
	default:
		l.done = append(l.done, done)
	}
}

// askLocked asks the next closest floodfill.
func (d *destination) askLocked(hash i2p.Hash, l *lookup) {
	rules := &d.profile().Leases
	closest := d.net.closestLocked(hash)
	if l.asked >= min(maxAsked, len(closest)) || time.Since(l.began) > rules.LookupMax {
		d.lookedUpLocked(hash, l, nil)
		return
	}
	f := closest[l.asked]
	l.asked++
	link := d.net.cfg.Link
	if f.down || link.loses(d.rng) {
		d.afterLocked(rules.LookupTimeout, func() { d.askLocked(hash, l) })
		return
	}
	d.afterLocked(link.delay(d.rng)+link.delay(d.rng), func() {
		if raw, ok := f.lookupLocked(hash); ok {
			d.lookedUpLocked(hash, l, raw)
		} else {
			d.askLocked(hash, l)
		}
	})
}

func (d *destination) lookedUpLocked(hash i2p.Hash, l *lookup, raw []byte) {
	delete(d.lookups, hash)
	if raw == nil {
		d.net.countLocked(d.router, func(s *Stats) { s.NotFound++ })
	} else {
		d.takeLeaseSetLocked(raw, nil)
	}
	for _, done := range l.done {
		done(raw)
	}
}

// SetName has routers' address books know a Destination by a name, such as
// "forum.i2p".
func (n *Network) SetName(name string, hash i2p.Hash) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.names[name] = hash
}

// Resolve turns a name or a b32 address into a hash, as a router's address book does.
func (n *Network) Resolve(name string) (i2p.Hash, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.resolveLocked(name)
}

// resolveLocked turns a name or a b32 address into a hash.
func (n *Network) resolveLocked(name string) (i2p.Hash, bool) {
	if hash, ok := n.names[name]; ok {
		return hash, true
	}
	hash, err := i2p.ParseBase32(name)
	return hash, err == nil
}

// lookupLocked looks hash up for a client without a session.
func (r *Router) lookupLocked(hash i2p.Hash, done func(raw []byte)) {
	link := r.net.cfg.Link
	r.net.afterLocked(r, link.delay(r.rng)+link.delay(r.rng), func() {
		for _, f := range r.net.closestLocked(hash) {
			if raw, ok := f.lookupLocked(hash); ok && !f.down {
				done(raw)
				return
			}
		}
		done(nil)
	})
}
