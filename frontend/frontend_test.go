package frontend

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/i2p/simnet"
)

func TestReportsPoolAndInstallsLeaseSet(t *testing.T) {
	inWorld(t, simnet.I2PD258, nil, func(w *world) {
		w.until("three leases are reported", func() bool { return len(w.leader.lastPool().GetLeases()) == 3 })
		w.until("the router has the LeaseSet with them", func() bool {
			seq := w.leader.lastSeq()
			return w.frontend.Status().Seq == seq && w.leader.lastInstalled().GetSeq() == seq
		})
		s := w.frontend.Status()
		if !s.RouterUp || !s.Serving || s.Balancer != "b1" || s.Destination != w.keys.Destination.Base32() || len(s.Pool) != 3 {
			t.Errorf("status %+v", s)
		}
		if e := w.leader.lastInstalled().GetError(); e != "" {
			t.Errorf("Installed says %q", e)
		}
		var h *controlpb.Hello
		w.leader.set(func() { h = w.leader.hellos[0] })
		if h.GetName() != "f1" || h.GetVersion() != 1 || !h.GetMember() || h.GetPublisher() {
			t.Errorf("hello %v", h)
		}
		count := func() int { return w.leader.count(func() int { return w.leader.beats }) }
		beats := count()
		time.Sleep(10 * time.Second)
		if got := count() - beats; got < 19 || got > 21 {
			t.Errorf("%d heartbeats in 10 s", got)
		}
	})
}

// The control plane is gone, the router asks because it has new tunnels: the
// last LeaseSet is the answer, at once.
func TestAnswersAtOnceWhileTheLastLeaseSetIsValid(t *testing.T) {
	inWorld(t, simnet.I2PD258, nil, func(w *world) {
		w.untilServing()
		w.leader.stop()
		w.until("the router has told of all tunnels", func() bool { return len(w.frontend.Status().Pool) == 3 })
		if w.frontend.leases.waits() {
			t.Error("the router still waits for its answer")
		}
		w.outlives(20 * time.Second)
	})
}

// A tunnel is gone and nobody signs a LeaseSet without it: the router keeps
// the one it has, just before it would close the session.
func TestAnswersBeforeTheLimitWithoutBalancer(t *testing.T) {
	inWorld(t, simnet.I2PD258, nil, func(w *world) {
		w.until("all tunnels are listed", func() bool { return w.frontend.Status().Seq >= 1 && len(w.leader.lastPool().GetLeases()) == 3 })
		synctest.Wait()
		w.leader.stop()
		if !w.router.FailTunnel(w.keys.Destination.Hash(), 0) {
			w.t.Fatal("no tunnel to fail")
		}
		w.until("the router asks", func() bool { return w.frontend.leases.waits() })
		w.outlives(20 * time.Second)
		if w.log.count("gets its last LeaseSet again") == 0 {
			t.Error("the router was not given its last LeaseSet")
		}
	})
}

// asked is how often the leader was asked to sign a session.
func (w *world) asked() int { return w.leader.count(func() int { return len(w.leader.asked) }) }

// outlives checks that the session is still there after d.
func (w *world) outlives(d time.Duration) {
	w.t.Helper()
	time.Sleep(d)
	if w.log.count("no session with the router") > 0 || !w.frontend.Status().Serving {
		w.t.Errorf("the session was lost:\n%s", w.log)
	}
}

// waits reports whether the router waits for an answer.
func (k *keeper) waits() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.asked
}

func TestRefusesOlderTerm(t *testing.T) {
	inWorld(t, simnet.I2PD258, nil, func(w *world) {
		w.untilServing()
		var old *controlpb.BalancerMessage
		w.leader.set(func() {
			w.leader.noInstall = true
			w.leader.term = 7
			lease := w.leader.pools[len(w.leader.pools)-1].GetLeases()
			w.leader.stream.Send(w.leader.signLocked(lease, time.Minute))
			old = w.leader.signLocked(lease, time.Minute)
			old.GetInstall().Term, old.GetInstall().Seq = 6, 1000
		})
		w.until("term 7 is installed", func() bool { return w.frontend.Status().Term == 7 })
		before := w.frontend.Status()
		w.leader.send(old)
		w.until("the older term is refused", func() bool { return w.leader.lastInstalled().GetError() != "" })
		if got := w.leader.lastInstalled(); got.GetTerm() != 6 || got.GetSeq() != 1000 {
			t.Errorf("refused %v", got)
		}
		if after := w.frontend.Status(); after.Term != 7 || after.Seq != before.Seq {
			t.Errorf("now term %d, seq %d is held", after.Term, after.Seq)
		}
	})
}

