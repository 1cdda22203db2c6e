package cluster

import (
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/onelease/onelease/balancer/cluster/clusterpb"
	"github.com/onelease/onelease/balancer/controlpb"
)

// The lead is handed over, and then its holder dies: the frontends go on with
// the next leader, no router loses its session, and what is signed stays in
// order.
func TestLeaderChanges(t *testing.T) {
	s := newSite(t)
	before := max(s.term("a"), s.term("b"))
	conn := s.rig.leader()
	began := time.Now()
	reply, err := conn.Change(t.Context(), &clusterpb.ChangeRequest{Kind: clusterpb.ChangeRequest_KIND_TRANSFER})
	if err != nil {
		t.Fatal(err)
	}
	handed := time.Since(began)
	first, both := s.awaitLater(began, before)
	t.Logf("handed over to %s: known after %v, first LeaseSet after %v, both members' after %v", reply.GetLeader(), handed, first, both)
	if both > 3*time.Second {
		t.Errorf("a planned change took %v", both)
	}

	before = max(s.term("a"), s.term("b"))
	old := s.awaitLeader()
	began = time.Now()
	old.Kill()
	first, both = s.awaitLater(began, before)
	t.Logf("leader killed: first LeaseSet of the next after %v, both members' after %v", first, both)
	if first > 3*time.Second {
		t.Errorf("no LeaseSet for %v after the leader's death", first)
	}
	s.until("the tap has come over", func() bool { return s.tap.last().term > before })
	s.checkSessions()
	s.checkOrder(3)
}

// Close of the leader is like a transfer for the frontends.
func TestFrontendsOutliveClose(t *testing.T) {
	s := newSite(t)
	before := max(s.term("a"), s.term("b"))
	old := s.awaitLeader()
	began := time.Now()
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	first, both := s.awaitLater(began, before)
	t.Logf("leader closed: first LeaseSet of the next after %v, both members' after %v", first, both)
	s.checkSessions()
}

// What an operator asks for holds under this leader and the next.
func TestPolicyAndDrainOutliveTheLeader(t *testing.T) {
	s := newSite(t)
	policy := &clusterpb.Policy{OwnLifeMs: 200_000}
	if _, err := s.rig.leader().SetPolicy(t.Context(), &clusterpb.SetPolicyRequest{Policy: policy}); err != nil {
		t.Fatal(err)
	}
	longer := func() bool { l := s.tap.last().life; return l > 150*time.Second && l < 210*time.Second }
	s.until("LeaseSets live longer", longer)
	_, err := s.rig.leader().SetPolicy(t.Context(), &clusterpb.SetPolicyRequest{Policy: &clusterpb.Policy{Rotation: "daily"}})
	wantCode(t, "a policy that cannot be", err, codes.InvalidArgument, "Rotation", "after-hello")
	_, err = s.rig.leader().SetPolicy(t.Context(), &clusterpb.SetPolicyRequest{Policy: &clusterpb.Policy{OwnLifeMs: -1}})
	wantCode(t, "a time below 0", err, codes.InvalidArgument)

	for _, wrong := range []struct {
		frontend string
		code     codes.Code
	}{{"c", codes.NotFound}, {"publisher", codes.FailedPrecondition}} {
		_, err := s.rig.leader().Drain(t.Context(), &clusterpb.DrainRequest{Frontend: wrong.frontend})
		wantCode(t, "drain "+wrong.frontend, err, wrong.code)
	}
	s.until("it can be drained", func() bool {
		_, err := s.rig.leader().Drain(t.Context(), &clusterpb.DrainRequest{Frontend: "a"})
		return err == nil
	})
	s.until("a drains", func() bool { return s.routers["a"].Status().Draining })

	before, count := max(s.term("a"), s.term("b")), len(s.tap.all())
	s.awaitLeader().Kill()
	s.awaitLater(time.Now(), before)
	s.until("the tap has come over", func() bool { return len(s.tap.all()) > count && s.tap.last().term > before })
	if !longer() {
		t.Errorf("under the next leader a LeaseSet lives %v", s.tap.last().life)
	}
	if !s.drains("a") || s.drains("b") || !s.routers["a"].Status().Draining {
		t.Errorf("under the next leader a drains %v, b %v; a's frontend %v", s.drains("a"), s.drains("b"), s.routers["a"].Status().Draining)
	}
	if _, err := s.rig.leader().Drain(t.Context(), &clusterpb.DrainRequest{Frontend: "a", Off: true}); err != nil {
		t.Fatal(err)
	}
	s.until("a drains no more", func() bool { return !s.routers["a"].Status().Draining })
	s.checkSessions()
}

// drains is what the leader says.
func (s *site) drains(name string) bool {
	s.t.Helper()
	reply, err := s.rig.leader().Control.GetStatus(s.t.Context(), &controlpb.StatusRequest{})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, f := range reply.GetFrontends() {
		if f.GetName() == name {
			return f.GetDraining()
		}
	}
	s.t.Fatalf("the leader does not know %s", name)
	return false
}
