package catalog

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pelletier/go-toml/v2"

	"github.com/onelease/onelease/internal/strict"
	"github.com/onelease/onelease/internal/wholefile"
)

// fileName is the file that lists the plugins.
const fileName = "catalog.toml"

// maxCatalog and maxSettings bound what is read of those files, in bytes.
const (
	maxCatalog  = 1 << 20
	maxSettings = 1 << 20
)

// A listing is what catalog.toml has.
type listing struct {
	Format  int     `toml:"format"` // 1
	Plugins []Entry `toml:"plugin"`
}

// read reads the catalog; one that is not there is empty.
func (c *Catalog) read() (listing, error) {
	var l listing
	b, err := readFile(c.file(fileName), maxCatalog)
	if errors.Is(err, fs.ErrNotExist) {
		return listing{Format: 1}, nil
	}
	if err != nil {
		return l, err
	}
	if err := strict.Decode(b, &l); err != nil {
		return l, fmt.Errorf("%s: %w: %w", c.file(fileName), ErrInvalid, err)
	}
	return l, c.check(l)
}

func (c *Catalog) check(l listing) error {
	if l.Format != 1 {
		return fmt.Errorf("%s: %w: format %d, this version reads 1", c.file(fileName), ErrInvalid, l.Format)
	}
	seen := make(map[string]bool)
	for _, e := range l.Plugins {
		if err := e.check(); err != nil {
			return fmt.Errorf("%s: %w", c.file(fileName), err)
		}
		if seen[e.Name] {
			return fmt.Errorf("%s: %w: plugin %s is there twice: remove one", c.file(fileName), ErrInvalid, e.Name)
		}
		seen[e.Name] = true
	}
	return nil
}

func (c *Catalog) write(l listing) error {
	b, err := toml.Marshal(l)
	if err != nil {
		return err
	}
	head := "# The plugins of Onelease. `onelease plugin add` and `remove` change it.\n"
	return wholefile.Replace(c.file(fileName), append([]byte(head), b...), 0o644)
}

// file is the path of a name in the directory.
func (c *Catalog) file(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(c.dir, name)
}

// readFile reads a file that only we may have written.
func readFile(path string, limit int64) ([]byte, error) {
	if err := checkFile(path); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("%s: %w: over %d bytes", path, ErrInvalid, limit)
	}
	return b, err
}
