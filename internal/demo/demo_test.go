package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// config is what `onelease demo --json` has with these flags.
func config(d time.Duration, policy string, kill ...string) Config {
	return Config{Routers: 4, Tunnels: 3, Balancers: 1, Backends: 1, For: d, Kill: kill, Seed: 1, Policy: policy, JSON: true, Age: 3 * time.Minute}
}

// runDemo runs a demo in virtual time, after which nothing may be left: no
// goroutine, for the bubble sees to that, and no file.
func runDemo(t *testing.T, cfg Config, interrupt time.Duration) (out, progress string, err error) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	synctest.Test(t, func(t *testing.T) {
		var o, p bytes.Buffer
		cfg.Out, cfg.Progress = &o, &p
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var interrupted time.Time
		if interrupt > 0 {
			time.AfterFunc(interrupt, func() { interrupted = time.Now(); cancel() })
		}
		err = Run(ctx, cfg)
		if took := time.Since(interrupted); interrupt > 0 && took > 3*time.Second {
			t.Errorf("it ended %v after the interrupt", took)
		}
		out, progress = o.String(), p.String()
	})
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	return out, progress, err
}

func decode(t *testing.T, out *bytes.Buffer, into any) {
	t.Helper()
	if err := json.Unmarshal(out.Bytes(), into); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
}

// parse reads the JSON object, whose keys must be those that scripts rely on.
func parse(t *testing.T, out string) Report {
	t.Helper()
	var r Report
	var keys struct {
		LeaseSet, Requests, Streams map[string]any
		Events                      []map[string]any
	}
	all := map[string]any{}
	for _, into := range []any{&r, &keys, &all} {
		if err := json.Unmarshal([]byte(out), into); err != nil {
			t.Fatalf("%v in %s", err, out)
		}
	}
	checkKeys(t, all, "destination", "policy", "seed", "leaseset", "requests", "streams", "events")
	checkKeys(t, keys.LeaseSet, "leases", "routers", "publishes", "in_netdb")
	checkKeys(t, keys.Requests, "sent", "answered", "lost", "cut")
	delete(keys.Streams, "backend_lost")
	checkKeys(t, keys.Streams, "opened", "survived", "broken", "unreachable", "bytes", "hash_ok")
	for _, e := range keys.Events {
		delete(e, "emptied_ms")
		checkKeys(t, e, "kind", "target", "at_ms", "leases_gone_ms", "recovered_ms")
	}
	return r
}

func checkKeys(t *testing.T, got map[string]any, want ...string) {
	t.Helper()
	slices.Sort(want)
	if keys := slices.Sorted(maps.Keys(got)); !slices.Equal(keys, want) {
		t.Errorf("keys %v, want %v", keys, want)
	}
}

// TestNothingKilled is `onelease demo --json --for 20s --kill none`.
func TestNothingKilled(t *testing.T) {
	out, _, err := runDemo(t, config(20*time.Second, Sticky, killNone), 0)
	r := parse(t, out)
	if err != nil || r.LeaseSet.Leases != 12 || r.LeaseSet.Routers != 4 || !r.LeaseSet.InNetDB || r.LeaseSet.Publishes < 1 {
		t.Errorf("%v, LeaseSet %+v", err, r.LeaseSet)
	}
	// 8 remotes at 10 per second, the first of each within a second.
	if q := r.Requests; q.Sent < 8*190 || q.Sent > 8*201 || q.Answered != q.Sent || q.Lost != 0 || q.Cut != 0 {
		t.Errorf("requests %+v", q)
	}
	if s := r.Streams; s.Opened != 8 || s.Survived+s.Broken+s.Unreachable != 0 || s.Bytes != 8*20*downloadRate || !s.HashOK {
		t.Errorf("streams %+v", s)
	}
	if len(r.Destination) != len(".b32.i2p")+52 || !strings.HasSuffix(r.Destination, ".b32.i2p") {
		t.Errorf("destination %q", r.Destination)
	}
	if !strings.Contains(out, `"events": []`) {
		t.Errorf("events are not an empty list in %s", out)
	}
}

