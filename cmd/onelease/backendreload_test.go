package main

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestBackendReloadsItsFile: SIGHUP takes the settings that the file has, all or none, and
// what the file has wrong or cannot change leaves the site as it is.
func TestBackendReloadsItsFile(t *testing.T) {
	t.Parallel()
	d := newDeployment(t)
	file := filepath.Join(d.dir, "backend.toml")
	program := sitePlugin(t, "1.0")
	one, two := page(t, "one"), page(t, "two")
	text := func(root, otherRoot, more string) string {
		return "keys = \"" + d.keys + "\"\ncontrol = \"c\"\n" + more +
			"[[service]]\nname = \"site\"\npath = \"" + program + "\"\nsettings = { root = \"" + root + "\" }\n" +
			"[[service]]\nname = \"other\"\npath = \"" + program + "\"\nsettings = { port = 81, root = \"" + otherRoot + "\" }\n"
	}
	write(t, file, text(one, one, ""))
	b := d.backend("--config", file)
	until(t, "both plugins serve", func() bool { got, err := d.get("/"); return err == nil && got == "one" })
	reloads := func() int { return strings.Count(b.log(), "changed plugins") }
	reload := func(text, says string) {
		t.Helper()
		before := reloads()
		write(t, file, text)
		b.cmd.Process.Signal(syscall.SIGHUP)
		until(t, "it has tried", func() bool { return reloads() > before })
		log := b.log()
		if last := log[strings.LastIndex(log, "changed plugins"):]; !strings.Contains(last, says) {
			t.Errorf("it does not say %q: %s", says, last)
		}
	}
	reload(text(two, one, "weigth = 1\n"), `line 3: unknown key \"weigth\": did you mean \"weight\"?`)
	reload(text(two, one, "drain-limit = \"1s\"\n"), "drain-limit: nothing was changed")
	reload(strings.Replace(text(two, one, ""), `"other"`, `"another"`, 1), "service.name: nothing was changed")
	d.wantPage("one")
	// The second is refused by the plugin, after the first was replaced.
	reload(text(two, "/nowhere", ""), "/nowhere")
	d.wantPage("one")
	if strings.Contains(b.log(), "plugins read again") {
		t.Errorf("a reload counts as done: %s", b.log())
	}
	reload(text(two, two, ""), "plugins read again")
	d.wantPage("two")
	b.end()
}
