package admin

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// dump is what a browser makes of the page, as HTML, 3 s of its time after the start.
func dump(t *testing.T, e *Endpoint) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir="+t.TempDir(),
		"--window-size=360,740", "--virtual-time-budget=3000", "--dump-dom", "http://"+e.Addr()+"/").Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// The page in a real browser: it draws what there is, and without the token nothing.
func TestPage(t *testing.T) {
	if os.Getenv("ONELEASE_PAGE") == "" {
		t.Skip("needs chromium: make test-page")
	}
	for name, c := range map[string]struct {
		config   Config
		has, not []string
	}{
		"open": {Config{Listen: "127.0.0.1:0"}, []string{">Ready<", "router: session held", "[!]", "<dt>streams</dt><dd>3", "as of "}, []string{"NO ANSWER"}},
		"with a token": {
			Config{Listen: "127.0.0.1:0", TokenFile: write(t, strings.Repeat("t", MinToken), 0o600)},
			[]string{">Locked<", "wants its token"}, []string{"session held", "<dt>", "NO ANSWER"},
		},
	} {
		html := dump(t, serve(t, c.config))
		for _, want := range c.has {
			if !strings.Contains(html, want) {
				t.Errorf("%s: the page has no %q:\n%s", name, want, html)
			}
		}
		for _, bad := range c.not {
			if strings.Contains(html, bad) {
				t.Errorf("%s: the page has %q:\n%s", name, bad, html)
			}
		}
	}
}
