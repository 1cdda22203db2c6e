package balancer

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/raftstate/ledger"
)

// drained returns the newest Drain that waits, nil if none does.
func (c *caller) drained() *controlpb.Drain {
	var newest *controlpb.Drain
	for m := c.next(); m != nil; m = c.next() {
		if m.GetDrain() != nil {
			newest = m.GetDrain()
		}
	}
	return newest
}

// three attaches two members with three tunnels and a publisher, and returns
// after the first merged LeaseSet.
func (w *bench) three() (publisher, m1, m2 *caller) {
	publisher, m1, m2 = w.attach("p", false, true), w.attach("m1", true, false), w.attach("m2", true, false)
	m1.report(1, 3, true)
	m2.report(2, 3, true)
	publisher.report(9, 1, true)
	if ls := publisher.installed(); ls == nil || len(ls.Leases) != 6 {
		w.t.Fatalf("merged LeaseSet before the drain: %+v", ls)
	}
	return publisher, m1, m2
}

func (w *bench) drain(name string, on bool) {
	w.t.Helper()
	if err := w.b.Drain(name, on); err != nil {
		w.t.Fatal(err)
	}
}

// A drained member leaves the merged LeaseSet, keeps its own, and comes back.
func TestDrain(t *testing.T) {
	inBubble(t, Policy{}, func(w *bench) {
		publisher, _, m2 := w.three()
		w.drain("m2", true)
		if d := m2.drained(); !d.GetDraining() || time.Until(time.UnixMilli(d.GetUntilMs())).Round(time.Second) != 10*time.Minute {
			t.Errorf("the member was told %v", d)
		}
		if s := w.b.Status().GetFrontends()[1]; !s.GetDraining() || s.GetDrainUntilMs() == 0 {
			t.Errorf("status %v", s)
		}
		time.Sleep(DefaultPolicy().PublishGap)
		if ls := publisher.installed(); ls == nil || gateways(ls)[2] != 0 || gateways(ls)[1] != 3 {
			t.Errorf("merged LeaseSet of the drain: %+v", ls)
		}
		m2.report(2, 2, true) // its tunnels change: its router is answered, nothing is published
		if ls := m2.installed(); ls == nil || gateways(ls)[2] != 2 {
			t.Errorf("own LeaseSet of the drained: %+v", ls)
		}
		time.Sleep(DefaultPolicy().PublishGap)
		if ls := publisher.installed(); ls != nil {
			t.Errorf("published without need: %+v", ls)
		}
		w.drain("m2", false)
		if d := m2.drained(); d == nil || d.GetDraining() || d.GetUntilMs() != 0 {
			t.Errorf("the member was told %v", d)
		}
		if ls := publisher.installed(); ls == nil || gateways(ls)[2] != 2 {
			t.Errorf("merged LeaseSet after the drain: %+v", ls)
		}
	})
}

// A remote that moves holds the drained member's last LeaseSet, and takes a
// survivor's only if that is newer; and it must not be called back by a later
// one. So of what has been handed out, the survivors' is always the newer.
func TestDrainedIsNeverNewest(t *testing.T) {
	inBubble(t, Policy{}, func(w *bench) {
		_, m1, m2 := w.three()
		m3 := w.attach("m3", true, false)
		m3.report(3, 3, true)
		newest := map[*caller]time.Time{}
		var life time.Duration
		check := func() {
			t.Helper()
			for _, c := range []*caller{m1, m2, m3} {
				if ls := c.installed(); ls != nil {
					newest[c] = ls.Published
					if c == m2 {
						life = time.Until(ls.Expires)
					}
				}
			}
			if !newest[m1].After(newest[m2]) || !newest[m3].After(newest[m2]) {
				t.Fatalf("drained %v, survivors %v, %v", newest[m2], newest[m1], newest[m3])
			}
		}
		w.drain("m2", true)
		refreshes := 0
		for second := range 300 {
			last := newest[m2]
			check()
			if newest[m2].After(last) {
				refreshes++
			}
			life -= time.Second
			if life < 50*time.Second {
				t.Fatalf("the drained member's leases have %v left", life)
			}
			if second%100 == 50 {
				m2.report(2, 2+second%3, true)
			}
			time.Sleep(time.Second)
		}
		if refreshes > 15 {
			t.Errorf("%d LeaseSets for the drained member in 5 minutes", refreshes)
		}
	})
}