func TestBadLeaseSetsChangeNothing(t *testing.T) {
	inWorld(t, simnet.I2PD258, nil, func(w *world) {
		w.until("all tunnels are listed", func() bool { return len(w.frontend.Status().Pool) == 3 })
		w.leader.set(func() { w.leader.noInstall = true })
		before := w.frontend.Status()
		spoil := map[string]func(*controlpb.Install){
			"signature": func(m *controlpb.Install) { m.LeaseSet[len(m.LeaseSet)-1] ^= 1 },
			"length":    func(m *controlpb.Install) { m.LeaseSet = m.LeaseSet[:100] },
			"rest":      func(m *controlpb.Install) { m.LeaseSet = append(m.LeaseSet, 0) },
			"empty":     func(m *controlpb.Install) { m.LeaseSet = nil },
			"key":       func(m *controlpb.Install) { m.Keys[0].Key[3] ^= 1 },
			"no key":    func(m *controlpb.Install) { m.Keys = nil },
		}
		for name, change := range spoil {
			var bad *controlpb.BalancerMessage
			w.leader.set(func() { bad = w.leader.signLocked(w.leader.pools[len(w.leader.pools)-1].GetLeases(), time.Minute) })
			change(bad.GetInstall())
			w.leader.send(bad)
			w.until(name+" is refused", func() bool {
				i := w.leader.lastInstalled()
				return i.GetSeq() == bad.GetInstall().GetSeq() && i.GetError() != ""
			})
		}
		if after := w.frontend.Status(); after.Seq != before.Seq || !after.Serving {
			t.Errorf("status %+v, before %+v", after, before)
		}
	})
}

// A backend that came before the router had tunnels is there as soon as the router has a
// LeaseSet, before anybody can come by it.
func TestBackendIsThereFromTheFirst(t *testing.T) {
	inWorld(t, simnet.I2PD258, nil, func(w *world) {
		attached := make(chan time.Time, 1)
		go func() {
			for {
				if backend, err := w.tryAttach(); err == nil {
					attached <- time.Now()
					backend.Close()
					return
				}
				time.Sleep(100 * time.Millisecond)
			}
		}()
		for !w.frontend.Status().Serving {
			time.Sleep(time.Millisecond)
		}
		serving := time.Now()
		if late := (<-attached).Sub(serving); late > 0 {
			t.Errorf("attached %v after the router had a LeaseSet", late)
		}
	})
}

func TestRouterRestart(t *testing.T) {
	inWorld(t, simnet.I2PD258, nil, func(w *world) {
		w.untilServing()
		backend := w.attach("backend", nil, nil)
		defer backend.Close()
		killed := time.Now()
		w.router.Kill()
		<-backend.Done()
		if d := time.Since(killed); d > 10*time.Millisecond {
			t.Errorf("the backend was told after %v", d)
		}
		t.Log(backend.Err())
		w.until("the pool is gone", func() bool { p := w.leader.lastPool(); return !p.GetUp() && len(p.GetLeases()) == 0 })
		if _, err := w.tryAttach(); err == nil {
			t.Error("a backend could attach while the router is down")
		}
		asked := w.asked()
		time.Sleep(time.Minute)
		if n := w.log.count("level=WARN msg=\"no session with the router\""); n < 1 || n > 2 {
			t.Errorf("%d warnings in a minute without the router, want one per change:\n%s", n, w.log)
		}
		w.router.Restart()
		w.untilServing()
		if w.asked() == asked {
			t.Error("the session configuration was not asked for anew")
		}
		again, err := w.tryAttach()
		if err != nil {
			w.t.Fatal(err)
		}
		again.Close()
	})
}

