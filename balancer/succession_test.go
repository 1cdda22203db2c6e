package balancer

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/raftstate/ledger"
)

// again attaches a frontend to the next leader, with the pool that it has.
func (c *caller) again(leases []*controlpb.Lease) *caller {
	c.t.Helper()
	next := c.attach(c.f.name, c.f.member, c.f.publisher)
	if err := c.b.hearPool(c.ctx, next.f, next.l, &controlpb.Pool{Up: true, Leases: leases}); err != nil {
		c.t.Fatal(err)
	}
	return next
}

// A new leader signs for each member as soon as it has come over, goes on where
// the earlier one had come to, and publishes no sooner than the gap allows.
func TestNextLeaderGoesOn(t *testing.T) {
	inBubble(t, Policy{}, func(w *bench) {
		publisher, m1, m2 := w.three()
		m1.installed()
		before := m2.installed()
		pools := [][]*controlpb.Lease{leaseMessages(publisher.f.leases), leaseMessages(m1.f.leases), leaseMessages(m2.f.leases)}
		time.Sleep(5 * time.Second)
		w.succeed()

		m1 = m1.again(pools[1])
		own := m1.installed()
		if own == nil || !own.Published.After(before.Published) {
			t.Fatalf("the first member that came over got %+v", own)
		}
		publisher = publisher.again(pools[0])
		m2.again(pools[2])
		if ls := publisher.installed(); ls != nil {
			t.Error("published within the gap of what the earlier leader did")
		}
		time.Sleep(DefaultPolicy().PublishGap + 5*time.Second) // `published` was ahead of the clock
		if ls := publisher.installed(); ls == nil || len(ls.Leases) != 6 || !ls.Published.After(own.Published) {
			t.Errorf("after the gap: %+v", ls)
		}
	})
}

// A member that died with the leader is listed until its grace is over, and not
// after that.
func TestNextLeaderLosesWhoDoesNotCome(t *testing.T) {
	inBubble(t, Policy{}, func(w *bench) {
		publisher, m1, m2 := w.three()
		pools := [][]*controlpb.Lease{leaseMessages(publisher.f.leases), leaseMessages(m1.f.leases)}
		time.Sleep(2 * DefaultPolicy().PublishGap)
		w.succeed()
		publisher, m1 = publisher.again(pools[0]), m1.again(pools[1])
		m1.installed()
		if ls := publisher.installed(); ls != nil {
			t.Errorf("published before all had the time to come over: %+v", ls)
		}
		time.Sleep(DefaultPolicy().TakeoverTime)
		if ls := publisher.installed(); ls == nil || gateways(ls)[2] != 0 || gateways(ls)[1] != 3 {
			t.Errorf("after the grace: %+v", ls)
		}
		if w.store.State().Frontends[m2.f.name].Pool.Up {
			t.Error("the loss is not in the replicated state")
		}
	})
}

// A whole service that starts anew has other tunnels, and is in no hurry to
// publish the first of them.
func TestRestartWaitsForAllTunnels(t *testing.T) {
	inBubble(t, Policy{}, func(w *bench) {
		w.three()
		time.Sleep(time.Minute)
		w.succeed()
		publisher, m1 := w.attach("p", false, true), w.attach("m1", true, false)
		w.attach("m2", true, false)
		m1.report(5, 1, true)
		publisher.report(9, 1, false)
		time.Sleep(DefaultPolicy().TakeoverTime + time.Second)
		if ls := publisher.installed(); ls != nil {
			t.Errorf("published one tunnel of six: %+v", ls)
		}
	})
}

// A frontend whose earlier line still talks to a leader that has been deposed
// since, and leads again, is not heard by it.
func TestOldLinesEndWithTheOffice(t *testing.T) {
	inBubble(t, Policy{}, func(w *bench) {
		_, m1, _ := w.three()
		w.b.dismiss()
		w.b.kick()
		m1.next()
		select {
		case <-m1.l.done:
		default:
			t.Error("the line goes on")
		}
		if err := w.b.hearPool(w.ctx, m1.f, m1.l, &controlpb.Pool{Up: true}); err == nil {
			t.Error("a pool was heard on a line of an earlier term")
		}
	})
}

// Frontends whose clocks agree are right, and a balancer's clock is wrong.
func TestLeaseSetsAreDatedByTheFrontendsClocks(t *testing.T) {
	for name, off := range map[string]time.Duration{"behind": -2 * time.Minute, "ahead": 2 * time.Minute, "a little": 2 * time.Second} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, Policy{}, func(w *bench) {
				theirs := func() time.Time { return time.Now().Add(off) }
				m := w.attachWith(&controlpb.Hello{Version: 1, Name: "m", Member: true, ClockMs: theirs().UnixMilli()})
				pool := &controlpb.Pool{Up: true, Leases: leaseMessages([]i2p.Lease{{Tunnel: 1, End: theirs().Add(10 * time.Minute)}})}
				if err := w.b.hearPool(w.ctx, m.f, m.l, pool); err != nil {
					t.Fatal(err)
				}
				ls := m.installed()
				if ls == nil {
					t.Fatal("nothing signed")
				}
				if apart := ls.Published.Sub(theirs()).Abs(); apart > clockSlack {
					t.Errorf("published is %v off from the frontend's clock", apart)
				}
				if life := ls.Expires.Sub(theirs()); (life - DefaultPolicy().OwnLife).Abs() > 5*time.Second {
					t.Errorf("expires in %v by the frontend's clock", life)
				}
			})
		})
	}
}

