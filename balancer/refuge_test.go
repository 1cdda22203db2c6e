package balancer

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/i2p"
)

// refugeRouter is the refuge's router, as leaseOf numbers them.
const refugeRouter = 7

func (w *bench) attachRefuge() *caller {
	w.t.Helper()
	c := w.attachWith(&controlpb.Hello{Version: controlVersion, Name: "refuge", Refuge: true})
	c.report(refugeRouter, 3, true)
	return c
}

// withRefuge is three, and a refuge; as long after that as the gap between two
// publishes is, so that the next goes out at once.
func (w *bench) withRefuge() (publisher, m1, m2, refuge *caller) {
	w.t.Helper()
	publisher, m1, m2 = w.three()
	refuge = w.attachRefuge()
	time.Sleep(DefaultPolicy().PublishGap)
	for _, c := range []*caller{publisher, m1, m2} {
		c.installed()
	}
	return publisher, m1, m2, refuge
}

// hasKey fails unless ls has the key of that epoch.
func (w *bench) hasKey(ls *i2p.LeaseSet2, epoch uint64) {
	w.t.Helper()
	key, err := w.b.cfg.Keys.EpochKey(epoch)
	if err != nil {
		w.t.Fatal(err)
	}
	if !bytes.Equal(ls.Keys[0].Key, key.PublicKey().Bytes()) {
		w.t.Errorf("LeaseSet with another key than that of epoch %d", epoch)
	}
}

// lists fails unless what the publisher gets next has the leases of just these
// routers, and the key of that epoch.
func (publisher *caller) lists(epoch uint64, routers ...byte) {
	publisher.t.Helper()
	ls := publisher.installed()
	if ls == nil {
		publisher.t.Fatal("nothing was published")
	}
	publisher.hasKey(ls, epoch)
	listed := gateways(ls)
	for _, router := range routers {
		if listed[router] != 3 {
			publisher.t.Errorf("%d leases of router %d", listed[router], router)
		}
		delete(listed, router)
	}
	if len(listed) > 0 {
		publisher.t.Errorf("also listed: %v", listed)
	}
}

// stays fails if something is published in that time that has other leases than
// those of these routers.
func (publisher *caller) stays(d time.Duration, epoch uint64, routers ...byte) {
	publisher.t.Helper()
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(DefaultPolicy().MergedRefresh) {
		publisher.lists(epoch, routers...)
	}
}

// In normal times nobody waits for the refuge, it is not listed, and its own
// LeaseSets have the next epoch's key.
func TestRefugeServesNobody(t *testing.T) {
	inBubble(t, Policy{}, func(w *bench) {
		refuge := w.attachWith(&controlpb.Hello{Version: controlVersion, Name: "refuge", Refuge: true})
		publisher, m1, _ := w.three() // fails if the first LeaseSet waits for the refuge
		w.hasKey(m1.installed(), 0)
		refuge.report(refugeRouter, 3, true)
		own := refuge.installed()
		if own == nil || gateways(own)[refugeRouter] != 3 {
			t.Fatalf("own LeaseSet of the refuge: %+v", own)
		}
		w.hasKey(own, 1)
		time.Sleep(DefaultPolicy().MergedRefresh)
		publisher.lists(0, 1, 2)
		s := w.b.Status()
		if f := s.GetFrontends()[3]; !f.GetRefuge() || f.GetMember() || s.GetRefugeUntilMs() != 0 {
			t.Errorf("status %v", s)
		}
	})
}

// A refuge alone is nothing to publish first.
func TestRefugeIsNoMember(t *testing.T) {
	inBubble(t, Policy{}, func(w *bench) {
		publisher := w.attach("p", false, true)
		w.attachRefuge()
		publisher.report(9, 1, true)
		time.Sleep(time.Minute)
		if ls := publisher.installed(); ls != nil {
			t.Errorf("published: %+v", ls)
		}
	})
}

