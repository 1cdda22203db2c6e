package demo

import (
	"encoding/json"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/internal/admin"
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

// The history of the demo has what happened in it: a router was killed, and a leader.
func TestPlotted(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	synctest.Test(t, func(t *testing.T) {
		cfg := config(15*time.Second, Sticky, killRouter, killLeader)
		cfg.Routers, cfg.Balancers, cfg.Progress, cfg.Out = 2, 3, io.Discard, io.Discard
		r := &run{cfg: cfg, show: newShow(cfg)}
		var err error
		if r.world, err = newWorld(cfg); err != nil {
			t.Fatal(err)
		}
		defer r.world.close()
		watcher := admin.Watch(r.world.view(cfg).Snapshot)
		defer watcher.Close()
		if err := r.all(t.Context()); err != nil {
			t.Fatal(err)
		}
		killed := r.events[0].report.Target
		left := map[string]string{routerName(0): routerName(1), routerName(1): routerName(0)}[killed]
		moved := movesOf(t, watcher)
		for line, least := range map[string]float64{
			"leases/" + killed: 5, "publishes/": 2, "failovers/" + left + " installed": 1, "throughput/out": 2 * float64(downloadRate), "stalls/whose streams went on": 1,
		} {
			if moved[line] < least {
				t.Errorf("%s rose and fell by %v in all, want %v", line, moved[line], least)
			}
		}
	})
}

// movesOf is by how much each line of the history rose and fell from point to point in all.
func movesOf(t *testing.T, w *admin.Watcher) map[string]float64 {
	answer := httptest.NewRecorder()
	w.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/history.json", nil))
	var history struct {
		Charts []struct {
			Name  string
			Lines []struct {
				Name   string
				Points []float64 // 0 for null
			}
		}
	}
	if err := json.Unmarshal(answer.Body.Bytes(), &history); err != nil {
		t.Fatalf("%v in %s", err, answer.Body)
	}
	all := map[string]float64{}
	for _, chart := range history.Charts {
		for _, line := range chart.Lines {
			last := line.Points[0]
			for _, v := range line.Points {
				all[chart.Name+"/"+line.Name] += math.Abs(v - last)
				last = v
			}
		}
	}
	return all
}
