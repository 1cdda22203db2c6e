package admin

import (
	"encoding/json"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// watched is a Watcher until the test ends.
func watched(t *testing.T, source Source) *Watcher {
	w := Watch(source)
	t.Cleanup(w.Close)
	return w
}

// reported is what /status.json says.
func reported(t *testing.T, w *Watcher) (r Report) {
	t.Helper()
	_, text := get(w.Handler(), "/status.json")
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return r
}

// What fails says since when, to the second, though nobody looked then; what is well again
// and fails again begins anew.
func TestSince(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ready atomic.Bool
		w := Watch(func() *Snapshot { return shown(ready.Load()) })
		defer w.Close()
		began := time.Now().UTC() // 2000-01-01 00:00:00 in the bubble
		pass := func(d time.Duration, readyThen bool) {
			time.Sleep(d - time.Second/2)
			ready.Store(readyThen)
			time.Sleep(time.Second / 2)
		}
		pass(10*time.Second, true)
		if r := reported(t, w); r.NotReadySince != nil || r.Checks[0].Since != nil || r.Checks[1].Since == nil || !r.Checks[1].Since.Equal(began) {
			t.Errorf("after 10 s, ready: %+v", r)
		}
		pass(10*time.Second, false)
		pass(100*time.Second, false)
		r := reported(t, w)
		if since := began.Add(20 * time.Second); r.NotReadySince == nil || !r.NotReadySince.Equal(since) || !r.Checks[0].Since.Equal(since) || !r.At.Equal(since.Add(100*time.Second)) {
			t.Errorf("not ready for 100 s: %+v", r)
		}
		want := "[-] router: no session (since 00:00:20Z, 100 s)\n[!] balancer: away (since 00:00:00Z, 2m0s)\n"
		if _, text := get(w.Handler(), "/readyz"); text != want {
			t.Errorf("/readyz:\n%swant\n%s", text, want)
		}
		pass(10*time.Second, true)
		pass(10*time.Second, false)
		if r := reported(t, w); !r.Checks[0].Since.Equal(began.Add(140 * time.Second)) {
			t.Errorf("when it fails again: %+v", r)
		}
	})
	began := time.Date(2000, 1, 1, 0, 2, 20, 0, time.UTC)
	if got := Since(began, began.Add(30*time.Hour)); got != "since 2000-01-01 00:02:20Z, 30h0m0s" {
		t.Errorf("the day after: %s", got)
	}
}

// A node that takes long to say how it is does not spend its time on that.
func TestTick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for took, want := range map[time.Duration]int32{0: 100, 10 * time.Millisecond: 50, time.Second: 17} {
			var looks atomic.Int32
			w := Watch(func() *Snapshot { looks.Add(1); time.Sleep(took); return shown(true) })
			time.Sleep(100*time.Second - time.Millisecond)
			w.Close()
			synctest.Wait()
			if looks.Load() != want {
				t.Errorf("with looks of %v: %d in 100 s, want %d", took, looks.Load(), want)
			}
			time.Sleep(time.Minute)
			if looks.Load() != want {
				t.Errorf("it was looked at after Close")
			}
		}
	})
}

// Close does not wait for a node that is stuck.
func TestCloseStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck := make(chan struct{})
		w := Watch(func() *Snapshot { <-stuck; return nil })
		synctest.Wait()
		w.Close()
		close(stuck)
		synctest.Wait()
		if code, text := get(watched(t, func() *Snapshot { return nil }).Handler(), "/livez"); code != 503 || !strings.Contains(text, "could not say") {
			t.Errorf("of a node that says nothing: %d %s", code, text)
		}
	})
}

// BenchmarkLook is what a tick costs beside the Source.
func BenchmarkLook(b *testing.B) {
	s := shown(false)
	for i := range 16 {
		Measure(s, "onelease_sam_router_up", 1, string(rune('b'+i)))
		Measure(s, "onelease_sam_router_destinations", 7, string(rune('b'+i)))
	}
	w := Watch(func() *Snapshot { return s })
	defer w.Close()
	b.ReportAllocs()
	for b.Loop() {
		<-w.join().done
	}
}