// A loss has the refuge listed alone, for RefugeTime, and the members again after
// that. Their keys do not change, and all get a LeaseSet newer than the merged.
func TestLossOpensTheRefuge(t *testing.T) {
	const open = 133 * time.Second // ends at no renewal of another LeaseSet
	inBubble(t, Policy{RefugeTime: open}, func(w *bench) {
		publisher, m1, m2, refuge := w.withRefuge()
		m2.routerDown()
		publisher.lists(1, refugeRouter)
		if until := time.UnixMilli(w.b.Status().GetRefugeUntilMs()); time.Until(until).Round(time.Second) != open {
			t.Errorf("until %v", until)
		}
		merged := w.publishedAt()
		for c, epoch := range map[*caller]uint64{m1: 0, refuge: 1} {
			own := c.installed()
			w.hasKey(own, epoch)
			if !own.Published.After(merged) {
				t.Errorf("own LeaseSet of %s is not newer than the merged one", c.f.name)
			}
		}
		end := time.Now().Add(open)
		time.Sleep(DefaultPolicy().MergedRefresh)
		publisher.stays(time.Until(end)-DefaultPolicy().MergedRefresh, 1, refugeRouter)
		time.Sleep(time.Until(end))
		publisher.lists(0, 1)
		w.hasKey(refuge.installed(), 1)
		if s := w.b.Status(); s.GetEpoch() != 0 || s.GetRefugeUntilMs() != 0 {
			t.Errorf("status %v", s)
		}
	})
}

// publishedAt is the merged LeaseSet's `published`.
func (w *bench) publishedAt() time.Time {
	w.b.mu.Lock()
	defer w.b.mu.Unlock()
	return w.b.merged.leaseSet.Published
}

// Both switches wait for no more than the gap between two publishes.
func TestRefugeSwitchesKeepTheGap(t *testing.T) {
	inBubble(t, Policy{}, func(w *bench) {
		publisher, m1, m2, _ := w.withRefuge()
		m1.report(1, 2, true) // publishes
		publisher.installed()
		m2.routerDown()
		if ls := publisher.installed(); ls != nil {
			t.Error("published within the gap")
		}
		time.Sleep(DefaultPolicy().PublishGap)
		publisher.lists(1, refugeRouter)
	})
}

func TestSecondLossKeepsTheRefugeOpen(t *testing.T) {
	inBubble(t, Policy{}, func(w *bench) {
		publisher, m1, m2, _ := w.withRefuge()
		m3 := w.attach("m3", true, false)
		m3.report(3, 3, true)
		m2.routerDown()
		time.Sleep(100 * time.Second)
		m3.routerDown()
		time.Sleep(100 * time.Second)
		publisher.lists(1, refugeRouter)
		m1.report(1, 3, true)
		time.Sleep(30*time.Second + DefaultPolicy().PublishGap)
		publisher.lists(0, 1)
	})
}

// Without tunnels of the refuge a loss is what it is without a refuge; when it
// has some in time, it is listed from then on.
func TestRefugeThatIsDown(t *testing.T) {
	inBubble(t, Policy{}, func(w *bench) {
		publisher, _, m2, refuge := w.withRefuge()
		refuge.routerDown()
		if w.b.Status().GetRefugeUntilMs() != 0 {
			t.Error("the loss of the refuge opens a refuge")
		}
		m2.routerDown()
		publisher.lists(0, 1)
		refuge.report(refugeRouter, 3, true)
		time.Sleep(DefaultPolicy().PublishGap)
		publisher.lists(1, refugeRouter)
		refuge.routerDown()
		time.Sleep(DefaultPolicy().PublishGap)
		publisher.lists(0, 1)
	})
}

// A session that breaks while routers start has served nobody.
func TestNoRefugeBeforeTheFirstLeaseSet(t *testing.T) {
	inBubble(t, Policy{}, func(w *bench) {
		w.attachRefuge()
		publisher, m1, m2 := w.attach("p", false, true), w.attach("m1", true, false), w.attach("m2", true, false)
		m1.report(1, 3, true)
		m2.report(2, 1, true)
		m2.routerDown()
		m2.report(2, 3, true)
		publisher.report(9, 1, true)
		publisher.lists(0, 1, 2)
	})
}

// Maintenance is no loss, and a refuge cannot be drained: no other could take
// its remotes.
func TestDrainOpensNoRefuge(t *testing.T) {
	inBubble(t, Policy{}, func(w *bench) {
		publisher, _, m2, _ := w.withRefuge()
		w.drain("m2", true)
		publisher.lists(0, 1)
		m2.routerDown()
		time.Sleep(DefaultPolicy().MergedRefresh)
		publisher.lists(0, 1)
		if err := w.b.Drain("refuge", true); !errors.Is(err, ErrNotMember) {
			t.Errorf("drain of the refuge: %v", err)
		}
	})
}

// The last member can not be drained because there is a refuge.
func TestRefugeIsNoReplacement(t *testing.T) {
	inBubble(t, Policy{}, func(w *bench) {
		w.withRefuge()
		w.drain("m2", true)
		if err := w.b.Drain("m1", true); !errors.Is(err, ErrLastMember) {
			t.Errorf("drain of the last member: %v", err)
		}
	})
}

