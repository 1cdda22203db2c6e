package demo

import (
	"strings"
	"testing"
	"time"
)

// TestYoung kills a router whose remotes' sessions are seconds old: they wait
// until these are two minutes old, the user sees for how long, and the demo
// goes on until they are back.
func TestYoung(t *testing.T) {
	cfg := config(30*time.Second, Sticky, killRouter)
	cfg.Age = 0
	began := time.Now()
	out, progress, err := runDemo(t, cfg, 0)
	r := parse(t, out)
	if s := r.Streams; err != nil || s.Survived < 1 || s.Broken+s.Unreachable > 0 || !s.HashOK || r.Requests.Lost > 0 {
		t.Errorf("%v, streams %+v, requests %+v", err, s, r.Requests)
	}
	if want := "until their sessions are two minutes old"; !strings.Contains(progress, want) {
		t.Errorf("%q was not shown in %s", want, progress)
	}
	t.Logf("%v of real time", time.Since(began))
}

// TestDrained takes a router out of service: nothing is cut, also where nobody
// else can reach the remotes.
func TestDrained(t *testing.T) {
	for unpublished, long := range map[bool]time.Duration{false: 3 * time.Minute, true: 30 * time.Second} {
		cfg := config(long, Sticky, killDrain)
		cfg.Routers = 2
		cfg.Unpublished = unpublished
		out, _, err := runDemo(t, cfg, 0)
		r := parse(t, out)
		if q := r.Requests; err != nil || q.Lost+q.Cut > 0 {
			t.Errorf("unpublished %v: %v, requests %+v", unpublished, err, q)
		}
		if s := r.Streams; s.Survived < 1 || s.Broken+s.Unreachable > 0 || !s.HashOK {
			t.Errorf("unpublished %v: streams %+v", unpublished, s)
		}
		if len(r.Events) != 1 || r.Events[0].Kind != killDrain || r.Events[0].LeasesGoneMS == nil {
			t.Fatalf("unpublished %v: events %+v", unpublished, r.Events)
		}
		if emptied := r.Events[0].EmptiedMS != nil; emptied == unpublished {
			t.Errorf("unpublished %v: nobody was left at the drained router: %v", unpublished, emptied)
		}
	}
}

// TestUnpublishedKilled: nobody but the router that is gone could reach them.
func TestUnpublishedKilled(t *testing.T) {
	cfg := config(30*time.Second, Sticky, killRouter)
	cfg.Unpublished = true
	out, _, err := runDemo(t, cfg, 0)
	r := parse(t, out)
	if s := r.Streams; err != nil || s.Unreachable < 1 || s.Survived+s.Broken > 0 || !s.HashOK {
		t.Errorf("%v, streams %+v", err, s)
	}
}
