package catalog

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func newCatalog(t *testing.T) *Catalog {
	t.Helper()
	c, err := Create(filepath.Join(t.TempDir(), "plugins"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func program(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func add(t *testing.T, c *Catalog, e Entry, content string) Entry {
	t.Helper()
	e, err := c.Add(e, program(t, content))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func programs(t *testing.T, c *Catalog) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(c.Dir(), "*.plugin"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestAddListRemove(t *testing.T) {
	c := newCatalog(t)
	site := add(t, c, Entry{Name: "site", Version: "1", NoTLS: true, Limits: Limits{MemoryMiB: 64}}, "one")
	add(t, c, Entry{Name: "echo"}, "two")
	again, err := Open(c.Dir())
	if err != nil {
		t.Fatal(err)
	}
	list, err := again.List()
	if err != nil || len(list) != 2 || list[0].Name != "echo" || list[1] != site {
		t.Fatalf("listed %+v, %v; want echo and %+v", list, err, site)
	}
	if err := again.Verify("site"); err != nil {
		t.Error(err)
	}
	if b, err := os.ReadFile(c.Path(site)); err != nil || string(b) != "one" {
		t.Errorf("program is %q, %v", b, err)
	}
	if err := c.Remove("site"); err != nil {
		t.Error(err)
	}
	if _, err := c.Info("site"); !errors.Is(err, ErrNotFound) {
		t.Errorf("once removed: %v", err)
	}
	if err := c.Remove("site"); !errors.Is(err, ErrNotFound) {
		t.Errorf("removed twice: %v", err)
	}
	if left := programs(t, c); len(left) != 1 {
		t.Errorf("left %v, want echo's", left)
	}
}

func TestAReplacedProgramStaysWhileItRuns(t *testing.T) {
	c := newCatalog(t)
	old := add(t, c, Entry{Name: "site"}, "old")
	first, err := c.Acquire("site")
	if err != nil {
		t.Fatal(err)
	}
	second, err := c.Acquire("site")
	if err != nil {
		t.Fatal(err)
	}
	replaced := add(t, c, Entry{Name: "site"}, "new")
	add(t, c, Entry{Name: "other"}, "other") // sweeps
	if b, err := os.ReadFile(first.Path()); err != nil || string(b) != "old" || first.Path() != c.Path(old) {
		t.Fatalf("the old program is %q, %v", b, err)
	}
	first.Release()
	first.Release()
	if _, err := os.Stat(second.Path()); err != nil {
		t.Errorf("while another runs it: %v", err)
	}
	second.Release()
	if _, err := os.Stat(second.Path()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nobody runs it, and it is there: %v", err)
	}
	now, err := c.Acquire("site")
	if err != nil || now.SHA256 != replaced.SHA256 {
		t.Fatalf("acquired %+v, %v", now, err)
	}
	now.Release()
	if err := c.Verify("site"); err != nil {
		t.Error(err)
	}
}

func TestAChangedProgramIsNamed(t *testing.T) {
	c := newCatalog(t)
	e := add(t, c, Entry{Name: "site"}, "good")
	overwrite(t, c.Path(e), "evil", 0o555)
	if err := c.Verify("site"); !errors.Is(err, ErrChecksum) || !strings.Contains(err.Error(), c.Path(e)) {
		t.Errorf("verify: %v", err)
	}
	add(t, c, e, "good")
	if err := c.Verify("site"); err != nil {
		t.Errorf("once it was added again: %v", err)
	}
	if _, err := c.Add(e, program(t, "another")); !errors.Is(err, ErrChecksum) {
		t.Errorf("add with another checksum: %v", err)
	}
}

func overwrite(t *testing.T, path, content string, mode fs.FileMode) {
	t.Helper()
	os.Remove(path)
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // in spite of the umask
		t.Fatal(err)
	}
}

func TestUnsafePlaces(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, c *Catalog, e Entry){
		"directory written by all":   func(t *testing.T, c *Catalog, _ Entry) { os.Chmod(c.Dir(), 0o777) },
		"directory written by group": func(t *testing.T, c *Catalog, _ Entry) { os.Chmod(c.Dir(), 0o770) },
		"catalog written by all":     func(t *testing.T, c *Catalog, _ Entry) { os.Chmod(c.file(fileName), 0o666) },
		"program written by group":   func(t *testing.T, c *Catalog, e Entry) { os.Chmod(c.Path(e), 0o575) },
		"settings written by all":    func(t *testing.T, c *Catalog, e Entry) { os.Chmod(c.file(e.Settings), 0o666) },
		"directory is a link": func(t *testing.T, c *Catalog, _ Entry) {
			link := filepath.Join(t.TempDir(), "link")
			if err := os.Symlink(c.Dir(), link); err != nil {
				t.Fatal(err)
			}
			c.dir = link
		},
		"program is a link": func(t *testing.T, c *Catalog, e Entry) {
			os.Remove(c.Path(e))
			if err := os.Symlink(program(t, "good"), c.Path(e)); err != nil {
				t.Fatal(err)
			}
		},
		"another user's": func(t *testing.T, c *Catalog, _ Entry) {
			if err := os.Chown(c.Dir(), 4711, -1); err != nil {
				t.Skip("needs root")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCatalog(t)
			overwrite(t, c.file("site.toml"), "a = 1", 0o600)
			e := add(t, c, Entry{Name: "site", Settings: "site.toml"}, "good")
			spoil(t, c, e)
			if err := c.Verify("site"); !errors.Is(err, ErrUnsafe) {
				t.Errorf("verify: %v, want ErrUnsafe", err)
			}
		})
	}
}

func TestProgramsThatCannotBeAdded(t *testing.T) {
	c := newCatalog(t)
	text := program(t, "text")
	os.Chmod(text, 0o644)
	open := program(t, "open")
	os.Chmod(open, 0o777)
	for _, path := range []string{text, open, t.TempDir(), filepath.Join(t.TempDir(), "none")} {
		if _, err := c.Add(Entry{Name: "x"}, path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v does not name it", path, err)
		}
	}
	for _, e := range []Entry{
		{Name: ""}, {Name: "../x"}, {Name: "Site"}, {Name: "a b"}, {Name: strings.Repeat("x", 65)},
		{Name: "x", Settings: "../x.toml"}, {Name: "x", Limits: Limits{MemoryMiB: 1}}, {Name: "x", Limits: Limits{Streams: -1}},
	} {
		if _, err := c.Add(e, program(t, "x")); !errors.Is(err, ErrInvalid) {
			t.Errorf("%+v: %v", e, err)
		}
	}
	if _, err := c.Add(Entry{Name: "x", Settings: "none.toml"}, program(t, "x")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("settings that are not there: %v", err)
	}
	if list, err := c.List(); err != nil || len(list) != 0 || len(programs(t, c)) != 0 {
		t.Errorf("left %v, %v, %v", list, programs(t, c), err)
	}
}

func TestDamagedCatalogs(t *testing.T) {
	sum := strings.Repeat("0", 64)
	entry := "[[plugin]]\nname='x'\nfile='x-0123456789abcdef.plugin'\nsha256='" + sum + "'\n"
	for content, says := range map[string]string{
		"format = 1\n=":                                             "line 2",
		"format = 2":                                                "this version reads 1",
		"format = 1\ncolour = 'red'":                                "colour",
		"format = 1\n" + entry + entry:                              "twice",
		"format = 1\n" + entry + "no_tls = 1":                       "line 6",
		"format = 1\n[[plugin]]\nname = 'x'":                        "file",
		strings.Replace("format = 1\n"+entry, "x-0", "/bin/x-0", 1): "file",
		"format = 1\n" + strings.Replace(entry, sum, "00", 1):       "sha256",
	} {
		c := newCatalog(t)
		overwrite(t, c.file(fileName), content, 0o644)
		_, err := Open(c.Dir())
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), c.file(fileName)) {
			t.Errorf("%q: error %v does not say %q", content, err, says)
		}
	}
}

func TestChangesAtOnce(t *testing.T) {
	c := newCatalog(t)
	path := program(t, "same")
	var all sync.WaitGroup
	for _, name := range strings.Fields("a b c d e f g h") {
		all.Go(func() {
			if _, err := c.Add(Entry{Name: name}, path); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if list, err := c.List(); err != nil || len(list) != 8 {
		t.Errorf("%d plugins, %v; want 8", len(list), err)
	}
}