func TestRouterRestartWithoutBalancer(t *testing.T) {
	inWorld(t, simnet.I2PD258, nil, func(w *world) {
		w.untilServing()
		w.leader.stop()
		w.router.Kill()
		w.router.Restart()
		w.until("the session is made with the last configuration", func() bool { return w.frontend.Status().RouterUp })
		if w.log.count("the last session configuration is used again") == 0 {
			t.Error("nothing said of it")
		}
		if w.frontend.Status().Serving {
			t.Error("it serves with a LeaseSet whose tunnels are gone")
		}
		w.leader.start()
		w.untilServing()
	})
}

func TestSaysGoodbye(t *testing.T) {
	inWorld(t, simnet.I2PD258, nil, func(w *world) {
		w.untilServing()
		start := time.Now()
		w.stop()
		synctest.Wait()
		if p := w.leader.lastPool(); p.GetUp() || len(p.GetLeases()) > 0 {
			t.Errorf("the leader last heard of %v, want that the router is gone", p)
		}
		if d := time.Since(start); d > 2*time.Second {
			t.Errorf("stopping took %v", d)
		}
		if _, err := w.frontend.DialSAM(t.Context()); !errors.Is(err, net.ErrClosed) {
			t.Errorf("DialSAM after Run: %v", err)
		}
		if err := w.frontend.Run(t.Context()); !errors.Is(err, errRan) {
			t.Errorf("second Run: %v", err)
		}
	})
}

// Another client has the Destination open on the router.
func TestRefusedSessionIsTriedAgainSlowly(t *testing.T) {
	inWorld(t, simnet.I2PD258, func(cfg *Config) {
		cfg.Control.Balancers = []string{"later"}
	}, func(w *world) {
		other, err := w.frontend.prober().newThrowaway(true, func(error) {})
		if err != nil {
			w.t.Fatal(err)
		}
		other.keys = w.keys
		ctx, stop := context.WithCancel(context.Background())
		var group sync.WaitGroup
		group.Go(func() { other.client.Run(ctx) })
		w.until("another client has the Destination", func() bool { return other.sessionError() == nil })
		w.control.add("later", w.leader)
		w.until("the refusal is reported", func() bool { return w.log.count("the router refuses the session") == 1 })
		if e := w.frontend.Status().RouterError; e == "" {
			t.Error("the status does not say why")
		}
		asked := w.asked()
		time.Sleep(time.Minute)
		if n := w.asked() - asked; n < 1 || n > 5 {
			t.Errorf("tried %d times in a minute", n)
		}
		stop()
		group.Wait()
		w.untilServing()
	})
}

// A router that hangs keeps its connections and says nothing. Backends must
// hear of it in time to move streams that nobody may miss for 3 s.
func TestRouterHangs(t *testing.T) {
	inWorld(t, simnet.I2PD258, nil, func(w *world) {
		w.until("all tunnels are listed", func() bool { return len(w.leader.lastPool().GetLeases()) == 3 })
		backend := w.attach("backend", nil, nil)
		defer backend.Close()
		hung := time.Now()
		w.router.Freeze()
		<-backend.Done()
		synctest.Wait()
		if d := time.Since(hung); d > 2*time.Second {
			t.Errorf("the backend was told after %v", d)
		}
		if p := w.leader.lastPool(); p.GetUp() || len(p.GetLeases()) > 0 {
			t.Errorf("the leader last heard of %v", p)
		}
		time.Sleep(30 * time.Second)
		w.router.Thaw()
		w.untilServing()
	})
}

// A router that is silent for a second has much to do.
func TestBusyRouterIsKept(t *testing.T) {
	inWorld(t, simnet.I2PD258, nil, func(w *world) {
		w.untilServing()
		for range 20 {
			w.router.Freeze()
			time.Sleep(1200 * time.Millisecond)
			w.router.Thaw()
			time.Sleep(time.Second)
		}
		w.outlives(0)
	})
}
