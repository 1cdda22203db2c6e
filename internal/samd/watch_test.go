package samd

import (
	"strings"
	"testing"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/internal/admin"
	"github.com/onelease/onelease/internal/admin/admintest"
	"github.com/onelease/onelease/internal/routers"
	"github.com/onelease/onelease/plugins/sambridge"
)

// newBridge has routers that are not there.
func newBridge(t *testing.T) *Bridge {
	t.Helper()
	b, err := New(Config{
		Listen: []string{"127.0.0.1:0"}, UDP: NoUDP,
		Routers: []routers.Router{{Name: "a", Address: "127.0.0.1:1"}, {Name: "b", Address: "127.0.0.1:1", Roles: []string{routers.Publisher}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// A bridge is ready while sessions can be served, and found.
func TestWatch(t *testing.T) {
	b := newBridge(t)
	code, text := admintest.Readiness(b.Watch())
	if code != 503 || !strings.Contains(text, "[!] router a: cannot be reached") || !strings.Contains(text, "[-] members: none is up") {
		t.Errorf("without routers: %d\n%s", code, text)
	}
	for up, c := range map[string]struct {
		code int
		line string
	}{
		"ab": {200, "[+] members: 1 up\n[+] publishers: 1 up\n"},
		"a":  {503, "[+] members: 1 up\n[-] publishers: none is up: nobody can find new sessions\n"},
		"b":  {503, "[-] members: none is up: no session can be served\n[+] publishers: 1 up\n"},
	} {
		s := &admin.Snapshot{Role: admin.RoleSAM}
		b.checkRouters(s, []onelease.RouterStatus{{Name: "a", Up: strings.Contains(up, "a")}, {Name: "b", Up: strings.Contains(up, "b")}})
		if code, text := admintest.Readiness(s); code != c.code || !strings.HasSuffix(text, c.line) {
			t.Errorf("with %s: %d, want %d with %q:\n%s", up, code, c.code, c.line, text)
		}
	}
}

func TestWatchMetrics(t *testing.T) {
	s := newBridge(t).Watch()
	measured := &admin.Snapshot{Role: admin.RoleSAM}
	measureBridge(measured, sambridge.Status{Sessions: map[string]int{"STREAM": 2}})
	admintest.Complete(t, s, measured)
}
