package cluster

import (
	"crypto/tls"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/onelease/onelease/balancer/cluster/clusterpb"
	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/internal/pki"
)

// remove has the leader remove a node.
func (r *rig) remove(kind clusterpb.ChangeRequest_Kind, id string, force bool) {
	r.t.Helper()
	if _, err := r.leader().Change(r.t.Context(), &clusterpb.ChangeRequest{Kind: kind, Id: id, Force: force}); err != nil {
		r.t.Fatal(err)
	}
}

// renew asks for a new certificate with the one in dir.
func (r *rig) renew(dir string) error {
	r.t.Helper()
	files, err := pki.NewReloader(dir)
	if err != nil {
		r.t.Fatal(err)
	}
	own := files.Credentials()
	csr, err := pki.CSR(own.Key(), own.Identity().Role, own.Identity().Name)
	if err != nil {
		r.t.Fatal(err)
	}
	_, err = r.leaderFor(dir).Renew(r.t.Context(), &clusterpb.RenewRequest{Request: csr})
	return err
}

// A balancer that was removed keeps a good certificate, which opens nothing.
func TestRemovedBalancer(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.form(3)
	if r.awaitLeader() == r.nodes[2] {
		t.Fatal("the last to join leads, though nothing happened")
	}
	r.remove(clusterpb.ChangeRequest_KIND_REMOVE, "b3", false)
	r.checkRights("the removed one", r.leaderFor(r.nodeDir(2)), "")
	_, err := r.leaderFor(r.nodeDir(2)).Members(t.Context(), &clusterpb.MembersRequest{})
	wantCode(t, "it asks", err, codes.PermissionDenied, `balancer "b3" was removed`, "new invitation")
	if err := r.raftTo(r.nodeDir(2), "b3"); err == nil {
		t.Error("it speaks raft")
	}
	if r.nodes[2].isMember("b3") && r.nodes[2].Balancer().Status().GetLeader() {
		t.Error("it leads")
	}
	r.nodes[2].Kill()
	again := r.start(2, listen(t)) // with its old state
	r.until("the others have a leader", func() bool { return r.awaitLeader() != again })
	r.checkRights("the removed one, started again", r.leaderFor(r.nodeDir(2)), "")
	again.Kill()

	dir := r.join("balancer", "b3")
	r.checkRights("one that joined under its name", r.leaderFor(dir), "Members Enter")
	if err := r.raftTo(r.nodeDir(2), "b3"); err == nil {
		t.Error("the old one speaks raft since another joined under its name")
	}
}

// A leader that removes itself is shut out by the others.
func TestRemovedLeader(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.form(3)
	old := r.awaitLeader()
	r.remove(clusterpb.ChangeRequest_KIND_REMOVE, old.Name(), false)
	r.until("another leads", func() bool {
		for _, n := range r.nodes {
			if b := n.Balancer(); n != old && b != nil && b.Status().GetLeader() {
				conn, err := r.clientOf(old.cfg.Dir).To(n.Address())
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				_, err = conn.Members(t.Context(), &clusterpb.MembersRequest{})
				wantCode(t, "the old leader asks the new", err, codes.PermissionDenied, "was removed")
				return true
			}
		}
		return false
	})
}

// A frontend that was removed is cut off and shut out, also by later leaders,
// until it joins again.
func TestRemovedFrontend(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.form(3)
	dir, other := r.join("frontend", "f1"), r.join("frontend", "f2")
	line, _, err := attach(t.Context(), r.leaderFor(dir).Control, "f1")
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.leader().Change(t.Context(), &clusterpb.ChangeRequest{Kind: clusterpb.ChangeRequest_KIND_REMOVE_FRONTEND, Id: "f3"})
	wantCode(t, "remove one that nobody knows", err, codes.NotFound, "force it")
	r.remove(clusterpb.ChangeRequest_KIND_REMOVE_FRONTEND, "f1", false)
	for err == nil { // the heartbeats that are under way
		_, err = line.Recv()
	}
	if r.awaitLeader().store.State().Frontends["f1"].Roles.Member {
		t.Error("it is in the state still")
	}
	r.shutOutFrontend(dir)
	r.awaitLeader().Kill()
	r.shutOutFrontend(dir)
	if _, first, err := attach(t.Context(), r.leaderFor(other).Control, "f2"); err != nil || first.GetWelcome() == nil {
		t.Errorf("another frontend: %v, %v", first, err)
	}
	dir = r.join("frontend", "f1")
	if _, first, err := attach(t.Context(), r.leaderFor(dir).Control, "f1"); err != nil || first.GetWelcome() == nil {
		t.Errorf("after it joined again: %v, %v", first, err)
	}
	if err := r.renew(dir); err != nil {
		t.Errorf("after it joined again: %v", err)
	}
}

func (r *rig) shutOutFrontend(dir string) {
	r.t.Helper()
	_, _, err := attach(r.t.Context(), r.leaderFor(dir).Control, "f1")
	wantCode(r.t, "it attaches", err, codes.PermissionDenied, `frontend "f1" was removed`)
	wantCode(r.t, "it renews", r.renew(dir), codes.PermissionDenied, "was removed")
}

func TestRemovedBackendAndOperator(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.form(1)
	backend, operator := r.join("backend", "w1"), r.join("operator", "op")
	_, err := r.leader().Change(t.Context(), &clusterpb.ChangeRequest{Kind: clusterpb.ChangeRequest_KIND_REMOVE_BACKEND, Id: "w1"})
	wantCode(t, "remove one that has asked for nothing", err, codes.InvalidArgument, "force it")
	r.remove(clusterpb.ChangeRequest_KIND_REMOVE_BACKEND, "w1", true)
	r.remove(clusterpb.ChangeRequest_KIND_REMOVE_OPERATOR, "op", false)
	r.checkRights("the backend", r.leaderFor(backend), "")
	r.checkRights("the operator", r.leaderFor(operator), "")
	_, err = r.leaderFor(backend).Control.Delegate(t.Context(), &controlpb.DelegateRequest{Version: 1, Name: "w1", SigType: 7})
	wantCode(t, "the backend", err, codes.PermissionDenied, `backend "w1" was removed`)
}

// A connection that is open when its certificate ends is closed.
func TestExpiredWhileConnected(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.form(1)
	leader := r.awaitLeader()
	conn, err := connect(leader.Address(), dialTCP, &tls.Config{
		InsecureSkipVerify: true, Certificates: []tls.Certificate{issue(t, leader.ca.Load(), 2*time.Second, time.Now())},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Members(t.Context(), &clusterpb.MembersRequest{}); err != nil {
		t.Fatal(err)
	}
	if n := r.openOf("op"); n != 1 {
		t.Fatalf("%d connections, want 1", n)
	}
	r.until("it is closed", func() bool { return r.openOf("op") == 0 })
}

// openOf counts the connections of a node to the first balancer.
func (r *rig) openOf(name string) int {
	count := 0
	for _, cert := range r.nodes[0].port.open() {
		if id, err := pki.IdentityOf(cert); err == nil && id.Name == name {
			count++
		}
	}
	return count
}
