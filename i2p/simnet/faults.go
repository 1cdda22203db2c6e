package simnet

import (
	"fmt"
	"slices"

	"github.com/onelease/onelease/i2p"
)

// Kill stops the router as SIGKILL does: its connections are reset, its
// sessions and tunnels are gone, and nobody is told. Leases that lead to it
// swallow messages until they end.
func (r *Router) Kill() {
	r.net.mu.Lock()
	defer r.net.mu.Unlock()
	r.killLocked()
}

func (r *Router) killLocked() {
	if r.state == routerDown {
		return
	}
	r.thawLocked()
	r.state = routerDown
	r.stalled = nil
	for s := range r.sessions {
		reset(s.conn)
	}
	clear(r.sessions)
	for _, d := range r.destinationsLocked() {
		d.closeLocked()
	}
	for _, remote := range r.remotes {
		remote.dropStackLocked()
	}
	r.observeLocked(EventRouterDown, "killed")
}

// Restart starts a killed router anew, with the same identity and its remotes.
// It does nothing to one that runs.
func (r *Router) Restart() {
	r.net.mu.Lock()
	defer r.net.mu.Unlock()
	if r.state != routerDown || r.net.closed {
		return
	}
	r.state = routerUp
	r.observeLocked(EventRouterUp, "restarted")
	for _, remote := range r.remotes {
		remote.startLocked()
	}
}

// Freeze stops the router as SIGSTOP does: its connections stay open and
// nothing is answered. What other routers send to it is lost.
func (r *Router) Freeze() {
	r.net.mu.Lock()
	defer r.net.mu.Unlock()
	if r.state == routerUp {
		r.state = routerFrozen
		r.thawed = make(chan struct{})
		r.observeLocked(EventRouterDown, "frozen")
	}
}

// Thaw lets a frozen router go on; timers that fell due meanwhile fire now.
func (r *Router) Thaw() {
	r.net.mu.Lock()
	defer r.net.mu.Unlock()
	r.thawLocked()
}

func (r *Router) thawLocked() {
	if r.state != routerFrozen {
		return
	}
	r.state = routerUp
	close(r.thawed)
	r.observeLocked(EventRouterUp, "thawed")
	stalled := r.stalled
	r.stalled = nil
	for _, e := range stalled {
		if e.run != nil {
			r.net.afterLocked(r, 0, e.run)
		}
	}
}

// FailTunnel has the n-th newest inbound tunnel of a Destination on this
// router fail, and says whether there was one. The router notices at once.
func (r *Router) FailTunnel(dest i2p.Hash, n int) bool {
	r.net.mu.Lock()
	defer r.net.mu.Unlock()
	d := r.dests[dest]
	if d == nil || n < 0 || n >= len(d.tunnels) {
		return false
	}
	d.tunnelFailedLocked(d.tunnels[len(d.tunnels)-1-n])
	return true
}

// FailNextPublish has the next publishing of a Destination on this router find
// no tunnels. What follows is the profile's RetryUnready. It says whether the
// router has that Destination.
func (r *Router) FailNextPublish(dest i2p.Hash) bool {
	r.net.mu.Lock()
	defer r.net.mu.Unlock()
	d := r.dests[dest]
	if d != nil {
		d.publisher.failNext = true
	}
	return d != nil
}

// destinationsLocked lists r's destinations in the order of their making.
func (r *Router) destinationsLocked() []*destination {
	var list []*destination
	for _, d := range r.dests {
		list = append(list, d)
	}
	slices.SortFunc(list, func(a, b *destination) int { return a.number - b.number })
	return list
}

func (r *Router) observeLocked(kind EventKind, detail string) {
	r.net.observeLocked(Event{Kind: kind, Router: r.cfg.Name, Detail: fmt.Sprintf("%s (%s)", detail, r.cfg.Profile.Name)})
}