// A refuge is better than nobody, for as long as that lasts.
func TestRefugeWithoutMembers(t *testing.T) {
	inBubble(t, Policy{}, func(w *bench) {
		publisher, m1, m2, refuge := w.withRefuge()
		m1.routerDown()
		m2.routerDown()
		time.Sleep(DefaultPolicy().RefugeTime + time.Minute)
		refuge.report(refugeRouter, 3, true)
		publisher.installed()
		time.Sleep(DefaultPolicy().MergedRefresh)
		publisher.lists(1, refugeRouter)
		m1.report(1, 3, true)
		time.Sleep(DefaultPolicy().PublishGap)
		publisher.lists(0, 1)
	})
}

// A router that serves and publishes would hand the refuge's leases to its remotes.
func TestNoRefugeBesideAMemberThatPublishes(t *testing.T) {
	inBubble(t, Policy{}, func(w *bench) {
		publisher, _, m2, _ := w.withRefuge()
		both := w.attach("both", true, true)
		both.report(4, 3, true)
		publisher.installed()
		m2.routerDown()
		time.Sleep(DefaultPolicy().PublishGap)
		publisher.lists(0, 1, 4)
	})
}

// ownLeft is how long the caller's own LeaseSet is good.
func (c *caller) ownLeft() time.Duration {
	c.b.mu.Lock()
	defer c.b.mu.Unlock()
	return time.Until(c.f.own.leaseSet.Expires)
}

// With a refuge, who holds a lost member's LeaseSet looks anew in time.
func TestOwnLifeWithRefuge(t *testing.T) {
	inBubble(t, Policy{}, func(w *bench) {
		_, m1, m2, refuge := w.withRefuge()
		w.drain("m2", true)
		for second := range 120 {
			for _, c := range []*caller{m1, refuge} {
				if ls := c.installed(); ls != nil && time.Until(ls.Leases[0].End) > 76*time.Second {
					t.Fatalf("leases of %s have %v left", c.f.name, time.Until(ls.Leases[0].End))
				}
			}
			for _, c := range []*caller{m1, m2, refuge} {
				if left := c.ownLeft(); left < 56*time.Second {
					t.Fatalf("after %d s the LeaseSet of %s has %v left: the reserve comes in", second, c.f.name, left)
				}
			}
			time.Sleep(time.Second)
		}
	})
}

// A leader that takes over lists the members, knows the refuge, and loses who
// does not come over as any other.
func TestNextLeaderKnowsTheRefuge(t *testing.T) {
	inBubble(t, Policy{}, func(w *bench) {
		publisher, m1, _, _ := w.withRefuge()
		atPublisher, atM1 := leaseMessages(publisher.f.leases), leaseMessages(m1.f.leases)
		w.succeed()
		if f := w.b.Status().GetFrontends()[3]; !f.GetRefuge() {
			t.Errorf("the next leader has %v", f)
		}
		publisher, m1 = publisher.again(atPublisher), m1.again(atM1)
		w.hasKey(w.attachRefuge().installed(), 1)
		time.Sleep(DefaultPolicy().TakeoverTime + DefaultPolicy().PublishGap)
		publisher.lists(1, refugeRouter)

		w.succeed()
		publisher = publisher.again(atPublisher)
		m1.again(atM1)
		w.attachRefuge()
		time.Sleep(DefaultPolicy().TakeoverTime + DefaultPolicy().PublishGap)
		publisher.lists(0, 1)
	})
}

// The key of a refuge would be that of the members' next epoch.
func TestRefugeNeedsTheOldKey(t *testing.T) {
	inBubble(t, Policy{Rotation: RotateAfterHello}, func(w *bench) {
		_, _, err := w.b.attach(w.ctx, &controlpb.Hello{Version: controlVersion, Name: "refuge", Refuge: true})
		if status.Code(err) != codes.FailedPrecondition {
			t.Errorf("with rotation: %v", err)
		}
	})
}

func TestRefugeHasNoOtherRole(t *testing.T) {
	inBubble(t, Policy{}, func(w *bench) {
		for _, hello := range []*controlpb.Hello{
			{Version: controlVersion, Name: "refuge", Refuge: true, Member: true},
			{Version: controlVersion, Name: "refuge", Refuge: true, Publisher: true},
		} {
			if err := w.b.checkHello(w.ctx, hello); status.Code(err) != codes.InvalidArgument {
				t.Errorf("%v: %v", hello, err)
			}
		}
	})
}
