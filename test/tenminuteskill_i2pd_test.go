package test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/onelease/onelease/internal/doctor"
	"github.com/onelease/onelease/internal/upd"
)

// tenNames are the page's, of tenMembers.
var tenNames = []string{"a", "b"}

// kill ends the member that serves the visitor, while they fetch one page after the other, and
// goes on until the other one has served five.
func (p *tenMinutes) kill() {
	p.t.Helper()
	serving := p.serving()
	var failed, fetched int
	var last, longest time.Duration
	p.net.Router(tenMembers[serving]).Kill()
	killed := time.Now()
	p.says(serving)
	for row := 0; row < 5; {
		if err := p.fetch("4444", p.address); err == nil {
			row, fetched = row+1, fetched+1
			last = time.Since(killed)
		} else {
			row, failed = 0, failed+1
		}
		longest = max(longest, time.Since(killed)-last)
		if time.Since(killed) > 4*time.Minute {
			p.t.Fatalf("no five pages in a row within 4 min of the kill, of %d; %d failed", fetched+failed, failed)
		}
	}
	p.t.Logf("after kill -9 of router %s, which served the visitor: %d pages, %d failures, at most %.1f s without a page",
		tenNames[serving], fetched, failed, longest.Seconds())
	if now := p.serving(); now == serving {
		p.t.Errorf("pages come by router %s, which was killed", tenNames[now])
	}
	if os.Getenv("ONELEASE_SOAK") == "1" {
		p.back(serving)
	}
}

// back starts the member again, and wants both to be listed.
func (p *tenMinutes) back(lost int) {
	p.t.Helper()
	if err := p.net.Router(tenMembers[lost]).Restart(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
	p.until(2*time.Minute, "both members again", func() error {
		out, err := p.runner.Output(p.t.Context(), "onelease status --dir site-1")
		if err == nil && !strings.Contains(string(out), "leases of 2 routers") {
			err = fmt.Errorf("%s", out)
		}
		return err
	})
}

// serving is the member, 0 or 1, by which most packets of a page go out.
func (p *tenMinutes) serving() int {
	p.t.Helper()
	out := func() (packets [2]uint64) {
		var status struct{ Status upd.Status }
		text, _ := p.runner.Output(p.t.Context(), "onelease status --dir site-1 --json") // 1 if it is not ready
		if err := json.Unmarshal(text, &status); err != nil {
			p.t.Fatalf("status: %v: %s", err, text)
		}
		for _, f := range status.Status.Backend.Frontends {
			if i := slices.Index(tenNames, f.Name); i >= 0 {
				packets[i] = f.PacketsOut
			}
		}
		return packets
	}
	before := out()
	if err := p.fetch("4444", p.address); err != nil {
		p.t.Fatal(err)
	}
	after := out()
	if after[1]-before[1] > after[0]-before[0] {
		return 1
	}
	return 0
}

// says wants status and doctor to tell that a member is lost, and doctor which.
func (p *tenMinutes) says(lost int) {
	p.t.Helper()
	check := strings.Replace(p.page[p.step("onelease doctor")].Command, "--stopped", "--running --quick --json", 1)
	p.until(20*time.Second, "what status and doctor say of the loss", func() error {
		status, _ := p.runner.Output(p.t.Context(), "onelease status --dir site-1") // 1 if it is not ready
		if !strings.Contains(string(status), "leases of 1 router") {
			return fmt.Errorf("status does not say that one router is left: %s", status)
		}
		out, _ := p.runner.Output(p.t.Context(), check) // 1, since it finds a fault
		var report doctor.Report
		if err := json.Unmarshal(out, &report); err != nil {
			return fmt.Errorf("doctor: %w: %s", err, out)
		}
		for _, r := range report.Results {
			if r.Fault == "router-refused" && r.On == tenNames[lost] {
				return nil
			}
		}
		return fmt.Errorf("doctor does not find the lost router: %s", out)
	})
}
