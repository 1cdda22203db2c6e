package onelease_test

import (
	"testing"
	"time"

	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/i2p/simnet"
	"github.com/onelease/onelease/internal/tally"
)

// inService is inWorld with a node whose LeaseSet is complete and whose remotes
// ask. finish ends that and returns what came of it.
func inService(t *testing.T, test func(w *world, finish func() tally.Requests)) {
	t.Helper()
	inWorld(t, simnet.Config{Seed: 1}, simnet.I2PD245, func(w *world) {
		defer w.start(w.config())()
		w.untilPublished(memberA, memberB)
		w.addRemotes(4)
		finish := w.asking(500 * time.Millisecond)
		w.untilAnswered(time.Minute)
		// Sessions younger than 120 s cannot be taken over by another router.
		time.Sleep(125 * time.Second)
		test(w, finish)
	})
}

// remotesOf is how many remotes a member serves.
func (w *world) remotesOf(member string) int {
	for _, f := range w.node.Host().Stats().Frontends {
		if f.Name == member {
			return f.Remotes
		}
	}
	return 0
}

// fault does something to a member and waits until its leases have left the
// netDB and all remotes are answered.
func (w *world) fault(member string, do func()) (gone, back time.Duration) {
	w.t.Helper()
	remotes := w.remotesOf(member)
	if remotes == 0 {
		w.t.Fatalf("%s has no remote: nothing to see", member)
	}
	began := time.Now()
	before := w.node.Frontend(member).Status().Pool
	w.tally.Kill(began)
	do()
	w.until(deadLimit+10*time.Second, "the leases have left the netDB", func() bool {
		ls := w.leaseSet()
		for _, l := range before {
			if ls == nil || lists(ls, l) {
				return false
			}
		}
		return true
	})
	gone = time.Since(began)
	w.until(tally.RecoverTime, "all remotes are answered", func() bool {
		_, ok := w.tally.Recovery(began)
		return ok
	})
	back, _ = w.tally.Recovery(began)
	w.t.Logf("%s, %d remotes: leases gone after %v, all answered after %v", member, remotes, gone, back)
	return gone, back
}

// TestRouterRestarts kills a router, starts it anew, and then kills the other:
// what it had come back for.
func TestRouterRestarts(t *testing.T) {
	inService(t, func(w *world, finish func() tally.Requests) {
		if _, back := w.fault(memberA, w.network.Router(memberA).Kill); back > 5*time.Second {
			t.Errorf("answered again only after %v", back)
		}
		w.network.Router(memberA).Restart()
		took := w.until(2*time.Minute, "the router's leases are back", func() bool { return w.lists(memberA) == 3 })
		t.Logf("leases back after %v", took)
		if s := w.node.Frontend(memberA).Status(); !s.RouterUp || !s.Serving || s.RouterError != "" {
			t.Errorf("status after the restart: %+v", s)
		}
		time.Sleep(130 * time.Second) // sessions grow old, and the next key epoch may begin
		if _, back := w.fault(memberB, w.network.Router(memberB).Kill); back > 5*time.Second {
			t.Errorf("answered by the restarted router only after %v", back)
		}
		time.Sleep(30 * time.Second)
		q := finish()
		t.Logf("%+v", q)
		if q.Lost > 0 {
			t.Errorf("%d of %d requests lost that no kill explains", q.Lost, q.Sent)
		}
		if served := w.remotesOf(memberA); served != 4 {
			t.Errorf("the restarted router serves %d of 4 remotes", served)
		}
	})
}

// TestRouterHangs freezes a router: its connections stay, and nothing is answered.
func TestRouterHangs(t *testing.T) {
	inService(t, func(w *world, finish func() tally.Requests) {
		if _, back := w.fault(memberA, w.network.Router(memberA).Freeze); back > 15*time.Second {
			t.Errorf("answered again only after %v", back)
		}
		if s := w.node.Frontend(memberA).Status(); s.RouterUp || s.RouterError == "" {
			t.Errorf("status while the router hangs: %+v", s)
		}
		w.network.Router(memberA).Thaw()
		w.until(2*time.Minute, "the router's leases are back", func() bool { return w.lists(memberA) == 3 })
		q := finish()
		t.Logf("%+v", q)
		if q.Lost > 0 {
			t.Errorf("%d of %d requests lost that the hang does not explain", q.Lost, q.Sent)
		}
	})
}

// TestPublisherAway has the publisher's router gone for good: the leases run
// out of the netDB, and remotes that are there already are served on.
func TestPublisherAway(t *testing.T) {
	inService(t, func(w *world, finish func() tally.Requests) {
		w.network.Router(publish).Kill()
		w.until(3*time.Minute, "the LeaseSet has expired", func() bool { return w.leaseSet() == nil })
		time.Sleep(5 * time.Minute)
		w.network.Router(publish).Restart()
		took := w.until(2*time.Minute, "the LeaseSet is back", func() bool { return w.leaseSet() != nil })
		q := finish()
		t.Logf("back after %v, %+v", took, q)
		if q.Lost > 0 {
			t.Errorf("%d of %d requests lost though no member was", q.Lost, q.Sent)
		}
	})
}

// TestRoutersAway starts before its routers do, and is closed after they went.
func TestRoutersAway(t *testing.T) {
	inWorld(t, simnet.Config{Seed: 1}, simnet.I2PD245, func(w *world) {
		for _, name := range []string{memberA, memberB, publish} {
			w.network.Router(name).Kill()
		}
		stop := w.start(w.config())
		time.Sleep(time.Minute)
		if s := w.node.Frontend(memberA).Status(); s.RouterUp || s.RouterError == "" {
			t.Errorf("status without a router: %+v", s)
		}
		for _, name := range []string{memberA, memberB, publish} {
			w.network.Router(name).Restart()
		}
		w.untilPublished(memberA, memberB)
		w.network.Router(memberA).Kill()
		w.network.Router(memberB).Freeze()
		began := time.Now()
		stop()
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("Close took %v", took)
		}
	})
}

// TestNothingThere has no router at all, in one way or the other.
func TestNothingThere(t *testing.T) {
	inWorld(t, simnet.Config{}, simnet.I2PD245, func(w *world) {
		cfg := w.config()
		cfg.Routers[0].Dial = refused
		cfg.Routers[1].Dial = hangs
		cfg.Routers[2].DontPublish = frontend.Auto
		stop := w.start(cfg)
		time.Sleep(10 * time.Minute)
		if s := w.node.Frontend(memberA).Status(); s.RouterUp || s.RouterError == "" {
			t.Errorf("status without a router: %+v", s)
		}
		began := time.Now()
		stop()
		stop()
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("Close took %v", took)
		}
	})
}
