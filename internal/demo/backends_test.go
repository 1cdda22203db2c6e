package demo

import (
	"strings"
	"testing"
	"time"
)

// TestBackendKilled: what is begun after it is answered by the other, and of what was
// under way only its own is lost.
func TestBackendKilled(t *testing.T) {
	cfg := config(30*time.Second, Sticky, killBackend)
	cfg.Backends = 2
	out, progress, err := runDemo(t, cfg, 0)
	r := parse(t, out)
	if err != nil || r.Requests.Lost > 0 || !r.LeaseSet.InNetDB {
		t.Errorf("%v, requests %+v", err, r.Requests)
	}
	if s := r.Streams; s.BackendLost < 1 || s.BackendLost == s.Opened || s.Broken+s.Unreachable > 0 || !s.HashOK {
		t.Errorf("streams %+v", s)
	}
	if len(r.Events) != 1 || r.Events[0].Kind != killBackend || r.Events[0].LeasesGoneMS != nil || r.Events[0].RecoveredMS == nil {
		t.Fatalf("events in %s", out)
	}
	if took := *r.Events[0].RecoveredMS; took > 5000 {
		t.Errorf("all remotes are answered again after %d ms", took)
	}
	if said := "killed " + r.Events[0].Target; !strings.Contains(progress, said) {
		t.Errorf("%q was not shown", said)
	}
}

// TestBackendsBesideRouters: with several backends the rest is as with one.
func TestBackendsBesideRouters(t *testing.T) {
	cfg := config(30*time.Second, Sticky, killRouter)
	cfg.Backends = 3
	out, _, err := runDemo(t, cfg, 0)
	r := parse(t, out)
	if s := r.Streams; err != nil || r.Requests.Lost > 0 || s.Survived < 1 || s.Broken+s.Unreachable+s.BackendLost > 0 {
		t.Errorf("%v, requests %+v, streams %+v", err, r.Requests, s)
	}
}
