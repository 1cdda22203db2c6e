package balancer

import (
	"testing"
	"time"

	"github.com/onelease/onelease/balancer/controlpb"
)

// looks runs do with a balancer that has the netDB looked at, a publisher, and two members
// that have tunnels. The merged LeaseSet was published just now.
func looks(t *testing.T, do func(w *bench, publisher, m1, m2 *caller)) {
	inBubble(t, Policy{}, func(w *bench) {
		w.stop()
		cfg := w.b.cfg
		cfg.LookEvery = LookEvery
		w.start(cfg)
		publisher, m1, m2 := w.three()
		do(w, publisher, m1, m2)
	})
}

// asked returns the question that waits for c, 0 if none does.
func (c *caller) asked() uint64 {
	id := uint64(0)
	for m := c.next(); m != nil; m = c.next() {
		if look := m.GetLook(); look != nil {
			id = look.GetId()
		}
	}
	return id
}

// awaitAsked waits until c is asked, and returns the question.
func (c *caller) awaitAsked(within time.Duration) uint64 {
	c.t.Helper()
	for by := time.Now().Add(within); time.Now().Before(by); time.Sleep(100 * time.Millisecond) {
		if id := c.asked(); id != 0 {
			return id
		}
	}
	c.t.Fatalf("%s is not asked within %v", c.f.name, within)
	return 0
}

func (c *caller) answer(reply *controlpb.LookReply) *controlpb.NetDB {
	c.t.Helper()
	c.b.hearLook(c.f, reply)
	return c.b.Status().GetNetDb()
}

// The members look in turn, a while after a publish and then once a minute; one of them is
// enough to find it.
func TestMembersLookIntoTheNetDB(t *testing.T) {
	looks(t, func(w *bench, publisher, m1, m2 *caller) {
		if s := w.b.Status(); s.GetNetDb() != nil || m1.asked() != 0 {
			t.Errorf("looked at before it can be there: %v", s.GetNetDb())
		}
		id := m1.awaitAsked(lookSettle + time.Second)
		if got := m2.answer(&controlpb.LookReply{Id: id, Found: true}); got != nil {
			t.Errorf("the answer of one who was not asked counts: %v", got)
		}
		if got := m1.answer(&controlpb.LookReply{Id: id + 7}); got != nil {
			t.Errorf("the answer to another question counts: %v", got)
		}
		got := m1.answer(&controlpb.LookReply{Id: id, Found: true})
		if !got.GetFound() || got.GetBy() != "m1" || got.GetFoundMs() != got.GetAtMs() || got.GetMisses() != 0 {
			t.Errorf("found: %v", got)
		}
		began := time.Now()
		id = m2.awaitAsked(LookEvery + DefaultPolicy().MergedRefresh)
		if rest := time.Since(began); rest < LookEvery-time.Second {
			t.Errorf("looked again after %v", rest)
		}
		if got := m2.answer(&controlpb.LookReply{Id: id, Error: "no tunnels"}); got.GetFound() || got.GetMisses() != 0 || got.GetFoundMs() == 0 || got.GetError() != "no tunnels" {
			t.Errorf("one could not look: %v", got)
		}
		if publisher.asked() != 0 {
			t.Error("a publisher was asked where others could look")
		}
	})
}

// Who finds nothing is followed by another soon, and three in a row are enough to say so.
func TestMissesAreCounted(t *testing.T) {
	looks(t, func(w *bench, _, m1, m2 *caller) {
		for i, c := range []*caller{m1, m2, m1} {
			began := time.Now()
			id := c.awaitAsked(lookSettle + lookSoon + time.Second)
			if got := c.answer(&controlpb.LookReply{Id: id}); got.GetFound() || got.GetMisses() != uint32(i+1) || got.GetFoundMs() != 0 {
				t.Errorf("miss %d, after %v: %v", i, time.Since(began), got)
			}
		}
		id := m2.awaitAsked(2 * LookEvery)
		if got := m2.answer(&controlpb.LookReply{Id: id, Found: true}); !got.GetFound() || got.GetMisses() != 0 {
			t.Errorf("found again: %v", got)
		}
	})
}

