package frontend

import (
	"testing"
	"time"

	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/i2p/simnet"
)

// The leader crashes; another balancer sends the frontend on to the new one,
// which is not in its list.
func TestBalancerGoneAndBackWithRedirect(t *testing.T) {
	two := func(cfg *Config) { cfg.Control.Balancers = []string{"b1", "b2"} }
	inWorld(t, simnet.I2PD258, two, func(w *world) {
		w.until("all tunnels are listed", func() bool { return len(w.leader.lastPool().GetLeases()) == 3 })
		follower, leader := startBalancer(t, w.keys), startBalancer(t, w.keys)
		defer follower.stop()
		defer leader.stop()
		follower.set(func() { follower.leads = false })
		seq := w.leader.lastSeq()
		leader.set(func() { leader.term, leader.seq, leader.published = 2, seq, time.Now().Add(5*time.Second) })
		w.control.add("b2", follower)
		w.control.add("b3", leader)
		w.leader.stop()
		w.until("nobody leads", func() bool { return w.log.count("no balancer leads now") > 0 })
		w.outlives(10 * time.Second)
		follower.set(func() { follower.redirect = "b3" })
		w.until("it is attached to the new leader", func() bool { return w.frontend.Status().Balancer == "b3" })
		w.until("its LeaseSet is installed", func() bool { return w.frontend.Status().Term == 2 })
		var p *controlpb.Pool
		leader.set(func() { p = leader.pools[0] })
		if !p.GetUp() || len(p.GetLeases()) != 3 {
			t.Errorf("the new leader first heard of %v", p)
		}
	})
}

// Two that point at each other must not keep each other busy.
func TestRedirectsInACircle(t *testing.T) {
	two := func(cfg *Config) { cfg.Control.Balancers = []string{"b1", "b2"} }
	inWorld(t, simnet.I2PD258, two, func(w *world) {
		other := startBalancer(t, w.keys)
		defer other.stop()
		w.control.add("b2", other)
		w.leader.set(func() { w.leader.leads, w.leader.redirect = false, "b2" })
		other.set(func() { other.leads, other.redirect = false, "b1" })
		time.Sleep(time.Minute)
		n := w.leader.count(func() int { return w.leader.attaches }) + other.count(func() int { return other.attaches })
		if n < 10 || n > 200 { // four, and then a rest of 1 to 2 s
			t.Errorf("%d attempts in a minute", n)
		}
		w.leader.set(func() { w.leader.leads = true })
		w.untilServing()
	})
}

// A leader that hangs keeps its connections, and one that was deposed keeps
// the stream: neither is noticed but by asking.
func TestLeavesALeaderThatHangsOrWasDeposed(t *testing.T) {
	change := map[string]func(*fakeBalancer){
		"hangs":   func(b *fakeBalancer) { b.mute = true },
		"deposed": func(b *fakeBalancer) { b.leads, b.redirect = false, "b2" },
	}
	for name, change := range change {
		t.Run(name, func(t *testing.T) {
			two := func(cfg *Config) { cfg.Control.Balancers = []string{"b1", "b2"} }
			inWorld(t, simnet.I2PD258, two, func(w *world) {
				w.until("it is attached", func() bool { return w.frontend.Status().Balancer == "b1" })
				next := startBalancer(t, w.keys)
				defer next.stop()
				w.control.add("b2", next)
				w.leader.set(func() { change(w.leader) })
				w.within(10*time.Second, "it is attached to the other", func() bool { return w.frontend.Status().Balancer == "b2" })
			})
		})
	}
}