// One frontend of three with a wrong clock changes nothing.
func TestOneWrongClockIsOutvoted(t *testing.T) {
	inBubble(t, Policy{}, func(w *bench) {
		for name, off := range map[string]time.Duration{"a": 0, "b": time.Hour, "c": 0} {
			w.attachWith(&controlpb.Hello{Version: 1, Name: name, Member: true, ClockMs: time.Now().Add(off).UnixMilli()})
		}
		w.b.mu.Lock()
		defer w.b.mu.Unlock()
		if w.b.clock.off != 0 {
			t.Errorf("LeaseSets would be dated %v off", w.b.clock.off)
		}
	})
}

func (w *bench) attachWith(hello *controlpb.Hello) *caller {
	w.t.Helper()
	f, l, err := w.b.attach(w.ctx, hello)
	if err != nil {
		w.t.Fatal(err)
	}
	return &caller{w, f, l}
}

var errNotYou = errors.New("not you")

// following is a Store whose leader is another.
type following struct {
	Store
	addr    atomic.Value // of the leader
	changed chan struct{}
}

func (f *following) Leader() ledger.Leader {
	return ledger.Leader{ID: "other", Addr: f.addr.Load().(string)}
}

func (f *following) LeaderChanged() <-chan struct{} { return f.changed }

// Who asks a follower for the leader gets no leader that it could not reach,
// and the next one as soon as there is one.
func TestFollowerWaitsForTheNextLeader(t *testing.T) {
	inBubble(t, Policy{}, func(w *bench) {
		store := &following{Store: w.store, changed: make(chan struct{})}
		store.addr.Store("old:1")
		b, err := New(Config{Keys: w.b.cfg.Keys, Store: store})
		if err != nil {
			t.Fatal(err)
		}
		if leader, ok := b.awaitOffice(w.ctx, ""); ok || leader.Addr != "old:1" {
			t.Errorf("named %+v", leader)
		}
		began := time.Now()
		if leader, ok := b.awaitOffice(w.ctx, "old:1"); ok || leader.Addr != "" || time.Since(began) != officeTime {
			t.Errorf("with the old one away, named %+v after %v", leader, time.Since(began))
		}
		time.AfterFunc(300*time.Millisecond, func() {
			store.addr.Store("next:1")
			close(store.changed)
		})
		began = time.Now()
		if leader, _ := b.awaitOffice(w.ctx, "old:1"); leader.Addr != "next:1" || time.Since(began) != 300*time.Millisecond {
			t.Errorf("named %+v after %v", leader, time.Since(began))
		}
	})
}

func TestOnlyWhoMayAttaches(t *testing.T) {
	inBubble(t, Policy{}, func(w *bench) {
		w.b.cfg.Authorize = func(_ context.Context, role, name string) error {
			if role != RoleFrontend || name != "m" {
				return errNotYou
			}
			return nil
		}
		if err := w.b.checkHello(w.ctx, &controlpb.Hello{Version: 1, Name: "m", Member: true}); err != nil {
			t.Error(err)
		}
		if err := w.b.checkHello(w.ctx, &controlpb.Hello{Version: 1, Name: "other", Member: true}); err == nil {
			t.Error("it attached in another's name")
		}
	})
}

// When members are lost one after the other, the survivors' newer LeaseSets come
// at once: none waits because `published` has run ahead. When all is quiet they
// have reserves again.
func TestReservesYieldToHaste(t *testing.T) {
	inBubble(t, Policy{}, func(w *bench) {
		members := make([]*caller, 8)
		for i := range members {
			members[i] = w.attach(string(rune('a'+i)), true, false)
			members[i].report(i, 3, true)
		}
		for round := range 30 {
			time.Sleep(9500 * time.Millisecond) // before any is renewed for its age
			lost, witness := members[round%8], members[(round+1)%8]
			witness.installed()
			lost.routerDown()
			if witness.installed() == nil {
				t.Fatalf("loss %d: a survivor did not get a newer LeaseSet at once", round)
			}
			lost.report(round%8, 3, true)
		}
		time.Sleep(40 * time.Second)
		for _, m := range members {
			m.installed()
		}
		time.Sleep(100 * time.Second)
		for _, m := range members {
			with := 0
			for msg := m.next(); msg != nil; msg = m.next() {
				if msg.GetInstall().GetReserve() != nil {
					with++
				}
			}
			if with == 0 {
				t.Errorf("%s got no reserve in 100 quiet seconds", m.f.name)
			}
		}
	})
}
