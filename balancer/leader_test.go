package balancer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/i2cp"
	"github.com/onelease/onelease/raftstate"
	"github.com/onelease/onelease/raftstate/ledger"
)

// A bench is a balancer over a store in memory, running in virtual time, with
// the frontends that a test attaches to it.
type bench struct {
	t     *testing.T
	ctx   context.Context
	b     *Balancer
	store *raftstate.Store
	seen  map[int64]bool // every `published` that was handed out
	stop  func()         // ends b's Run
}

// inBubble runs do in a bubble of virtual time with a balancer of that policy.
func inBubble(t *testing.T, policy Policy, do func(*bench)) {
	synctest.Test(t, func(t *testing.T) {
		keys, err := i2p.GenerateKeys()
		if err != nil {
			t.Fatal(err)
		}
		quiet := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
		store, err := raftstate.Open(raftstate.Config{ID: "balancer-1", InMemory: true, Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		w := &bench{t: t, ctx: t.Context(), store: store, seen: map[int64]bool{}}
		w.start(Config{Keys: keys, Store: store, Policy: policy, Logger: quiet})
		defer func() { w.stop() }()
		do(w)
	})
}

// start runs a balancer and waits until it leads.
func (w *bench) start(cfg Config) {
	w.t.Helper()
	b, err := New(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(w.ctx)
	var running sync.WaitGroup
	running.Go(func() {
		if err := b.Run(ctx); err != nil {
			w.t.Errorf("Run: %v", err)
		}
	})
	w.b, w.stop = b, func() {
		cancel()
		running.Wait()
	}
	if _, ok := b.awaitOffice(w.ctx, ""); !ok {
		w.t.Fatal("not in office")
	}
}

// succeed puts another balancer on the same state in the place of the one there is.
func (w *bench) succeed() {
	w.t.Helper()
	w.stop()
	w.start(w.b.cfg)
}

// A caller is the far end of one attached frontend.
type caller struct {
	*bench
	f *frontend
	l *line
}

func (w *bench) attach(name string, member, publisher bool) *caller {
	w.t.Helper()
	c := w.attachWith(&controlpb.Hello{Version: controlVersion, Name: name, Member: member, Publisher: publisher})
	if c.next().GetWelcome() == nil {
		w.t.Fatal("no Welcome")
	}
	return c
}

// next returns the oldest message that waits after the balancer has had time
// for what is due, nil if none does.
func (c *caller) next() *controlpb.BalancerMessage {
	time.Sleep(time.Millisecond)
	synctest.Wait()
	select {
	case m := <-c.l.out:
		return m
	default:
		return nil
	}
}

// installed returns the newest LeaseSet that waits, checked; nil if none does.
func (c *caller) installed() *i2p.LeaseSet2 {
	c.t.Helper()
	var newest *i2p.LeaseSet2
	for m := c.next(); m != nil; m = c.next() {
		if m.GetInstall() != nil {
			newest = c.parse(m.GetInstall().GetLeaseSet())
		}
	}
	return newest
}

// report reports a pool of that many tunnels, all of them ten minutes long.
func (c *caller) report(router, tunnels int, requested bool) {
	c.t.Helper()
	pool := &controlpb.Pool{Up: true, Requested: requested}
	for n := range tunnels {
		l := leaseOf(router, n, 0)
		l.End = time.Now().Add(10 * time.Minute)
		pool.Leases = append(pool.Leases, leaseMessages([]i2p.Lease{l})...)
	}
	if err := c.b.hearPool(c.ctx, c.f, c.l, pool); err != nil {
		c.t.Fatal(err)
	}
}

func (c *caller) routerDown() {
	c.t.Helper()
	if err := c.b.hearPool(c.ctx, c.f, c.l, &controlpb.Pool{}); err != nil {
		c.t.Fatal(err)
	}
}

// gateways are the routers of a LeaseSet's leases, as leaseOf numbers them.
func gateways(ls *i2p.LeaseSet2) map[byte]int {
	count := map[byte]int{}
	for _, l := range ls.Leases {
		count[l.Gateway[0]]++
	}
	return count
}

func TestFourMembersOneLeaseSet(t *testing.T) {
	inBubble(t, Policy{}, func(w *bench) {
		publisher := w.attach("publisher", false, true)
		var members []*caller
		for i, name := range []string{"m1", "m2", "m3", "m4"} {
			members = append(members, w.attach(name, true, false))
			members[i].report(i, 3, true)
			own := members[i].installed()
			if own == nil || len(own.Leases) != 3 || gateways(own)[byte(i)] != 3 {
				t.Fatalf("own LeaseSet of %s: %+v", name, own)
			}
		}
		publisher.report(9, 1, true)
		merged := publisher.installed()
		if merged == nil || len(merged.Leases) != 12 || len(gateways(merged)) != 4 || gateways(merged)[9] != 0 {
			t.Fatalf("merged LeaseSet: %+v", merged)
		}
		for _, m := range members {
			if ls := m.installed(); ls == nil || !ls.Published.After(merged.Published) {
				t.Errorf("newcomers hold the merged LeaseSet and would not take %s's: %+v", m.f.name, ls)
			}
		}
	})
}

// A state whose `published` is far ahead of the clock, as one has that a program finds
// which was ended just now, does not have the own LeaseSets wait behind the first
// merged one.
func TestOwnLeaseSetsFollowTheFirstMerged(t *testing.T) {
	inBubble(t, Policy{}, func(w *bench) {
		ahead := uint32(time.Now().Add(MaxAhead + DefaultPolicy().FirstWait + 10*time.Second).Unix())
		publisher, member := w.attach("p", false, true), w.attach("m", true, false)
		record := ledger.Record{Seq: 1, Published: ahead, Expires: ahead + 60, Frontend: "m"}
		if _, err := w.store.Apply(w.ctx, ledger.Issue(w.b.hash, record)); err != nil {
			t.Fatal(err)
		}
		member.report(1, 2, true)
		member.installed()
		publisher.report(9, 1, true)
		time.Sleep(DefaultPolicy().FirstWait)
		merged := publisher.installed()
		if merged == nil {
			t.Fatal("no merged LeaseSet")
		}
		if own := member.installed(); own == nil || !own.Published.After(merged.Published) {
			t.Errorf("merged published %v, own LeaseSet behind it: %+v", merged.Published, own)
		}
	})
}

func TestLostMemberLeavesAndKeyRotates(t *testing.T) {
	inBubble(t, Policy{Rotation: RotateAtOnce}, func(w *bench) {
		publisher, m1, m2 := w.attach("p", false, true), w.attach("m1", true, false), w.attach("m2", true, false)
		m1.report(1, 3, true)
		m2.report(2, 3, true)
		publisher.report(9, 1, true)
		before := publisher.installed()
		old := m1.installed()

		m2.routerDown()
		own := m1.installed()
		if own == nil || bytes.Equal(own.Keys[0].Key, old.Keys[0].Key) || !own.Published.After(before.Published) {
			t.Fatalf("survivor did not get a newer LeaseSet with a new key at once: %+v", own)
		}
		if early := publisher.installed(); early != nil {
			t.Errorf("publisher was pushed again within the gap")
		}
		time.Sleep(DefaultPolicy().PublishGap)
		after := publisher.installed()
		if after == nil || gateways(after)[2] != 0 || gateways(after)[1] != 3 || bytes.Equal(after.Keys[0].Key, before.Keys[0].Key) {
			t.Fatalf("merged LeaseSet after the loss: %+v", after)
		}
	})
}

func TestRotationFollowsTheHello(t *testing.T) {
	inBubble(t, Policy{Rotation: RotateAfterHello}, func(w *bench) {
		m1, m2 := w.attach("m1", true, false), w.attach("m2", true, false)
		m1.report(1, 3, true)
		m2.report(2, 3, true)
		m2.routerDown()
		time.Sleep(DefaultPolicy().HelloTime - 10*time.Millisecond)
		if epoch := w.b.Status().GetEpoch(); epoch != 0 {
			t.Errorf("key epoch %d began before the hellos had their time", epoch)
		}
		time.Sleep(20 * time.Millisecond)
		if epoch := w.b.Status().GetEpoch(); epoch != 1 {
			t.Errorf("key epoch %d after the hellos, want 1", epoch)
		}
	})
}

func TestSecondLossDoesNotRotateAgainSoon(t *testing.T) {
	inBubble(t, Policy{Rotation: RotateAtOnce}, func(w *bench) {
		m1, m2, m3 := w.attach("m1", true, false), w.attach("m2", true, false), w.attach("m3", true, false)
		for i, m := range []*caller{m1, m2, m3} {
			m.report(i, 3, true)
		}
		m2.routerDown()
		time.Sleep(DefaultPolicy().RotationGap / 2)
		m1.report(0, 3, false) // its tunnels do not last for ever
		m3.routerDown()
		time.Sleep(time.Second)
		if epoch := w.b.Status().GetEpoch(); epoch != 1 {
			t.Errorf("key epoch %d after a second loss within the gap, want 1", epoch)
		}
	})
}

// TestSurvivorsGetNewerLeaseSets: the remotes of a lost member hold its last
// LeaseSet, and take a survivor's only if that is newer.
func TestSurvivorsGetNewerLeaseSets(t *testing.T) {
	inBubble(t, Policy{}, func(w *bench) {
		m1, m2, m3 := w.attach("m1", true, false), w.attach("m2", true, false), w.attach("m3", true, false)
		for i, m := range []*caller{m1, m2, m3} {
			m.report(i, 3, true)
		}
		m1.installed()
		m2.installed()
		last := m3.installed().Published
		for _, lose := range []func(){m3.routerDown, func() { w.b.detach(m2.f, m2.l) }} {
			lose()
			ls := m1.installed()
			if ls == nil || !ls.Published.After(last) {
				t.Fatalf("the survivor did not get a newer LeaseSet at once: %+v", ls)
			}
			last = ls.Published
		}
	})
}

func TestRotateNeverKeepsTheKey(t *testing.T) {
	inBubble(t, Policy{Rotation: RotateNever}, func(w *bench) {
		m1, m2 := w.attach("m1", true, false), w.attach("m2", true, false)
		m1.report(1, 3, true)
		m2.report(2, 3, true)
		before := m1.installed()
		m2.routerDown()
		time.Sleep(time.Minute)
		if after := m1.installed(); !bytes.Equal(after.Keys[0].Key, before.Keys[0].Key) {
			t.Error("the key changed")
		}
	})
}

func TestFrontendThatComesBackIsNotLost(t *testing.T) {
	inBubble(t, Policy{Rotation: RotateAtOnce}, func(w *bench) {
		m1, m2 := w.attach("m1", true, false), w.attach("m2", true, false)
		m1.report(1, 3, true)
		m2.report(2, 3, true)
		w.b.detach(m2.f, m2.l)
		time.Sleep(DefaultPolicy().ReattachTime / 2)
		m2 = w.attach("m2", true, false)
		m2.report(2, 3, false)
		time.Sleep(DefaultPolicy().ReattachTime)
		if epoch := w.b.Status().GetEpoch(); epoch != 0 {
			t.Errorf("key epoch %d began", epoch)
		}
		w.b.detach(m2.f, m2.l)
		time.Sleep(DefaultPolicy().ReattachTime + time.Second)
		if epoch := w.b.Status().GetEpoch(); epoch != 1 {
			t.Errorf("key epoch %d after the frontend stayed away, want 1", epoch)
		}
	})
}

func TestPublisherSessionWaitsForAMember(t *testing.T) {
	inBubble(t, Policy{}, func(w *bench) {
		publisher, member := w.attach("p", false, true), w.attach("m", true, false)
		if err := w.b.hearSessionRequest(publisher.f, &controlpb.SessionRequest{}); err != nil {
			t.Fatal(err)
		}
		if m := publisher.next(); m != nil {
			t.Fatalf("publisher was answered with nothing to publish: %v", m)
		}
		member.report(1, 1, true)
		if m := publisher.next(); m != nil {
			t.Fatalf("publisher was answered before the members were ready: %v", m)
		}
		time.Sleep(DefaultPolicy().HeadStart)
		publisher.checkSession("false")
		if err := w.b.hearSessionRequest(member.f, &controlpb.SessionRequest{DontPublishInverted: true}); err != nil {
			t.Fatal(err)
		}
		member.checkSession("false")
	})
}

// checkSession reads on to the session configuration that was sent.
func (c *caller) checkSession(dontPublish string) {
	c.t.Helper()
	m := c.next()
	for m != nil && m.GetSession() == nil {
		m = c.next()
	}
	config, err := i2cp.ParseSessionConfig(m.GetSession().GetConfig())
	if err != nil {
		c.t.Fatal(err)
	}
	if err := config.Verify(); err != nil {
		c.t.Error(err)
	}
	if got := config.Options["i2cp.dontPublishLeaseSet"]; got != dontPublish {
		c.t.Errorf("dontPublishLeaseSet is %q, want %q", got, dontPublish)
	}
}

// TestPublishedRises lets many members report without pause, and checks every
// LeaseSet that is handed out against rules that remotes and floodfills apply.
func TestPublishedRises(t *testing.T) {
	inBubble(t, Policy{}, func(w *bench) {
		publisher := w.attach("p", false, true)
		members := make([]*caller, 30)
		for i := range members {
			members[i] = w.attach(fmt.Sprintf("m%d", i), true, false)
		}
		for second := range 600 {
			for i, m := range members {
				if second%30 == i {
					m.report(i, 1+second%3, false)
				}
			}
			publisher.report(99, 1, false)
			time.Sleep(time.Second)
			w.checkAll(append(members, publisher))
		}
		if d := w.store.State().Destination(w.b.hash); d.LastSeq != uint64(len(w.seen)) {
			t.Errorf("%d LeaseSets committed, %d handed out", d.LastSeq, len(w.seen))
		}
	})
}

func (w *bench) checkAll(callers []*caller) {
	w.t.Helper()
	for _, c := range callers {
		for m := c.next(); m != nil; m = c.next() {
			if m.GetInstall() != nil {
				w.check(m.GetInstall(), c.f.publisher)
			}
		}
	}
}

func (w *bench) check(install *controlpb.Install, merged bool) {
	w.t.Helper()
	ls := w.parse(install.GetLeaseSet())
	if install.GetMerged() != merged {
		w.t.Errorf("a publisher got its own, or a member the merged LeaseSet")
	}
	w.checkDates(ls)
	if install.GetReserve() == nil {
		return
	}
	reserve := w.parse(install.GetReserve().GetLeaseSet())
	w.checkDates(reserve)
	if !reserve.Published.After(ls.Published) {
		w.t.Errorf("a reserve of %v, for a LeaseSet of %v", reserve.Published, ls.Published)
	}
}

func (w *bench) parse(raw []byte) *i2p.LeaseSet2 {
	w.t.Helper()
	ls, _, err := i2p.ParseLeaseSet2(raw)
	if err == nil {
		err = ls.Verify()
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return ls
}

func (w *bench) checkDates(ls *i2p.LeaseSet2) {
	w.t.Helper()
	published := ls.Published.Unix()
	if w.seen[published] {
		w.t.Errorf("published %d twice", published)
	}
	w.seen[published] = true
	if ahead := time.Until(ls.Published); ahead > 90*time.Second {
		w.t.Errorf("published is %v ahead of the clock", ahead)
	}
	if time.Until(ls.Expires) > 12*time.Minute {
		w.t.Errorf("expires in %v", time.Until(ls.Expires))
	}
}

func TestCommittedDigestIsOfWhatWasSigned(t *testing.T) {
	inBubble(t, Policy{}, func(w *bench) {
		m := w.attach("m", true, false)
		m.report(1, 3, true)
		install := m.next().GetInstall()
		body, err := w.parse(install.GetReserve().GetLeaseSet()).AppendBody(nil)
		if err != nil {
			t.Fatal(err)
		}
		record := w.store.State().Destination(w.b.hash).Own["m"]
		if record.Digest != sha256.Sum256(body) || record.Seq != install.GetReserve().GetSeq() {
			t.Error("the digest in the log is not that of the last signed LeaseSet")
		}
	})
}

func TestSilentStoreSignsNothing(t *testing.T) {
	inBubble(t, Policy{}, func(w *bench) {
		m := w.attach("m", true, false)
		w.store.Close()
		err := w.b.hearPool(w.ctx, m.f, m.l, &controlpb.Pool{Up: true})
		if err == nil {
			t.Error("a pool was taken that could not be committed")
		}
		if ls := m.installed(); ls != nil {
			t.Error("a LeaseSet was signed that could not be committed")
		}
	})
}

func TestHelloIsChecked(t *testing.T) {
	inBubble(t, Policy{}, func(w *bench) {
		for _, hello := range []*controlpb.Hello{
			nil,
			{Version: 2, Name: "m", Member: true},
			{Version: 1, Name: "m"},
			{Version: 1, Name: "No Name", Member: true},
		} {
			err := w.b.checkHello(w.ctx, hello)
			if err == nil {
				_, _, err = w.b.attach(w.ctx, hello)
			}
			if err == nil {
				t.Errorf("%v was taken in", hello)
			}
		}
	})
}

func TestProbe(t *testing.T) {
	inBubble(t, Policy{}, func(w *bench) {
		if _, err := w.b.Probe(w.ctx, "m"); !errors.Is(err, ErrNotAttached) {
			t.Errorf("probe by nobody: %v", err)
		}
		m := w.attach("m", true, false)
		answered := make(chan *controlpb.ProbeReply, 1)
		go func() {
			reply, err := w.b.Probe(w.ctx, "m")
			if err != nil {
				t.Error(err)
			}
			answered <- reply
		}()
		id := m.next().GetProbe().GetId()
		w.b.hearProbe(m.f, &controlpb.ProbeReply{Id: id + 1}) // of an older one
		w.b.hearProbe(m.f, &controlpb.ProbeReply{Id: id, DestinationFound: true})
		if reply := <-answered; !reply.GetDestinationFound() {
			t.Errorf("reply %v", reply)
		}
		if _, err := w.b.Probe(w.ctx, "m"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("probe that is not answered: %v", err)
		}
	})
}
