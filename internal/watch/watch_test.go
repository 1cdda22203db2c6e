package watch

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onelease/onelease/balancer/cluster"
	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/frontend/guest"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/admin"
	"github.com/onelease/onelease/internal/admin/admintest"
	"github.com/onelease/onelease/raftstate/ledger"
)

var now = time.Unix(1_800_000_000, 0)

// serving is a frontend that has all.
func serving() frontend.Status {
	return frontend.Status{
		Name: "router-1", Member: true, RouterUp: true, Serving: true, Balancer: "10.0.0.1:7660", Term: 2, Seq: 7,
		Expires: now.Add(9 * time.Minute), Pool: []i2p.Lease{{End: now.Add(time.Minute)}, {End: now.Add(2 * time.Minute)}}, PacketsIn: 5,
	}
}

// A check of wants has the status and the line that /readyz has then.
type wants struct {
	name string
	edit func(s *frontend.Status)
	code int
	line string
}

func TestFrontendReadiness(t *testing.T) {
	for _, c := range []wants{
		{"all well", func(*frontend.Status) {}, 200, "[+] leaseset: seq 7 of term 2, expires in 9m0s"},
		{"router gone", func(s *frontend.Status) { s.RouterUp, s.RouterError = false, "refused" }, 503, "[-] router: no session: refused"},
		{"at the start", func(s *frontend.Status) { s.RouterUp, s.Serving, s.Seq = false, false, 0 }, 503, "[-] leaseset: none yet"},
		{"new session", func(s *frontend.Status) { s.Serving = false }, 503, "[-] leaseset: the router has none"},
		{"expired", func(s *frontend.Status) { s.Expires = now }, 503, "[-] leaseset: the last one, seq 7, has expired"},
		{"drained", func(s *frontend.Status) { s.Draining, s.DrainUntil = true, now }, 503, "[-] drain: taken out of service, until 2027-01-15T08:00:00Z"},
		{"no balancer", func(s *frontend.Status) { s.Balancer = "" }, 200, "[!] balancer: none can be reached"},
		{"no tunnels", func(s *frontend.Status) { s.Pool = nil }, 200, "[!] tunnels: the router has no inbound tunnels"},
		{"on reserve", func(s *frontend.Status) { s.OnReserve = true }, 200, "[!] reserve: "},
		{"no fence", func(s *frontend.Status) { s.FenceError = "disk full" }, 200, "[!] fence: a restart could forget which LeaseSets are older: disk full"},
	} {
		s := serving()
		c.edit(&s)
		code, text := admintest.Readiness(Frontend(s, nil, now))
		if code != c.code || !strings.Contains(text, c.line) {
			t.Errorf("%s: %d, want %d with %q:\n%s", c.name, code, c.code, c.line, text)
		}
	}
}

func TestFrontendMetrics(t *testing.T) {
	shown := Frontend(serving(), &guest.Status{Guests: 3}, now)
	admintest.Complete(t, shown)
	if got, want := shown.Line(), "ready: inbound tunnels: 2, LeaseSet expires in 9m0s"; got != want {
		t.Errorf("in a line: %q, want %q", got, want)
	}
	lines := admintest.Lines(t, shown)
	for _, want := range []string{
		"onelease_frontend_router_up 1", "onelease_frontend_draining 0", "onelease_frontend_tunnels 2", "onelease_frontend_guests 3",
		"onelease_frontend_packets_in_total 5", "onelease_frontend_tunnels_end_timestamp_seconds 1.80000012e+09",
	} {
		if !slices.Contains(lines, want) {
			t.Errorf("no line %q in %s", want, strings.Join(lines, "\n"))
		}
	}
	status, err := json.Marshal(shown.Status)
	if err != nil || !strings.Contains(string(status), `"guests":3`) || !strings.Contains(string(status), `"seq":7`) {
		t.Errorf("status %s, %v", status, err)
	}
}

// leading is a balancer that leads.
func leading() cluster.Status {
	return cluster.Status{
		Name: "b1", Office: "leads", Able: true, Leads: true, Leader: "b1", Member: true, Voters: 3, Generation: 1,
		Issued:  ledger.Destination{LastSeq: 9, LastTerm: 4, Epoch: 1},
		Working: working(),
	}
}

// working is what it knows: all is well but for a router.
func working() *controlpb.Status {
	s := published()
	s.Publishes, s.RefugeUntilMs, s.Merged.Published = 2, 1, now.Unix()-5
	s.Frontends[0].Leases = []*controlpb.Lease{{EndMs: now.UnixMilli()}}
	s.Frontends[1].Up = false
	return s
}

func balancerOf(s cluster.Status) *admin.Snapshot {
	return Balancer(s, "x.b32.i2p", func(s *controlpb.Status) any { return s.GetPublishes() }, now)
}

func TestBalancer(t *testing.T) {
	shown := balancerOf(leading())
	admintest.Complete(t, shown)
	if got, want := shown.Line(), "ready: leads, 6 leases of 2 routers, LeaseSet 5s old; frontends: 1 of 2 are attached"; !strings.HasPrefix(got, want) {
		t.Errorf("a leader in a line: %q, want %q", got, want)
	}
	code, text := admintest.Readiness(shown)
	if code != 200 || !strings.Contains(text, "[+] leaseset: leases 6, routers 2, expires in 1m0s\n[+] publication: 12s ago") || !strings.Contains(text, "[!] frontends: 1 of 2 are attached") {
		t.Errorf("a leader: %d\n%s", code, text)
	}
	for name, c := range map[string]struct {
		edit func(s *cluster.Status)
		code int
		line string
	}{
		"follows":       {func(s *cluster.Status) { s.Leads, s.Working, s.Leader = false, nil, "b2" }, 200, "[+] leader: b2\n"},
		"locked":        {func(s *cluster.Status) { s.Able, s.Office, s.Working = false, "locked: no keys", nil }, 503, "[-] keys: locked: no keys\n"},
		"no leader":     {func(s *cluster.Status) { s.Leader, s.Working = "", nil }, 503, "[-] leader: none is known"},
		"no member":     {func(s *cluster.Status) { s.Member, s.Working = false, nil }, 503, "[-] member: not of the cluster"},
		"signed none":   {func(s *cluster.Status) { s.Working.Merged = nil }, 200, "[!] leaseset: none signed"},
		"expired":       {func(s *cluster.Status) { s.Working.Merged.Expires = now.Unix() }, 200, "[!] leaseset: the merged one has expired"},
		"no frontends":  {func(s *cluster.Status) { s.Working.Frontends = nil }, 200, "[!] frontends: 0 of 0"},
		"all frontends": {func(s *cluster.Status) { s.Working.Frontends[1].Up = true }, 200, "[+] frontends: 2 of 2"},
	} {
		s := leading()
		c.edit(&s)
		if code, text := admintest.Readiness(balancerOf(s)); code != c.code || !strings.Contains(text, c.line) {
			t.Errorf("%s: %d, want %d with %q:\n%s", name, code, c.code, c.line, text)
		}
	}
}
