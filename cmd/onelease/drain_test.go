package main

import (
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onelease/onelease/internal/daemon"
	"github.com/onelease/onelease/internal/upd"
)

func TestDrainedOver(t *testing.T) {
	soon := time.Now().Add(90 * time.Second)
	for _, c := range []struct {
		drained
		why, says string
	}{
		{drained{draining: true, visitors: 2, until: &soon}, "", "2 visitors left, it is closed in 90 s"},
		{drained{draining: true, visitors: -1, until: &soon}, "", "its session is still open, it is closed in 90 s"},
		{drained{draining: true}, "nobody is on it", ""},
		{drained{draining: true, closed: true, visitors: 2}, "its session is closed", ""},
	} {
		over, why := c.over()
		if over != (c.why != "") || why != c.why || c.says != "" && c.String() != c.says {
			t.Errorf("%+v: %v, %q; says %q, want %q and %q", c.drained, over, why, c.String(), c.why, c.says)
		}
	}
}

// TestDrainWaitsForNoHungProcess: whoever does not answer while the drain goes on is given up.
func TestDrainWaitsForNoHungProcess(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "c")
	ln, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /drain/a", func(w http.ResponseWriter, _ *http.Request) { daemon.Answer(w, upd.Status{}, nil) })
	mux.HandleFunc("GET /site", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	server := &http.Server{Handler: mux}
	go server.Serve(ln)
	t.Cleanup(func() { server.Close() })
	r := try(t, "", "drain", "a", "--control", socket, "--wait", "--timeout", "3s")
	if r.code != exitFailed || r.out != "Router a drains.\n" || !strings.Contains(r.said, "deadline exceeded") {
		t.Errorf("exit code %d, it printed %q and said %q", r.code, r.out, r.said)
	}
}

// TestDrainCluster: the same commands with the directory of a cluster's node ask its leader.
func TestDrainCluster(t *testing.T) {
	t.Parallel()
	d := newDeployment(t)
	fails(t, exitFailed, []string{"no other member"}, "", "drain", "member-1", "--dir", d.of("b1"))
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() { _ = d.network.Router("publisher").ServeI2CP(ln) }() // ends with the listener
	d.join("frontend", "other")
	start(t, "frontend", "--dir", d.of("other"), "--router", ln.Addr().String(), "--member", "--sam", freeAddr(t))
	until(t, "another member has tunnels", func() bool {
		return slices.ContainsFunc(decode[statusView](t, d.cluster("status", "--json")).Frontends, func(f frontendView) bool {
			return f.Name == "other" && f.Leases > 0
		})
	})
	p := start(t, "drain", "member-1", "--dir", d.of("b1"), "--wait")
	p.says("member-1 drains: its session is still open, it is closed in ")
	if got := do(t, "undrain", "member-1", "--dir", d.of("b1")); got != "Router member-1 is in service.\n" {
		t.Errorf("undrain: %s", got)
	}
	if got := code(t, p.cmd.Wait()); got != exitFailed || !strings.Contains(p.log(), errUndrained.Error()) {
		t.Errorf("exit code %d when it was undone: %s", got, p.log())
	}
}
