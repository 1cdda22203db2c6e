package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPlugins registers plugins as an operator does, and finds what somebody changed.
func TestPlugins(t *testing.T) {
	t.Parallel()
	dir, settings := filepath.Join(t.TempDir(), "plugins"), filepath.Join(t.TempDir(), "site.toml")
	write(t, settings, "root = \"/srv\"\n")
	plugin := func(args ...string) string {
		t.Helper()
		return do(t, append(append([]string{"plugin"}, args...), "--plugins", dir)...)
	}
	text := plugin("add", sitePlugin(t, "1.0"), "--settings", settings)
	for _, want := range []string{"Registered plugin site, version 1.0", "root = ", "onelease backend"} {
		if !strings.Contains(text, want) {
			t.Errorf("add does not say %q:\n%s", want, text)
		}
	}
	plugin("add", sitePlugin(t, "1.5"), "--name", "other", "--memory-mib", "512")
	v := decode[addedView](t, plugin("add", sitePlugin(t, "2.0"), "--settings", settings, "--json"))
	if !v.Replaced || v.Name != "site" || v.Version != "2.0" || v.Settings != settings || !strings.Contains(v.Example, "root = ") {
		t.Errorf("added %+v", v)
	}
	all := decode[[]pluginView](t, plugin("list", "--json"))
	if len(all) != 2 || all[0].Name != "other" || all[0].Limits.MemoryMiB != 512 || all[1].SHA256 != v.SHA256 || all[1].Path != v.Path {
		t.Errorf("list %+v", all)
	}
	if text := plugin("list"); strings.Count(text, "\n") != 3 || !strings.Contains(text, v.SHA256[:16]) {
		t.Errorf("list:\n%s", text)
	}
	if text := plugin("info", "other"); !strings.Contains(text, "512 MiB") || !strings.Contains(text, "root = ") || !strings.Contains(text, "1.5") {
		t.Errorf("info:\n%s", text)
	}
	if text := plugin("verify"); strings.Count(text, "as registered") != 2 {
		t.Errorf("verify:\n%s", text)
	}
	checkVerify(t, dir, v)
	if text := plugin("remove", "site"); !strings.Contains(text, "Removed plugin site") {
		t.Error(text)
	}
	if left := decode[[]pluginView](t, plugin("list", "--json")); len(left) != 1 {
		t.Errorf("left %+v", left)
	}
}

// checkVerify changes the program of a plugin.
func checkVerify(t *testing.T, dir string, v addedView) {
	t.Helper()
	program, err := os.ReadFile(v.Path)
	if err == nil {
		err = os.Remove(v.Path)
	}
	if err == nil {
		err = os.WriteFile(v.Path, append(program, 'x'), 0o555)
	}
	if err != nil {
		t.Fatal(err)
	}
	r := try(t, "", "plugin", "verify", "--plugins", dir, "--json")
	verdicts := decode[[]verdict](t, r.out)
	if r.code != exitFailed || len(verdicts) != 2 || !verdicts[0].OK || verdicts[1].OK || !strings.Contains(verdicts[1].Error, v.SHA256) {
		t.Errorf("verify: exit code %d, %+v", r.code, verdicts)
	}
	if !strings.Contains(r.said, "1 of 2 plugins cannot be started: site") {
		t.Errorf("verify says %q", r.said)
	}
	if r := try(t, "", "plugin", "verify", "other", "--plugins", dir); r.code != 0 {
		t.Errorf("the other: %s", r.said)
	}
	fails(t, exitFailed, []string{"checksum"}, "", "plugin", "info", "site", "--plugins", dir)
}

// TestPluginBadInput: what is wrong is named, and nothing is registered.
func TestPluginBadInput(t *testing.T) {
	t.Parallel()
	dir, good := filepath.Join(t.TempDir(), "plugins"), sitePlugin(t, "1.0")
	script := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho hello\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	open := filepath.Join(t.TempDir(), "open")
	if err := os.WriteFile(open, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	os.Chmod(open, 0o777)
	broken := secretFile(t, "root = \n")
	for _, test := range []struct {
		args string
		code int
		want []string
	}{
		{"add", exitUsage, []string{"no program given"}},
		{"add NOWHERE", exitFailed, []string{"no such file"}},
		{"add SCRIPT", exitFailed, []string{"not a plugin", "first line"}},
		{"add OPEN", exitFailed, []string{"written to by others", "chmod go-w"}},
		{"add GOOD --name X!", exitUsage, []string{"plugin name", "a-z"}},
		{"add GOOD --sha256 abc", exitUsage, []string{"--sha256", "64 hexadecimal"}},
		{"add GOOD --sha256 ZEROS", exitFailed, []string{"checksum", "is wanted"}},
		{"add GOOD --memory-mib 1", exitUsage, []string{"memory_mib", "16"}},
		{"add GOOD --settings NOWHERE", exitFailed, []string{"no such file"}},
		{"add GOOD --settings BROKEN", exitFailed, []string{"line 1"}},
		{"list", exitFailed, []string{"no such file"}},
		{"info site", exitFailed, []string{"no such file"}},
		{"reload site", exitUsage, []string{"which backend", "--dir"}},
		{"reload site --dir NOWHERE", exitFailed, []string{"no backend runs there"}},
	} {
		args := strings.Fields(strings.NewReplacer(
			"NOWHERE", filepath.Join(t.TempDir(), "nowhere"), "SCRIPT", script, "OPEN", open, "GOOD", good,
			"BROKEN", broken, "ZEROS", strings.Repeat("0", 64)).Replace(test.args))
		if args[0] != "reload" {
			args = append(args, "--plugins", dir)
		}
		fails(t, test.code, test.want, "", append([]string{"plugin"}, args...)...)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("the catalog was made all the same")
	}
	do(t, "plugin", "add", good, "--plugins", dir)
	fails(t, exitFailed, []string{`"sity"`, "no such plugin", "onelease plugin list"}, "", "plugin", "remove", "sity", "--plugins", dir)
}

// TestDefaultCatalog is where the help says.
func TestDefaultCatalog(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", "/data")
	want := "/data/onelease/plugins"
	if os.Geteuid() == 0 {
		want = "/var/lib/onelease/plugins"
	}
	if got := defaultPlugins(); got != want {
		t.Errorf("catalog %s, want %s", got, want)
	}
	help := do(t, "plugin", "--help")
	if !strings.Contains(help, "/var/lib/onelease/plugins") || !strings.Contains(help, "$XDG_DATA_HOME") {
		t.Error(help)
	}
}
