package cluster_test

import (
	"os"
	"strings"
	"testing"
	"time"
)

// TestRollingRestart restarts every balancer under traffic, one by one, as an
// upgrade does: the leader hands over before it goes.
//
// That the format of the state rises when the last node can read the newer one,
// and no sooner, is proven in package raftstate: here it cannot be, since a
// cluster is formed by invitations, which the oldest format does not have. What
// can be is that a node does not go back behind it: it says so and ends, and the
// others go on.
func TestRollingRestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, newLoopback(t, balancers), 3)
	w.startTraffic()
	ops := w.startOperators()
	began := time.Now()
	for _, p := range w.balancers {
		w.settle()
		ops.setPolicy()
		p.stop()
		w.leader()
		p.start()
	}
	w.settle()
	ops.setPolicy()
	rolled := time.Since(began)
	w.goBack(w.balancers[0])
	ops.end()
	ops.check()
	sum := w.traffic.endWhole()
	w.judge()
	acknowledged, tried := ops.count()
	t.Logf("SUMMARY rolling restart of %d balancers in %v: %d requests, %d lost, %d streams broken, longest echo %v; %d of %d invitations acknowledged, all there",
		balancers, rolled.Round(time.Second), sum.Sent, sum.Lost, sum.Broken, sum.Gap.Round(time.Millisecond), acknowledged, tried)
}

// goBack starts a balancer as an older program would be, and then as it was.
func (w *world) goBack(p *process) {
	w.t.Helper()
	p.stop()
	p.cfg.MaxVersion = 1
	p.start()
	w.until(time.Minute, "a balancer that cannot read the state ends", func() bool { return !p.running() })
	if log, err := os.ReadFile(p.logPath()); err != nil || !strings.Contains(string(log[max(0, len(log)-2000):]), "version") {
		w.t.Errorf("it does not say that the version is why: %v", err)
	}
	p.kill()
	p.cfg.MaxVersion = 0
	p.start()
	w.settle()
}
