package main

import (
	"bufio"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p/simnet"
)

// TestFrontendServes runs one beside a router of the embedded network: its
// tunnels are in the LeaseSet that the leader signs, and backends can attach.
func TestFrontendServes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.join("frontend", "router-1")
	sam := freeAddr(t)
	admin := freeAddr(t)
	f := start(t, "frontend", "--dir", s.of("router-1"), "--router", quickRouter(t), "--member", "--publisher", "--sam", sam, "--admin", admin)
	var status statusView
	until(t, "the router has a LeaseSet", func() bool {
		status = decode[statusView](t, s.cluster("status", "--json"))
		return status.LeaseSet != nil && status.Frontends[0].InstalledSeq > 0
	})
	if l := status.LeaseSet; l.Routers != 1 || l.Leases == 0 || l.Seq == 0 || l.AgeMS > 150_000 {
		t.Errorf("LeaseSet %+v", l)
	}
	if text := s.cluster("status"); !strings.Contains(text, " of 1 router, ") || !strings.Contains(text, "member, publisher") || !strings.Contains(text, "up") {
		t.Errorf("status:\n%s", text)
	}
	s.cluster("status", "--check")
	attach(t, sam)
	for _, of := range []struct{ at, ready, check, more string }{
		{admin, "frontend router-1 is ready\n", "[+] router: session held\n", "GATEWAY"},
		{s.admin("b1"), "balancer b1 is ready\n", "[+] keys: held", "1 router, "},
	} {
		text := do(t, "status", "--admin", of.at)
		if !strings.HasPrefix(text, of.ready) || !strings.Contains(text, of.check) || !strings.Contains(text, of.more) {
			t.Errorf("status of %s:\n%s", of.at, text)
		}
	}

	// A new leader has the frontend come over.
	s.add("b2")
	s.cluster("transfer", "b2")
	until(t, "it is attached to the new leader", func() bool {
		status = decode[statusView](t, s.cluster("status", "--json"))
		return status.InOffice && status.Frontends[0].Attached && status.Frontends[0].RouterUp
	})
	f.end()
}

// quickRouter builds its tunnels in no time.
func quickRouter(t *testing.T) string {
	t.Helper()
	network := simnet.New(simnet.Config{
		Logger:  slog.New(slog.DiscardHandler),
		Tunnels: simnet.TunnelTimes{First: time.Millisecond, Rest: time.Millisecond},
	})
	t.Cleanup(network.Close)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	router := network.NewRouter(simnet.RouterConfig{Name: "router-1"})
	go func() { _ = router.ServeI2CP(ln) }() // ends with the listener
	t.Cleanup(func() { ln.Close() })
	return ln.Addr().String()
}

// attach says hello as a backend does.
func attach(t *testing.T, addr string) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprintln(conn, "HELLO VERSION MIN=3.3 MAX=3.3")
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(line, "RESULT=OK") {
		t.Errorf("HELLO: %q, %v", line, err)
	}
}

// TestFrontendWithoutRouter runs one whose router is down.
func TestFrontendWithoutRouter(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.join("frontend", "router-1")
	admin := freeAddr(t)
	f := start(t, "frontend", "--dir", s.of("router-1"), "--router", freeAddr(t), "--sam", "127.0.0.1:0", "--admin", admin)
	f.says("attached to the leading balancer")
	r := try(t, "", "status", "--admin", admin, "--json")
	if report := decode[nodeView](t, r.out); r.code != exitFailed || report.Ready || report.Role != "frontend" || len(report.Checks) < 3 {
		t.Errorf("exit code %d, status %s", r.code, r.out)
	}
	var status statusView
	until(t, "the leader knows it", func() bool {
		status = decode[statusView](t, s.cluster("status", "--json"))
		return len(status.Frontends) == 1 && status.Frontends[0].Attached
	})
	if got := status.Frontends[0]; got.Name != "router-1" || !got.Member || got.RouterUp {
		t.Errorf("status %+v", got)
	}
	if r := try(t, "", append([]string{"cluster", "status", "--check"}, s.access("b1")...)...); r.code != exitFailed || !strings.Contains(r.out, "router down") || !strings.Contains(r.out, "\n[!] frontends: 0 of 1 ") {
		t.Errorf("exit code %d, status:\n%s", r.code, r.out)
	}
	s.watches()
	s.refuses("drain", "router-1", "no other member")
	s.refuses("drain", "router-9", "router-1")
	f.cmd.Process.Signal(syscall.SIGHUP)
	f.says("certificates read again")
	f.end()
	s.cluster("remove-frontend", "router-1")
	fails(t, exitFailed, []string{"directory of a frontend"}, "", "balancer", "--dir", s.of("router-1"))
	fails(t, exitFailed, []string{"directory of a balancer", "--role frontend"}, "", "frontend", "--dir", s.of("b1"))
}
