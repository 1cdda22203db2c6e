package cluster_test

import (
	"math/rand/v2"
	"syscall"
	"time"

	"github.com/onelease/onelease/i2p"
)

// stopped: a leader that is stopped for longer than anybody waits wakes up and
// thinks that it leads. What it then signs nobody takes; the history shows.
func (w *siege) stopped() {
	rest := 10 * time.Second
	if soak() {
		rest = 30 * time.Second
	}
	leader, before, began := w.leader(), w.history.last(), time.Now()
	leader.signal(syscall.SIGSTOP)
	w.succeeded(before, began)
	w.during(time.Until(began.Add(rest)))
	leader.signal(syscall.SIGCONT)
}

// clockSlack is how far from the clock LeaseSets may be dated: 30 s of what
// waits, and what a new leader signs at once.
const clockSlack = 75 * time.Second

// wrongClock has a balancer lead whose clock is off. LeaseSets are dated by the
// frontends', which are right: floodfills refuse two minutes of future.
func (w *siege) wrongClock(off time.Duration) {
	w.t.Helper()
	next := w.others(w.leader())[0]
	w.restart(next, func() { next.cfg.ClockOff = off })
	w.settle()
	before, began := w.history.last(), time.Now()
	w.until(formTime, "the lead is handed over", func() bool { return w.handOver(next) == nil })
	o := w.history.awaitTerm(w.t, before, time.Minute)
	w.settle()
	w.during(2 * time.Second) // heartbeats have told the frontends' clocks
	w.ops.setPolicy()
	w.history.mu.Lock()
	for _, o := range w.history.offers {
		if dated := time.Unix(o.published, 0).Sub(o.at); o.at.After(began) && dated.Abs() > clockSlack {
			w.t.Errorf("LeaseSet %v is dated %v from the clock", o.place, dated)
		}
	}
	w.history.mu.Unlock()
	w.t.Logf("first LeaseSet after %v, dated %v from the clock", o.at.Sub(began).Round(time.Millisecond),
		time.Unix(o.published, 0).Sub(o.at).Round(time.Second))
	w.restart(next, func() { next.cfg.ClockOff = 0 })
}

// restart ends a balancer in order, and starts it when change is done.
func (w *siege) restart(p *process, change func()) {
	p.stop()
	change()
	p.start()
}

// drained: what an operator was told is so with the next leader. In the long form
// sessions are old enough for the remotes to be moved.
func (w *siege) drained() {
	members := w.frontends()[:1]
	if soak() {
		members = w.frontends()[:w.members]
	}
	for _, member := range members {
		for _, on := range []bool{true, false} {
			leader := w.leader()
			w.ops.drain(member, on)
			leader.kill()
			w.ops.read()
			leader.start()
			w.settle()
		}
	}
}

// killed: any of them, at any moment, while operators write.
func (w *siege) killed() {
	rounds := 6
	if soak() {
		rounds = 40
	}
	for range rounds {
		p := w.balancers[rand.IntN(balancers)]
		w.during(300*time.Millisecond + rand.N(700*time.Millisecond))
		p.kill()
		w.during(rand.N(300 * time.Millisecond))
		p.start()
	}
}

// routerLost kills a member's router together with the leader: the merged
// LeaseSets of the next one do not list it, once it knows.
func (w *siege) routerLost() {
	w.t.Helper()
	w.settle()
	lost := w.frontends()[0]
	pool := w.node.Frontend(lost).Status().Pool
	lists := func(l i2p.Lease) bool {
		for _, own := range pool {
			if own.SameTunnel(l) {
				return true
			}
		}
		return false
	}
	leader := w.leader()
	w.history.lose(lists)
	w.network.Router(lost).Kill()
	leader.kill()
	began := time.Now()
	w.until(2*time.Minute, "the netDB has a LeaseSet without the router that was lost", func() bool {
		return w.history.newestWithout(lists)
	})
	w.t.Logf("a router and the leader killed: the router's leases left the netDB after %v", time.Since(began).Round(time.Second))
	leader.start()
}
