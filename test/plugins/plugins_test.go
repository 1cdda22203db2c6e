package plugins_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/backend/backendtest"
	"github.com/onelease/onelease/backend/plugin"
	"github.com/onelease/onelease/i2p/sam"
)

func TestEcho(t *testing.T) {
	t.Parallel()
	w := start(t, plugin.Config{Name: "echo", Path: build(t, "plugins/echo/cmd/echo"), Settings: "port = 7\n"})
	text := strings.Repeat("There and back again. ", 20_000)
	if got := w.say(7, text); got != text {
		t.Errorf("%d bytes of %d came back", len(got), len(text))
	}
	sent := make(chan sam.Packet, 10)
	w.frontend.OnSend(func(p sam.Packet) { p.Data = bytes.Clone(p.Data); sent <- p })
	remote := backendtest.NewRemote(t, w.dest)
	w.frontend.Deliver(remote.Datagram(7, "hello"))
	for {
		select {
		case p := <-sent:
			if p.Protocol != uint8(backend.Datagram) {
				continue // of the stream's end
			}
			if text := remote.Open(p); text != "hello" {
				t.Errorf("%q came back", text)
			}
			return
		case <-time.After(patience):
			t.Fatal("no datagram came back")
		}
	}
}

func TestSite(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "index.html"), []byte("<p>hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := start(t, plugin.Config{Name: "site", Path: build(t, "plugins/site/cmd/site"), Settings: fmt.Sprintf("root = %q\n", root)})
	if page := w.get("/"); page != "<p>hello" {
		t.Errorf("page %q", page)
	}
}

func TestProxy(t *testing.T) {
	t.Parallel()
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "behind ", r.URL.Path) }))
	defer target.Close()
	w := start(t, plugin.Config{Name: "proxy", Path: build(t, "plugins/proxy/cmd/proxy"), Settings: fmt.Sprintf("target = %q\n", target.URL)})
	if page := w.get("/it"); page != "behind /it" {
		t.Errorf("page %q", page)
	}
}

// The counter counts on after its process was killed.
func TestCounter(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "visitors")
	w := start(t, plugin.Config{
		Name: "counter", Path: build(t, "examples/plugin-counter"),
		Settings: fmt.Sprintf("title = \"Hello & welcome\"\nfile = %q\n", file),
	})
	for n := 1; n <= 3; n++ {
		page := w.get("/")
		if !strings.Contains(page, fmt.Sprintf("visitor number %d.", n)) || !strings.Contains(page, "Hello &amp; welcome") {
			t.Errorf("visitor %d gets %q", n, page)
		}
		if n == 2 {
			syscall.Kill(w.sup.Stats().Instances[0].PID, syscall.SIGKILL)
		}
	}
	if w.sup.Stats().Restarts != 1 {
		t.Errorf("%+v", w.sup.Stats())
	}
}

func TestPython(t *testing.T) {
	t.Parallel()
	needsPython(t)
	cfg := plugin.Config{Name: "shout", Path: "../../examples/plugin-python/shout.py", Settings: "port = 70", NoTLS: true}
	w := start(t, cfg)
	text := strings.Repeat("it is not in Go. ", 20_000)
	if got := w.say(70, text); got != strings.ToUpper(text) {
		t.Errorf("%d bytes of %d came back", len(got), len(text))
	}
	if err := w.end(); err != nil {
		t.Error(err)
	}
	if log := w.log.String(); !strings.Contains(log, `status="exit status 0"`) {
		t.Errorf("it did not end by itself:\n%s", log)
	}
	for settings, says := range map[string]string{"prt = 1": "unknown key 'prt'", "[": "settings of shout", "port = 70000": "0 to 65535"} {
		cfg.Settings, cfg.MustStart = settings, true
		sup, err := plugin.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := sup.Serve(t.Context(), idle{w.dest}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %q", settings, err, says)
		}
	}
}