// TestMerged is the naive merge, which must be seen to lose requests.
func TestMerged(t *testing.T) {
	out, _, err := runDemo(t, config(20*time.Second, Merged, killNone), 0)
	r := parse(t, out)
	if !errors.Is(err, ErrLost) || r.LeaseSet.Leases != 12 || r.LeaseSet.Routers != 4 {
		t.Errorf("%v, LeaseSet %+v", err, r.LeaseSet)
	}
	if q := r.Requests; q.Lost*5 < q.Sent || q.Lost*10 > q.Sent*9 || q.Answered+q.Lost != q.Sent {
		t.Errorf("requests %+v, want 20 to 90 %% lost", q)
	}
}

// TestKills is the demo as it is without flags.
func TestKills(t *testing.T) {
	out, progress, err := runDemo(t, config(30*time.Second, Sticky, killRouter, killFrontend), 0)
	r := parse(t, out)
	if err != nil || r.Requests.Lost != 0 || !r.LeaseSet.InNetDB {
		t.Errorf("%v, requests %+v, LeaseSet %+v", err, r.Requests, r.LeaseSet)
	}
	if s := r.Streams; s.Survived < 2 || s.Broken+s.Unreachable > 0 || !s.HashOK {
		t.Errorf("streams %+v", s)
	}
	if len(r.Events) != 2 || r.Events[0].Kind != killRouter || r.Events[1].Kind != killFrontend ||
		r.Events[0].Target == r.Events[1].Target {
		t.Fatalf("events %+v", r.Events)
	}
	for i, e := range r.Events {
		if e.AtMS != int64(10_000*(i+1)) || e.LeasesGoneMS == nil || e.RecoveredMS == nil {
			t.Fatalf("event %+v in %s", e, out)
		}
		t.Logf("%s %s: gone after %d ms, recovered after %d ms", e.Kind, e.Target, *e.LeasesGoneMS, *e.RecoveredMS)
		if *e.RecoveredMS > 5_000 || *e.LeasesGoneMS > 45_000 {
			t.Errorf("%s %s: leases gone after %d ms, recovered after %d ms", e.Kind, e.Target, *e.LeasesGoneMS, *e.RecoveredMS)
		}
		if said := "killed " + e.Kind + " of " + e.Target; !strings.Contains(progress, said) {
			t.Errorf("%q was not shown", said)
		}
	}
}

// TestText is the demo without --json.
func TestText(t *testing.T) {
	cfg := config(5*time.Second, Sticky, killNone)
	cfg.JSON = false
	out, _, err := runDemo(t, cfg, 0)
	if err != nil {
		t.Error(err)
	}
	for _, want := range []string{".b32.i2p\n", "12 leases of 4 routers", "in the netDB: true", "0 lost"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in %s", want, out)
		}
	}
}

// TestInterrupted ends a demo before anything is there, while it waits for
// tunnels, and while remotes ask.
func TestInterrupted(t *testing.T) {
	for _, after := range []time.Duration{time.Millisecond, 5 * time.Second, 30 * time.Second} {
		out, _, err := runDemo(t, config(30*time.Second, Sticky, killRouter, killFrontend), after)
		if !errors.Is(err, errInterrupted) || out != "" {
			t.Errorf("interrupted after %v: %v, output %q", after, err, out)
		}
	}
}

// TestCheck: each setting that cannot work is named.
func TestCheck(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"--routers 0":        func(c *Config) { c.Routers = 0 },
		"--tunnels 17":       func(c *Config) { c.Tunnels = 17 },
		"--for 1ms":          func(c *Config) { c.For = time.Millisecond },
		"--age -1s":          func(c *Config) { c.Age = -time.Second },
		`--policy "both"`:    func(c *Config) { c.Policy = "both" },
		`--kill "everybody"`: func(c *Config) { c.Kill = []string{"everybody"} },
		"more --routers":     func(c *Config) { c.Routers = 2; c.Kill = []string{killRouter, killRouter} },
		"--backends 0":       func(c *Config) { c.Backends = 0 },
		"give --backends 3":  func(c *Config) { c.Backends = 2; c.Kill = []string{killBackend, killBackend} },
		"--kill plugin":      func(c *Config) { c.Kill = []string{killPlugin} },
		"--settings are":     func(c *Config) { c.Settings = "x" },
		"--plugin-port is":   func(c *Config) { c.PluginPort = 80 },
		"--plugin-port -1":   func(c *Config) { c.Plugin, c.PluginPort = "x", -1 },
	} {
		cfg := config(time.Minute, Sticky)
		if err := cfg.Check(); err != nil {
			t.Fatal(err)
		}
		change(&cfg)
		if err := cfg.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
