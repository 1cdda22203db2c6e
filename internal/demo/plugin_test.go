package demo

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/backend/plugin"
	"github.com/onelease/onelease/plugins/site"
)

// TestMain has the test binary be a plugin.
func TestMain(m *testing.M) {
	if os.Getenv("ONELEASE_PLUGIN") != "" {
		backend.Serve(&site.Service{}, backend.ServeName("site"), backend.ServeVersion("1.0"))
	}
	os.Exit(m.Run())
}

// pluginDemo is a demo of that plugin, in real time, since its process has no other.
func pluginDemo(t *testing.T, settings string, kill ...string) (Config, *bytes.Buffer) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cfg := config(4*time.Second, Sticky, kill...)
	cfg.Plugin, cfg.Settings, cfg.Routers = self, filepath.Join(t.TempDir(), "site.toml"), 2
	// A stock router reports no tunnel while it waits for the answer to its last report. On
	// a busy machine a pool that comes at once would so be reported in part, for minutes.
	cfg.opening, cfg.Tunnels = 200*time.Millisecond, 1
	if err := os.WriteFile(cfg.Settings, []byte(settings), 0o644); err != nil {
		t.Fatal(err)
	}
	out := new(bytes.Buffer)
	cfg.Out, cfg.Progress = out, new(bytes.Buffer)
	return cfg, out
}

// TestPluginKilled: what was under way is lost, and nothing else.
func TestPluginKilled(t *testing.T) {
	www := t.TempDir()
	if err := os.WriteFile(filepath.Join(www, "index.html"), []byte("hello"), 0o644); err != nil {
		t.Fatal(err)
	}
	cfg, out := pluginDemo(t, `root = "`+www+`"`, killPlugin)
	cfg.Backends = 2
	if err := Run(t.Context(), cfg); err != nil {
		t.Fatalf("%v in %s\n%s", err, out, cfg.Progress)
	}
	var r Report
	decode(t, out, &r)
	if q := r.Requests; q.Lost > 0 || q.Answered < 4 || q.Answered+q.Cut != q.Sent {
		t.Errorf("requests %+v", q)
	}
	if p := r.Plugin; p == nil || p.Name != "site" || p.Version != "1.0" || p.Restarts != 1 || p.Responses["200"] != r.Requests.Answered {
		t.Errorf("plugin %+v", r.Plugin)
	}
	if len(r.Events) != 1 || r.Events[0].Kind != killPlugin || r.Events[0].RecoveredMS == nil {
		t.Fatalf("events in %s", out)
	}
	t.Logf("a new stream was answered %d ms after the kill", *r.Events[0].RecoveredMS)
}

// TestPluginNotStarted: the reason is told, and nobody waits for tunnels before.
func TestPluginNotStarted(t *testing.T) {
	cfg, _ := pluginDemo(t, `rooot = "/"`, killNone)
	began := time.Now()
	if err := Run(t.Context(), cfg); !errors.Is(err, plugin.ErrSettings) || !strings.Contains(err.Error(), "rooot") {
		t.Errorf("bad settings: %v", err)
	}
	cfg.Plugin = "/bin/true"
	if err := Run(t.Context(), cfg); !errors.Is(err, plugin.ErrNotPlugin) {
		t.Errorf("no plugin: %v", err)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
}