// A frontend of an earlier version says nothing, and one that is gone cannot: others are
// asked then.
func TestWhoDoesNotLookIsPassedOver(t *testing.T) {
	looks(t, func(w *bench, _, m1, m2 *caller) {
		m1.awaitAsked(lookSettle + time.Second)
		id := m2.awaitAsked(lookTime + lookSoon + time.Second)
		if got := w.b.Status().GetNetDb(); got.GetBy() != "m1" || got.GetError() == "" {
			t.Errorf("m1 said nothing: %v", got)
		}
		w.b.detach(m2.f, m2.l)
		if got := m2.answer(&controlpb.LookReply{Id: id, Found: true}); got.GetFound() {
			t.Errorf("an answer of one who is gone counts: %v", got)
		}
		m1.awaitAsked(lookSoon + DefaultPolicy().PublishGap + lookSettle)
	})
}

// A publisher is asked where no member has its router.
func TestThePublisherLooksWhereItIsAlone(t *testing.T) {
	looks(t, func(w *bench, publisher, m1, m2 *caller) {
		m1.routerDown()
		m2.routerDown()
		publisher.awaitAsked(time.Minute)
	})
}

// Nobody is asked where nobody watches.
func TestNobodyLooks(t *testing.T) {
	inBubble(t, Policy{}, func(w *bench) {
		_, m1, m2 := w.three()
		time.Sleep(3 * time.Minute)
		if m1.asked() != 0 || m2.asked() != 0 || w.b.Status().GetNetDb() != nil {
			t.Error("somebody was asked")
		}
	})
}

// Status says what became of the last merged LeaseSet, and of each member's own.
func TestStatusOfAPublish(t *testing.T) {
	inBubble(t, Policy{}, func(w *bench) {
		publisher, m1, _ := w.three()
		s := w.b.Status()
		p := s.GetPublication()
		if len(p.GetPublishers()) != 1 || len(p.GetTakenBy()) != 0 || p.GetTakenMs() != 0 || time.Since(time.UnixMilli(p.GetAtMs())) > time.Second {
			t.Errorf("sent, and not given to a router yet: %v", p)
		}
		w.b.hearInstalled(publisher.f, &controlpb.Installed{Seq: s.GetMerged().GetSeq()})
		if p := w.b.Status().GetPublication(); len(p.GetTakenBy()) != 1 || p.GetTakenBy()[0] != "p" || p.GetTakenMs() == 0 {
			t.Errorf("given to the router: %v", p)
		}
		if s.GetLeaderName() != "balancer-1" {
			t.Errorf("leader %q", s.GetLeaderName())
		}
		w.b.hear(t.Context(), m1.f, m1.l, &controlpb.FrontendMessage{Kind: &controlpb.FrontendMessage_Heartbeat{
			Heartbeat: &controlpb.Heartbeat{ClockMs: time.Now().Add(2 * time.Second).UnixMilli()},
		}})
		for _, f := range w.b.Status().GetFrontends() {
			if member := f.GetName() != "p"; member != (f.GetListed() == 3) || member != (f.GetOwn().GetLeases() == 3) {
				t.Errorf("%s: %d leases listed, own %v", f.GetName(), f.GetListed(), f.GetOwn())
			}
			if f.GetName() == "m1" && (!f.GetClockKnown() || f.GetClockOffMs() < 1990 || f.GetClockOffMs() > 2000) {
				t.Errorf("clock %v, %d ms", f.GetClockKnown(), f.GetClockOffMs())
			}
		}
	})
}

// A new leader has the netDB looked at though nobody publishes: what an earlier one had
// published may be there no more.
func TestNextLeaderLooks(t *testing.T) {
	looks(t, func(w *bench, _, m1, _ *caller) {
		w.succeed()
		again := w.attach("m1", true, false)
		again.report(1, 3, false)
		again.awaitAsked(lookSettle + lookSoon + time.Second)
	})
}
