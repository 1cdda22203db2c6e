package upd

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/backend/plugin"
	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/admin"
	"github.com/onelease/onelease/internal/admin/admintest"
	"github.com/onelease/onelease/internal/daemon"
	"github.com/onelease/onelease/internal/logtest"
	"github.com/onelease/onelease/internal/watch"
	"github.com/onelease/onelease/test/embedded"
)

// startSite has an echo on an embedded network, and runs until the test ends.
func startSite(t *testing.T) *Site {
	t.Helper()
	network := embedded.Start(embedded.Config{})
	cfg := Default()
	cfg.Dir, cfg.Embedded, cfg.Services, cfg.Logger = t.TempDir(), network.Routers(), []daemon.Service{{Builtin: "echo"}}, slog.New(slog.DiscardHandler)
	s, err := Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, context.Background()) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		network.Close()
	})
	return s
}

// well reports whether all checks are passed, advisory ones too.
func well(shown *admin.Snapshot) bool {
	return !slices.ContainsFunc(shown.Checks, func(c admin.Check) bool { return !c.OK })
}

// A site has all metrics of its parts, each frontend's with its name.
func TestWatch(t *testing.T) {
	s := startSite(t)
	await(t, s, "all is well", func() bool { return well(s.Watch()) })
	shown := s.Watch()
	lines := strings.Join(admintest.Lines(t, shown), "\n")
	for _, want := range []string{
		`onelease_frontend_router_up{frontend="member-1"} 1`, `onelease_frontend_router_up{frontend="publisher"} 1`,
		`onelease_balancer_leaseset_leases 6`, `onelease_backend_frontend_up{frontend="member-2"} 1`, `onelease_node_info{name="",role="up"} 1`,
	} {
		if !strings.Contains(lines, want+"\n") {
			t.Errorf("no line %q in\n%s", want, lines)
		}
	}
	rare := &admin.Snapshot{Role: admin.RoleUp} // what a site without losses and plugins lacks
	daemon.Measure(rare, backend.Stats{SignsUntil: time.Now(), Stalls: backend.StallStats{Resumed: 1}}, false)
	daemon.MeasureService(rare, "site", plugin.Stats{})
	watch.MeasureLeader(rare, &controlpb.Status{
		RefugeUntilMs: 1, NetDb: &controlpb.NetDB{AtMs: 1}, Frontends: []*controlpb.FrontendStatus{{ClockKnown: true, Leases: []*controlpb.Lease{{EndMs: 1}}}},
	})
	admintest.Complete(t, shown, rare)
}

// While no balancer leads there is nothing to say of what a leader has done.
func TestNoLeader(t *testing.T) {
	v := View{Name: "site"}
	for _, leads := range []bool{true, false} {
		shown := v.show(&look{at: time.Now(), leader: &controlpb.Status{Leader: leads, Publishes: 3}}, &daemon.Set{})
		if lines := strings.Join(admintest.Lines(t, shown), "\n"); strings.Contains(lines, "onelease_balancer_") != leads {
			t.Errorf("leads %v:\n%s", leads, lines)
		}
	}
}

// A router that is not there is named, and why. That there is no other is warned of.
func TestNoRouter(t *testing.T) {
	cfg, log := small(), &logtest.Buffer{}
	cfg.Dir, cfg.Routers[0].Address, cfg.Logger = t.TempDir(), "127.0.0.1:1", slog.New(slog.NewTextHandler(log, nil))
	s, err := Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if text := log.String(); !strings.Contains(text, "level=WARN msg=\"one router is a member") {
		t.Errorf("no warning in\n%s", text)
	}
	const says = "[!] router a: no session: router cannot be reached at 127.0.0.1:1"
	await(t, s, says, func() bool {
		code, text := admintest.Readiness(s.Watch())
		return code == 503 && strings.Contains(text, says)
	})
}

// await polls, since routers and the parts that talk to them go by the real clock.
func await(t *testing.T, s *Site, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			_, text := admintest.Readiness(s.Watch())
			t.Fatalf("not within 20 s: %s\n%s", what, text)
		}
	}
}

// A site is ready while a visitor would find it and be served.
func TestWatchChecks(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	up := func(name string, edit func(*frontend.Status)) frontend.Status {
		f := frontend.Status{Name: name, RouterUp: true, Pool: []i2p.Lease{{}}}
		edit(&f)
		return f
	}
	member, publisher := func(f *frontend.Status) { f.Member = true }, func(f *frontend.Status) { f.Publisher = true }
	down := func(f *frontend.Status) { f.Member, f.RouterUp, f.RouterError = true, false, "refused" }
	refuge := func(f *frontend.Status) { f.Member, f.Refuge = true, true }
	drains := func(f *frontend.Status) { f.Member, f.Draining, f.DrainUntil = true, true, now }
	for name, c := range map[string]struct {
		frontends []frontend.Status
		code      int
		line      string
	}{
		"all well":     {[]frontend.Status{up("a", member), up("b", publisher)}, 200, "[+] members: 1 up\n[+] publishers: 1 up\n"},
		"one away":     {[]frontend.Status{up("a", member), up("x", down), up("b", publisher)}, 200, "[!] router x: no session: refused\n"},
		"no member":    {[]frontend.Status{up("x", down), up("b", publisher)}, 503, "[-] members: none is up: nobody is served\n"},
		"a refuge":     {[]frontend.Status{up("r", refuge), up("b", publisher)}, 503, "[-] members: none is up"},
		"no publisher": {[]frontend.Status{up("a", member)}, 503, "[-] publishers: none is up: "},
		"one drains":   {[]frontend.Status{up("a", drains), up("b", publisher)}, 200, "[!] drain a: taken out of service, until 2027-01-15T08:00:00Z\n"},
	} {
		s := &admin.Snapshot{Role: admin.RoleUp}
		checkRoles(s, c.frontends)
		if code, text := admintest.Readiness(s); code != c.code || !strings.Contains(text, c.line) {
			t.Errorf("%s: %d, want %d with %q:\n%s", name, code, c.code, c.line, text)
		}
	}
	for name, c := range map[string]struct {
		merged *controlpb.LeaseSetStatus
		code   int
		line   string
	}{
		"none":    {nil, 503, "[-] leaseset: none signed"},
		"valid":   {&controlpb.LeaseSetStatus{Leases: 6, Routers: 2, Expires: now.Unix() + 60}, 200, "[+] leaseset: leases 6, routers 2, expires in 1m0s\n"},
		"expired": {&controlpb.LeaseSetStatus{Expires: now.Unix()}, 503, "[-] leaseset: the merged one has expired"},
	} {
		s := &admin.Snapshot{Role: admin.RoleUp}
		checkLeader(s, &controlpb.Status{Merged: c.merged}, now)
		if code, text := admintest.Readiness(s); code != c.code || !strings.Contains(text, c.line) {
			t.Errorf("LeaseSet %s: %d, want %d with %q:\n%s", name, code, c.code, c.line, text)
		}
	}
}
