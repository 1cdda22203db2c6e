package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"sync"
)

// maxProgram bounds the size of a program, in bytes.
const maxProgram = 1 << 30

// A Held is a plugin whose program stays where it is until Release, also when it is
// replaced or removed.
type Held struct {
	Entry
	catalog *Catalog
	file    *os.File
	release sync.Once
}

// Acquire holds the program of a plugin for as long as something is to run it, restarts
// included. It does not check the program's sum: that is done at each start.
func (c *Catalog) Acquire(name string) (*Held, error) {
	for {
		e, err := c.Info(name)
		if err != nil {
			return nil, err
		}
		f, err := os.Open(c.Path(e))
		if err != nil {
			return nil, fmt.Errorf("program of plugin %s, add it again: %w", name, err)
		}
		if err := lock(f, true); err != nil {
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
		}
		if c.stillThere(f) {
			return &Held{Entry: e, catalog: c, file: f}, nil
		}
		f.Close() // another process replaced it just now
	}
}

func (c *Catalog) stillThere(f *os.File) bool {
	open, err1 := f.Stat()
	now, err2 := os.Stat(f.Name())
	return err1 == nil && err2 == nil && os.SameFile(open, now)
}

// Path is where the program is.
func (h *Held) Path() string { return h.file.Name() }

// Settings returns the text of the settings as it is now.
func (h *Held) Settings() (string, error) { return h.catalog.Settings(h.Entry) }

// Release ends the hold, and deletes the program if it was replaced and nobody else
// holds it.
func (h *Held) Release() {
	h.release.Do(func() {
		h.file.Close()
		// What cannot be swept up now is by the next change.
		_ = h.catalog.locked(func() error {
			l, err := h.catalog.read()
			if err == nil {
				h.catalog.sweep(l)
			}
			return err
		})
	})
}

// sweep deletes programs that no entry names and nobody holds.
func (c *Catalog) sweep(l listing) {
	files, err := os.ReadDir(c.dir)
	if err != nil {
		return
	}
	for _, f := range files {
		named := slices.ContainsFunc(l.Plugins, func(e Entry) bool { return e.File == f.Name() })
		if !named && goodFile.MatchString(f.Name()) && f.Type() == fs.FileMode(0) {
			c.removeUnheld(f.Name())
		}
	}
}

func (c *Catalog) removeUnheld(name string) {
	f, err := os.Open(c.file(name))
	if err != nil {
		return
	}
	defer f.Close()
	if tryLock(f) {
		os.Remove(f.Name())
	}
}

// Sum is the SHA-256 of a file in hexadecimal.
func Sum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, io.LimitReader(f, maxProgram)); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func sumOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func readProgram(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxProgram+1))
	if err == nil && len(b) > maxProgram {
		err = fmt.Errorf("%s: over %d MiB", path, maxProgram>>20)
	}
	return b, err
}
