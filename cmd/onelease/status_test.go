package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onelease/onelease/internal/admin"
)

// Addresses at which nothing can be watched, or at which too many could.
func TestAdminRefused(t *testing.T) {
	t.Parallel()
	short := secretFile(t, "short\n")
	for _, c := range []struct {
		code int
		says []string
		args []string
	}{
		{exitUsage, []string{"which node?"}, []string{"status"}},
		{exitUsage, []string{"which node?"}, []string{"status", "--dir", "d", "--admin", "127.0.0.1:1"}},
		{exitUsage, []string{"--every 0s"}, []string{"status", "--admin", "127.0.0.1:1", "--every", "0s"}},
		{exitUsage, []string{"want host:port"}, []string{"status", "--admin", "7680"}},
		{exitFailed, []string{"no node answers"}, []string{"status", "--admin", freeAddr(t)}},
		{exitFailed, []string{"openssl rand"}, []string{"status", "--admin", freeAddr(t), "--token-file", short}},
		{exitFailed, []string{"no node answers"}, []string{"status", "--dir", t.TempDir()}},
		{exitUsage, []string{"not on this machine alone", "--admin-token-file"}, []string{"sam", "--router", "a=127.0.0.1:1", "--listen", "127.0.0.1:0", "--udp", "none", "--admin", "0.0.0.0:0"}},
		{exitUsage, []string{"not on this machine alone", "--admin-token-file"}, []string{"backend", "--keys", keyFile(t), "--frontend", "a=127.0.0.1:1", "--builtin", "echo", "--admin", ":7680"}},
		{exitFailed, []string{"there is a file of that name"}, []string{"sam", "--router", "a=127.0.0.1:1", "--listen", "127.0.0.1:0", "--udp", "none", "--admin", "unix:" + filepath.Clean(short)}},
	} {
		fails(t, c.code, c.says, "", c.args...)
	}
}

// wantReady wants onelease status to say that the backend in dir is ready.
func (d *deployment) wantReady(dir string) {
	d.t.Helper()
	text := do(d.t, "status", "--dir", dir)
	for _, want := range []string{"backend worker is ready\n", "[+] service site: 1 running\n", "[+] signing: permitted for ", d.b32} {
		if !strings.Contains(text, want) {
			d.t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

// What is wrong is shown with since when it is, by the node's clock.
func TestStatusSince(t *testing.T) {
	t.Parallel()
	since := time.Date(2026, 11, 26, 4, 31, 7, 0, time.UTC)
	report := admin.Report{
		Role: admin.RoleFrontend, Name: "router-1", At: since.Add(12 * time.Second), NotReadySince: &since,
		Checks: []admin.Check{{Name: "router", Text: "no session: refused", Since: &since}, {Name: "drain", OK: true, Text: "none"}},
		Status: json.RawMessage("{}"),
	}
	var text strings.Builder
	nodeView(report).text(&text)
	want := "frontend router-1 is NOT READY since 04:31:07Z, 12 s\n[-] router: no session: refused (since 04:31:07Z, 12 s)\n[+] drain: none\n"
	if !strings.HasPrefix(text.String(), want) {
		t.Errorf("it shows\n%swant\n%s", text.String(), want)
	}
}
