package daemon

import (
	"strings"
	"testing"
	"time"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/backend/plugin"
	"github.com/onelease/onelease/internal/admin"
	"github.com/onelease/onelease/internal/admin/admintest"
)

// links are one that is up and one that is not.
var links = []backend.FrontendStats{
	{Name: "router-1", State: backend.LinkUp},
	{Name: "router-2", State: backend.LinkWaiting, Error: "refused"},
}

func TestWatchMetrics(t *testing.T) {
	s := &admin.Snapshot{Role: admin.RoleBackend}
	s.Need("drain", true, "none", "")
	Measure(s, backend.Stats{Frontends: links, SignsUntil: time.Now(), Stalls: backend.StallStats{Resumed: 1}}, false)
	MeasureService(s, "site", plugin.Stats{})
	admintest.Complete(t, s)
}

// A daemon of its own, before and while it drains.
func TestWatch(t *testing.T) {
	d := &Daemon{who: &attachment{}, set: &Set{units: []*unit{{Service: Service{Name: "echo", Builtin: "echo"}}}}}
	var err error
	if d.host, err = backend.NewHost(backend.Config{Frontends: []backend.Frontend{{Name: "router-1", Addr: "127.0.0.1:1"}}}); err != nil {
		t.Fatal(err)
	}
	code, text := admintest.Readiness(d.Watch())
	if code != 503 || !strings.Contains(text, "[-] frontends: 0 of 1 up; router-1 is connecting: ") || !strings.Contains(text, "[+] drain: none\n") || !strings.Contains(text, "[+] service echo: built in\n") {
		t.Errorf("at the start: %d\n%s", code, text)
	}
	d.draining.Store(true)
	if _, text := admintest.Readiness(d.Watch()); !strings.Contains(text, "[-] drain: it was told to end") {
		t.Errorf("while it drains:\n%s", text)
	}
}

func TestWatchChecks(t *testing.T) {
	soon := time.Unix(1_800_000_000, 0).UTC()
	for _, c := range []struct {
		name string
		add  func(s *admin.Snapshot)
		code int
		line string
	}{
		{"one link of two", func(s *admin.Snapshot) { CheckFrontends(s, links) }, 200, "[!] all-frontends: 1 of 2 up; router-2 is waiting: refused\n"},
		{"no link", func(s *admin.Snapshot) { CheckFrontends(s, links[1:]) }, 503, "[-] frontends: 0 of 1 up"},
		{"plugin", func(s *admin.Snapshot) {
			checkService(s, ServiceStatus{Name: "site", Kind: "plugin", Instances: []InstanceStatus{{State: "running"}, {State: "draining"}}})
		}, 200, "[+] service site: 1 running\n"},
		{"dead plugin", func(s *admin.Snapshot) {
			checkService(s, ServiceStatus{Name: "site", Kind: "plugin", NextStart: &soon, LastExit: &ExitStatus{Reason: "killed"}})
		}, 503, "[-] service site: no process of it runs, it is started again at 2027-01-15T08:00:00Z; the last one: killed\n"},
		{"own key", func(s *admin.Snapshot) { (&Daemon{who: &attachment{}}).checkSigning(s, backend.Stats{}, soon) }, 200, "[+] signing: by the Destination's own key\n"},
		{"permitted", func(s *admin.Snapshot) {
			(&Daemon{who: &attachment{}}).checkSigning(s, backend.Stats{SignsUntil: soon.Add(time.Hour)}, soon)
		}, 200, "[+] signing: permitted for 1h0m0s\n"},
		{"no more", func(s *admin.Snapshot) {
			(&Daemon{who: &attachment{}}).checkSigning(s, backend.Stats{SignsUntil: soon}, soon)
		}, 503, "[-] signing: the permission is over"},
	} {
		s := &admin.Snapshot{Role: admin.RoleBackend}
		c.add(s)
		if code, text := admintest.Readiness(s); code != c.code || !strings.Contains(text, c.line) {
			t.Errorf("%s: %d, want %d with %q:\n%s", c.name, code, c.code, c.line, text)
		}
	}
}
