package demo

import (
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/internal/admin/admintest"
)

// The demo is shown as a site is, and a router's death at once.
func TestWatched(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	synctest.Test(t, func(t *testing.T) {
		cfg := config(time.Minute, Sticky)
		cfg.Progress = io.Discard
		w, err := newWorld(cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer w.close()
		view := w.view(cfg)
		if code, text := admintest.Readiness(view.Snapshot()); code != 503 || !strings.Contains(text, "[-] leaseset: none signed") {
			t.Errorf("at the start: %d\n%s", code, text)
		}
		if err := w.waitReady(t.Context(), cfg, func(*controlpb.Status) {}); err != nil {
			t.Fatal(err)
		}
		code, text := admintest.Readiness(view.Snapshot())
		if code != 200 || strings.Count(text, "[+] router ") != 5 || !strings.Contains(text, "[+] leaseset: leases 12, routers 4") {
			t.Errorf("when it is ready: %d\n%s", code, text)
		}
		w.network.Router("router-2").Kill()
		synctest.Wait()
		if code, text := admintest.Readiness(view.Snapshot()); code != 200 || !strings.Contains(text, "[!] router router-2: no session") {
			t.Errorf("when a router was killed: %d\n%s", code, text)
		}
	})
}
