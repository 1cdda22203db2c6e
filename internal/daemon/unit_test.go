package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onelease/onelease/backend/plugin/catalog"
	"github.com/onelease/onelease/internal/strict"
)

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// TestChanged: one plugin runs under two names, and each knows when what it would start
// is another than what it did.
func TestChanged(t *testing.T) {
	dir, program := t.TempDir(), filepath.Join(t.TempDir(), "program")
	write(t, program, "#!/bin/sh\n", 0o755)
	c, err := catalog.Create(filepath.Join(dir, "plugins"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "site.toml")
	write(t, file, "port = 80\n", 0o600)
	if _, err := c.Add(catalog.Entry{Name: "site", Settings: file}, program); err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(dir, "own.toml")
	write(t, own, "port = 8080\n", 0o600)
	var units []*unit
	for _, s := range []Service{
		{Name: "one", Plugin: "site", Settings: strict.Table{"limit": int64(3)}},
		{Name: "two", Plugin: "site", SettingsFile: own},
	} {
		u, err := newUnit(Config{Plugins: c.Dir()}, s, dir)
		if err != nil {
			t.Fatal(err)
		}
		units = append(units, u)
	}
	check := func(what string, want ...bool) {
		t.Helper()
		for i, u := range units {
			if got, err := u.changed(&u.Service); got != want[i] || err != nil {
				t.Errorf("%s: %s has changed: %v, %v", what, u.Name, got, err)
			}
		}
	}
	check("nothing", false, false)
	write(t, file, "port = 81\n", 0o600)
	check("the catalog's settings", true, false)
	write(t, file, "port = 80\n", 0o600)
	write(t, own, "port = 8081\n", 0o600)
	check("its own settings", false, true)
	write(t, own, "port = 8080\n", 0o600)
	write(t, program, "#!/bin/sh\n# new\n", 0o755)
	if _, err := c.Add(catalog.Entry{Name: "site", Settings: file}, program); err != nil {
		t.Fatal(err)
	}
	check("the program", true, true)
}

// TestEdit: single settings go over those of the file, which stay the operator's own text
// where there are none.
func TestEdit(t *testing.T) {
	s := Service{Name: "site"}
	if got, err := s.edit("# mine\nport = 1\n"); got != "# mine\nport = 1\n" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	s.Settings = strict.Table{"port": int64(2)}
	if got, err := s.edit("# mine\nport = 1\nroot = '/srv'\n"); !strings.Contains(got, "port = 2") || !strings.Contains(got, "root = '/srv'") || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := s.edit("port = "); err == nil || !strings.Contains(err.Error(), "service site: line 1") {
		t.Error(err)
	}
}

// TestReadConfig: paths are relative to the file.
func TestReadConfig(t *testing.T) {
	path := filepath.Join(t.TempDir(), "backend.toml")
	write(t, path, `
dir = "web"
drain-limit = "90s"
[[frontend]]
name = "a"
address = "127.0.0.1:1"
[[service]]
path = "/bin/site"
settings-file = "site.toml"
`, 0o600)
	var c Config
	_, err := strict.ReadFile(path, &c)
	if err == nil {
		c, err = c.complete()
	}
	if err != nil || c.Dir != filepath.Join(filepath.Dir(path), "web") || c.Control != ControlPath(c.Dir) || c.DrainLimit.String() != "1m30s" {
		t.Errorf("%+v, %v", c, err)
	}
	if s := c.Services[0]; s.Name != "site" || s.Path != "/bin/site" || s.SettingsFile != filepath.Join(filepath.Dir(path), "site.toml") {
		t.Errorf("service %+v", s)
	}
}

// The tags have the defaults that the code has; a weight of 1 is that of 0 in package
// backend.
func TestDefaultsAreTagged(t *testing.T) {
	for _, k := range strict.Keys(Config{}) {
		if want := map[string]string{"drain-limit": `"` + defaultDrain.String() + `"`, "weight": "1", "standby": "false"}[k.Name]; k.Default != want {
			t.Errorf("%s has the default %s, want %s", k.Name, k.Default, want)
		}
	}
}
