package cluster

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/onelease/onelease/balancer/cluster/clusterpb"
	"github.com/onelease/onelease/internal/lobby"
	"github.com/onelease/onelease/raftstate"
	"github.com/onelease/onelease/raftstate/ledger"
)

// leavesNothing runs a test and waits until its goroutines are gone.
func leavesNothing(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	before := runtime.NumGoroutine()
	if !t.Run("run", test) {
		return
	}
	limit := time.After(10 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for runtime.NumGoroutine() > before {
		select {
		case <-tick.C:
		case <-limit:
			var stacks strings.Builder
			_ = pprof.Lookup("goroutine").WriteTo(&stacks, 1)
			t.Fatalf("%d goroutines, there were %d:\n%s", runtime.NumGoroutine(), before, stacks.String())
		}
	}
}

// free fails the test unless addr can be listened on.
func free(t *testing.T, addr string) {
	t.Helper()
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		t.Errorf("the port is not free: %v", err)
		return
	}
	ln.Close()
}

func TestKillLeavesNothing(t *testing.T) {
	leavesNothing(t, func(t *testing.T) {
		r := newRig(t)
		r.form(3)
		if _, _, err := attach(t.Context(), r.leaderFor(r.join("frontend", "f1")).Control, "f1"); err != nil {
			t.Fatal(err)
		}
		silent, err := net.Dial("tcp", r.nodes[0].Address())
		if err != nil {
			t.Fatal(err)
		}
		defer silent.Close()
		for _, n := range r.nodes {
			n.Kill()
			free(t, n.Address())
		}
		for _, n := range r.nodes {
			n.Kill() // again is no harm
			if err := n.Close(); err != nil {
				t.Errorf("Close after Kill: %v", err)
			}
		}
	})
}

// When Close returns another leads already: nobody had to elect.
func TestCloseHandsOver(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.form(3)
	old := r.awaitLeader()
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	for _, n := range r.nodes {
		if n != old && n.store.Leader().Self {
			return
		}
	}
	t.Error("nobody leads when Close returns")
}

// A directory that is open, or holds what belongs to another, is refused, and
// nothing is left of the try.
func TestStartRefuses(t *testing.T) {
	r := newRig(t)
	r.form(2)
	other := newRig(t)
	other.form(1)
	frontend := r.join("frontend", "f1")
	r.nodes[1].Kill()
	other.nodes[0].Kill()
	mixed := func(dir, stateOf string) string {
		copied := copyDir(t, dir)
		for _, err := range []error{
			os.RemoveAll(filepath.Join(copied, stateName)),
			os.CopyFS(filepath.Join(copied, stateName), os.DirFS(filepath.Join(stateOf, stateName))),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		return copied
	}
	keyless := copyDir(t, r.nodeDir(0))
	if err := os.Remove(filepath.Join(keyless, "ca.key.sealed")); err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []struct {
		what, dir string
		err       error
		says      string
	}{
		{"one that is open", r.nodeDir(0), ledger.ErrLocked, "stop the program"},
		{"the state of another node", mixed(r.nodeDir(0), r.nodeDir(1)), raftstate.ErrNotMember, `"b2", not "b1"`},
		{"the state of another cluster", mixed(r.nodeDir(0), other.nodeDir(0)), raftstate.ErrNotMember, "state of cluster"},
		{"a frontend's", frontend, ErrInvalid, "directory of a frontend"},
		{"one without the CA's key", keyless, fs.ErrNotExist, "no ca.key.sealed"},
		{"none", "", ErrInvalid, "Dir"},
		{"an empty one", t.TempDir(), nil, "onelease cluster init"},
	} {
		leavesNothing(t, func(t *testing.T) {
			ln := listen(t)
			defer ln.Close() // what is refused before it listens leaves it alone
			node, err := Start(Config{Dir: wrong.dir, Listener: ln, Secret: r.secret, Logger: r.logger})
			if err == nil {
				node.Kill()
			}
			if err == nil || wrong.err != nil && !errors.Is(err, wrong.err) || !strings.Contains(err.Error(), wrong.says) {
				t.Errorf("Start on %s: %v, want %v that says %s", wrong.what, err, wrong.err, wrong.says)
			}
		})
	}
	if got := r.awaitTerm(); got == 0 {
		t.Error("the open one does not work any more")
	}
}

// awaitTerm starts the second node of two again, so that they can commit, and
// returns the term in which they do.
func (r *rig) awaitTerm() uint64 {
	r.t.Helper()
	ln, err := net.Listen("tcp", r.nodes[1].Address())
	if err != nil {
		r.t.Fatal(err)
	}
	r.start(1, ln)
	result, err := r.awaitLeader().store.Apply(r.t.Context(), touch(r))
	if err != nil {
		r.t.Fatal(err)
	}
	return result.Term
}

// Connections that say nothing do not keep out who does.
func TestFlood(t *testing.T) {
	r := newRig(t)
	r.form(1)
	frontend := r.clientOf(r.join("frontend", "f1"))
	for i := range 1000 {
		conn, err := net.Dial("tcp", r.nodes[0].Address())
		if err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		defer conn.Close()
	}
	began := time.Now()
	conn, err := frontend.To(r.nodes[0].Address())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, _, err := attach(t.Context(), conn.Control, "f1"); err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	t.Logf("attached in %v behind 1,000 silent connections", took)
	if took > 2*time.Second {
		t.Errorf("attached after %v", took)
	}
	if n := r.nodes[0].port.strangers.Len(); n > lobby.Max {
		t.Errorf("%d strangers are let wait, want up to %d", n, lobby.Max)
	}
}

// A cluster that has worked goes on with fewer voters than it began with.
func TestExpect(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ln := listen(t)
	err := Init(InitConfig{Dir: r.nodeDir(0), ID: "b1", Address: ln.Addr().String(), Keys: r.keys, Secret: r.secret, Expect: 2})
	if err != nil {
		t.Fatal(err)
	}
	first := r.start(0, ln)
	r.until("it waits", func() bool { return strings.Contains(first.office(), "waiting for 2") })
	r.lockedLeader()
	operator, err := r.client().Commander(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := operator.To(first.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	reply, err := conn.Invite(t.Context(), &clusterpb.InviteRequest{Role: "balancer", Name: "b2"})
	if err != nil {
		t.Fatal(err)
	}
	r.addWith(1, reply.GetToken())
	r.awaitLeader()
	r.remove(clusterpb.ChangeRequest_KIND_REMOVE, "b2", false)
	r.nodes[1].Kill()
	address := first.Address()
	first.Kill()
	if ln, err = net.Listen("tcp", address); err != nil {
		t.Fatal(err)
	}
	r.start(0, ln)
	r.awaitLeader()
}

// A follower that was away while the members changed finds its way back, though
// it does not know who leads now.
func TestBackAfterTheMembersChanged(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.form(3)
	if r.awaitLeader() == r.nodes[2] {
		t.Fatal("b3 leads, though nothing happened")
	}
	away := r.nodes[2].Address()
	r.nodes[2].Kill()
	r.add(3)
	transfer := &clusterpb.ChangeRequest{Kind: clusterpb.ChangeRequest_KIND_TRANSFER, Id: "b4"}
	if _, err := r.leader().Change(t.Context(), transfer); err != nil {
		t.Fatal(err)
	}
	r.until("b4 leads", func() bool { return r.awaitLeader() == r.nodes[3] })
	ln, err := net.Listen("tcp", away)
	if err != nil {
		t.Fatal(err)
	}
	back := r.start(2, ln)
	r.until("b3 knows b4", func() bool { return back.isMember("b4") && back.store.Leader().ID == "b4" })
}
