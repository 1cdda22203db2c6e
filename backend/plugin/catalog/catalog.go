package catalog

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/onelease/onelease/internal/wholefile"
)

// A Catalog is a directory of plugins. Its methods may be called by many goroutines
// and processes: each reads the files anew, and changes happen one after the other.
type Catalog struct{ dir string }

// Open opens a catalog that is there. It fails with fs.ErrNotExist or ErrUnsafe, and what
// Catalog.List fails with.
func Open(dir string) (*Catalog, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	c := &Catalog{dir}
	if _, err := c.List(); err != nil {
		return nil, err
	}
	return c, nil
}

// Create opens a catalog and makes its directory if that is not there. What is above
// it must be.
func Create(dir string) (*Catalog, error) {
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("make the catalog of plugins: %w", err)
	}
	return Open(dir)
}

// Dir is the directory's absolute path.
func (c *Catalog) Dir() string { return c.dir }

// List returns the plugins by name. It fails with ErrUnsafe, or ErrInvalid if the file
// was damaged.
func (c *Catalog) List() ([]Entry, error) {
	if err := checkDir(c.dir); err != nil {
		return nil, fmt.Errorf("catalog of plugins: %w", err)
	}
	l, err := c.read()
	slices.SortFunc(l.Plugins, func(a, b Entry) int { return cmp.Compare(a.Name, b.Name) })
	return l.Plugins, err
}

// Info returns one plugin, or ErrNotFound.
func (c *Catalog) Info(name string) (Entry, error) {
	entries, err := c.List()
	if err != nil {
		return Entry{}, err
	}
	for _, e := range entries {
		if e.Name == name {
			return e, nil
		}
	}
	return Entry{}, fmt.Errorf("plugin %.80q: %w in %s: see onelease plugin list, or add it", name, ErrNotFound, c.dir)
}

// Path is where the program of a plugin is.
func (c *Catalog) Path(e Entry) string { return c.file(e.File) }

// Verify says whether a plugin can be started: its program is the one that was registered,
// and its settings can be read.
func (c *Catalog) Verify(name string) error {
	e, err := c.Info(name)
	if err != nil {
		return err
	}
	if _, err := c.Settings(e); err != nil {
		return err
	}
	return c.verify(e)
}

func (c *Catalog) verify(e Entry) error {
	path := c.Path(e)
	if err := checkFile(path); err != nil {
		return fmt.Errorf("plugin %s: %w", e.Name, err)
	}
	sum, err := Sum(path)
	if err == nil && sum != strings.ToLower(e.SHA256) {
		err = fmt.Errorf("%s has SHA-256 %s, and %s was registered: find out who changed it, then add the plugin again: %w", path, sum, e.SHA256, ErrChecksum)
	}
	return err
}

// Settings returns the text of a plugin's settings, "" if it has none.
func (c *Catalog) Settings(e Entry) (string, error) {
	if e.Settings == "" {
		return "", nil
	}
	b, err := readFile(c.file(e.Settings), maxSettings)
	if err != nil {
		return "", fmt.Errorf("settings of plugin %s: %w", e.Name, err)
	}
	return string(b), nil
}

// Add registers the program at path, which it copies, in place of a plugin of that
// name if there is one. Something that runs the old one goes on to run it until its
// Reload. It returns the entry with what it filled in.
func (c *Catalog) Add(e Entry, path string) (Entry, error) {
	if err := CheckProgram(path); err != nil {
		return e, fmt.Errorf("add plugin %.80s: %w", e.Name, err)
	}
	program, err := readProgram(path)
	if err != nil {
		return e, fmt.Errorf("add plugin %.80s: %w", e.Name, err)
	}
	sum := sumOf(program)
	if e.SHA256 != "" && !strings.EqualFold(e.SHA256, sum) {
		return e, fmt.Errorf("add plugin %.80s: %s has SHA-256 %s, and %.80s is wanted: %w", e.Name, path, sum, e.SHA256, ErrChecksum)
	}
	e.SHA256, e.File, e.Added = sum, e.Name+"-"+sum[:16]+".plugin", time.Now().UTC().Truncate(time.Second)
	if err := e.check(); err != nil {
		return e, err
	}
	if _, err := c.Settings(e); err != nil {
		return e, err
	}
	return e, c.change(func(l *listing) error {
		if err := c.install(e, program); err != nil {
			return fmt.Errorf("add plugin %s: %w", e.Name, err)
		}
		l.Plugins = append(without(l.Plugins, e.Name), e)
		return nil
	})
}

// install puts a program into the directory, unless it is there.
func (c *Catalog) install(e Entry, program []byte) error {
	if c.verify(e) == nil {
		return nil
	}
	return wholefile.Replace(c.Path(e), program, 0o555)
}

// Remove forgets a plugin, or fails with ErrNotFound. Its program is deleted once nothing
// runs it, its settings are left.
func (c *Catalog) Remove(name string) error {
	if _, err := c.Info(name); err != nil {
		return err
	}
	return c.change(func(l *listing) error {
		l.Plugins = without(l.Plugins, name)
		return nil
	})
}

func without(entries []Entry, name string) []Entry {
	return slices.DeleteFunc(entries, func(e Entry) bool { return e.Name == name })
}

// change has nobody else change the catalog meanwhile, and sweeps up after it.
func (c *Catalog) change(do func(*listing) error) error {
	return c.locked(func() error {
		l, err := c.read()
		if err != nil {
			return err
		}
		if err := do(&l); err != nil {
			return err
		}
		if err := c.write(l); err != nil {
			return err
		}
		c.sweep(l)
		return nil
	})
}

// locked runs do while no other process does.
func (c *Catalog) locked(do func() error) error {
	if err := checkDir(c.dir); err != nil {
		return fmt.Errorf("catalog of plugins: %w", err)
	}
	d, err := os.Open(c.dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := lock(d, false); err != nil {
		return fmt.Errorf("lock %s: %w", c.dir, err)
	}
	return do()
}