// An answer of the drained member must not bring its new LeaseSet to a remote that is
// moved just then and has not heard of the newer one yet.
func TestTheDrainedGetsItsLeaseSetLater(t *testing.T) {
	inBubble(t, Policy{}, func(w *bench) {
		_, m1, m2 := w.three()
		m1.installed() // what they have before
		m2.installed()
		w.drain("m2", true)
		synctest.Wait()
		if theirs, its := m1.installed(), m2.installed(); theirs == nil || its != nil {
			t.Errorf("at once the other got %v, the drained one %v", theirs, its)
		}
		time.Sleep(holdTime)
		synctest.Wait()
		if m2.installed() == nil {
			t.Errorf("after %v it has none", holdTime)
		}
		m2.report(2, 2, true)
		synctest.Wait()
		if m2.installed() == nil {
			t.Error("its router asks, and is not answered")
		}
	})
}

func TestDrainRefuses(t *testing.T) {
	inBubble(t, Policy{}, func(w *bench) {
		w.three()
		err := w.b.Drain("m9", true)
		if !errors.Is(err, ErrUnknownFrontend) || !strings.HasSuffix(err.Error(), "there are m1, m2, p") {
			t.Errorf("unknown name: %v", err)
		}
		if err := w.b.Drain("p", true); !errors.Is(err, ErrNotMember) {
			t.Errorf("publisher: %v", err)
		}
		w.drain("m2", true)
		w.drain("m2", true)
		if err := w.b.Drain("m1", true); !errors.Is(err, ErrLastMember) {
			t.Errorf("last member: %v", err)
		}
		w.drain("m1", false) // was not drained
		if got := w.b.Status().GetFrontends(); got[0].GetDraining() || !got[1].GetDraining() {
			t.Errorf("status %v", got)
		}
	})
}

// A drained member is better than none.
func TestDrainedTakesOverFromTheLast(t *testing.T) {
	inBubble(t, Policy{}, func(w *bench) {
		publisher, m1, _ := w.three()
		w.drain("m2", true)
		time.Sleep(DefaultPolicy().PublishGap)
		publisher.installed()
		m1.routerDown()
		w.drain("m2", true) // is drained already
		time.Sleep(DefaultPolicy().PublishGap)
		if ls := publisher.installed(); ls == nil || gateways(ls)[2] != 3 {
			t.Errorf("merged LeaseSet: %+v", ls)
		}
	})
}

// TestDrainWithManyRouters: with more routers than a LeaseSet can list, a
// publish is urgent only if one is listed that drains.
func TestDrainWithManyRouters(t *testing.T) {
	inBubble(t, Policy{Tunnels: 1}, func(w *bench) {
		publisher := w.attach("p", false, true)
		for i := range 20 {
			w.attach("m"+string(rune('a'+i)), true, false).report(i, 1, true)
		}
		publisher.report(99, 1, true)
		listed := gateways(publisher.installed())
		for router := range listed {
			w.drain("m"+string(rune('a'+router)), true)
			time.Sleep(DefaultPolicy().PublishGap)
			if ls := publisher.installed(); ls == nil || gateways(ls)[router] != 0 {
				t.Errorf("merged LeaseSet: %+v", ls)
			}
			return
		}
	})
}

// The limit runs on from leader to leader, and a frontend that missed the end
// of a drain is told when it attaches.
func TestDrainOutlivesTheLeader(t *testing.T) {
	inBubble(t, Policy{}, func(w *bench) {
		_, _, m2 := w.three()
		w.drain("m2", true)
		until := m2.drained().GetUntilMs()
		time.Sleep(time.Minute)
		w.succeed()
		m2 = w.attachDrained("m2", until)
		if d := m2.drained(); !d.GetDraining() || d.GetUntilMs() != until {
			t.Errorf("until %d before, then told %v", until, d)
		}
		w.b.detach(m2.f, m2.l)
		m1 := w.attach("m1", true, false)
		m1.report(1, 3, true)
		w.drain("m2", false)
		if d := w.attachDrained("m2", until).drained(); d == nil || d.GetDraining() {
			t.Errorf("after the end it was told %v", d)
		}
		synctest.Wait()
		if d := m1.drained(); d != nil {
			t.Errorf("another was told %v", d)
		}
	})
}

// attachDrained attaches a member that thinks it drains.
func (w *bench) attachDrained(name string, untilMs int64) *caller {
	w.t.Helper()
	return w.attachWith(&controlpb.Hello{Version: controlVersion, Name: name, Member: true, DrainUntilMs: untilMs})
}

func TestDrainNeedsALeader(t *testing.T) {
	inBubble(t, Policy{}, func(w *bench) {
		w.three()
		w.store.Close()
		if err := w.b.Drain("m2", true); !errors.Is(err, ledger.ErrNotLeader) && !errors.Is(err, ledger.ErrClosed) {
			t.Errorf("without a store: %v", err)
		}
		for _, f := range w.b.Status().GetFrontends() {
			if f.GetDraining() {
				t.Error("drained without a commit")
			}
		}
	})
}
