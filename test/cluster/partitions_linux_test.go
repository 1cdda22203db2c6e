package cluster_test

import (
	"testing"
	"time"
)

// A trial is one thing that goes wrong with the balancers of a service.
type trial struct {
	name string
	// strike has it go wrong and, in the end, no longer.
	strike func(w *siege)
}

// A siege is a world in which things go wrong on purpose.
type siege struct {
	*world
	cables *cables
	ops    *operators
}

// TestPartitions cuts balancers off in every way, stops them, sets their clocks
// wrong, fills their disks and kills them in the middle of writes. Whatever
// happens, the history can be explained, nothing acknowledged is lost, and the
// remotes notice nothing.
func TestPartitions(t *testing.T) {
	needNamespaces(t)
	t.Parallel()
	c := newCables(t, balancers)
	w := &siege{world: newWorld(t, c, 3), cables: c}
	w.startTraffic()
	w.ops = w.startOperators()
	for _, trial := range []trial{
		{"leader cut off from the other balancers", (*siege).leaderAlone},
		{"frontends cut off from the leader", (*siege).leaderUnreached},
		{"the leader is heard and hears nothing", (*siege).leaderDeaf},
		{"the leader hears and is not heard", (*siege).leaderMute},
		{"the leader's link flaps", (*siege).flapping},
		{"the leader is stopped", (*siege).stopped},
		{"clock two minutes ahead", func(w *siege) { w.wrongClock(2 * time.Minute) }},
		{"clock two minutes behind", func(w *siege) { w.wrongClock(-2 * time.Minute) }},
		{"a follower's disk is full", func(w *siege) { w.fullDisk(w.others(w.leader())[0]) }},
		{"the leader's disk is full", func(w *siege) { w.fullDisk(w.leader()) }},
		{"a member is drained, and put back, by leaders that are killed", (*siege).drained},
		{"killed in the middle of writes", (*siege).killed},
	} {
		w.try(trial)
	}
	w.ops.end()
	sum := w.traffic.endWhole()
	w.routerLost()
	w.judge()
	acknowledged, tried := w.ops.count()
	t.Logf("SUMMARY partitions: %d requests, %d lost, %d streams broken, longest echo %v; %d of %d invitations acknowledged, all there; %d LeaseSets offered to frontends",
		sum.Sent, sum.Lost, sum.Broken, sum.Gap.Round(time.Millisecond), acknowledged, tried, len(w.history.offers))
}

// try has something go wrong, and then looks whether all is well again.
func (w *siege) try(trial trial) {
	w.t.Helper()
	called := time.Now()
	w.settle()
	w.ops.setPolicy()
	w.settle() // the leader began anew
	began := time.Now()
	before := w.traffic.tally.Since(began.Add(-time.Second)).Answered
	trial.strike(w)
	struck := time.Since(began)
	w.cables.heal()
	w.settle()
	settled := time.Since(began) - struck
	w.ops.setPolicy()
	w.ops.joinOnce(w.ops.takeInvite())
	w.ops.check()
	if w.traffic.tally.Since(began).Answered <= before {
		w.t.Errorf("%s: no traffic", trial.name)
	}
	w.t.Logf("%s: %.1f s, all well %.1f s after; %.1f s in all", trial.name, struck.Seconds(), settled.Seconds(), time.Since(called).Seconds())
}

// cutTime is how long balancers are cut off.
func cutTime() time.Duration {
	if soak() {
		return 30 * time.Second
	}
	return 5 * time.Second
}

// during lets time pass with something wrong. Nothing tells that it is over.
func (w *siege) during(d time.Duration) {
	select {
	case <-time.After(d):
	case <-w.t.Context().Done():
	}
}

// succeeded waits for a LeaseSet of another leader, and says how long that took.
func (w *siege) succeeded(before place, began time.Time) {
	w.t.Helper()
	o := w.history.awaitTerm(w.t, before, time.Minute)
	w.t.Logf("the next leader's first LeaseSet after %v", o.at.Sub(began).Round(time.Millisecond))
}

// leaderAlone: it cannot commit, so what it signs is nothing, and the frontends
// find the one that the others elect.
func (w *siege) leaderAlone() {
	leader, before, began := w.leader(), w.history.last(), time.Now()
	for _, o := range w.others(leader) {
		w.cables.part(leader.number, o.number)
	}
	w.succeeded(before, began)
	w.during(cutTime())
}

// leaderUnreached: the balancers see nothing wrong, and no frontend can report or
// be told anything, until the leader has another one try.
func (w *siege) leaderUnreached() {
	leader, before, began := w.leader(), w.history.last(), time.Now()
	w.cables.part(host, leader.number)
	w.succeeded(before, began)
	w.during(cutTime())
}

func (w *siege) leaderDeaf() {
	leader, before, began := w.leader(), w.history.last(), time.Now()
	for _, o := range w.others(leader) {
		w.cables.cut(o.number, leader.number)
	}
	w.cables.cut(host, leader.number)
	w.succeeded(before, began)
	w.during(cutTime())
}

func (w *siege) leaderMute() {
	leader, before, began := w.leader(), w.history.last(), time.Now()
	for _, o := range w.others(leader) {
		w.cables.cut(leader.number, o.number)
	}
	w.cables.cut(leader.number, host)
	w.succeeded(before, began)
	w.during(cutTime())
}

// flapping: the link goes and comes faster than anybody gets used to it.
func (w *siege) flapping() {
	leader := w.leader()
	for began := time.Now(); time.Since(began) < cutTime(); {
		for _, o := range append(w.others(leader), nil) {
			if other := host; o == nil {
				w.cables.part(other, leader.number)
			} else {
				w.cables.part(o.number, leader.number)
			}
		}
		w.during(400 * time.Millisecond)
		w.cables.heal()
		w.during(600 * time.Millisecond)
	}
}
