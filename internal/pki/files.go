package pki

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/onelease/onelease/internal/wholefile"
)

// The names of the files in a directory.
const (
	caCertFile   = "ca.crt"
	caKeyFile    = "ca.key" // of earlier versions: not sealed
	caSealedFile = "ca.key.sealed"
	nodeCertFile = "node.crt"
	nodeKeyFile  = "node.key"
)

const (
	publicMode fs.FileMode = 0o644
	secretMode fs.FileMode = 0o600

	// maxFile is more than any of the files has, in bytes.
	maxFile = 64 << 10
)

type file struct {
	name    string
	mode    fs.FileMode
	content []byte
}

// saveNew writes all of the files to dir, which is made, or none of them, and
// never over one that is there (fs.ErrExist): it may hold the only copy of a
// key. A file that already has that very content stays.
func saveNew(dir string, files ...file) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	var made []string
	for _, f := range files {
		path := filepath.Join(dir, f.name)
		if has(path, f.content) {
			continue
		}
		if err := writeNew(path, f); err != nil {
			for _, m := range made {
				os.Remove(m)
			}
			return err
		}
		made = append(made, path)
	}
	return nil
}

func has(path string, content []byte) bool {
	old, err := readSmall(path)
	return err == nil && bytes.Equal(old, content)
}

// writeNew says what to do if the name is taken.
func writeNew(path string, f file) error {
	err := wholefile.New(path, f.content, f.mode)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s: %w; use another directory, or move that file away first", path, fs.ErrExist)
	}
	return err
}

// replaceFile puts the file in the place of the one with its name, at once.
func replaceFile(dir string, f file) error {
	return wholefile.Replace(filepath.Join(dir, f.name), f.content, f.mode)
}

func readSmall(path string) ([]byte, error) {
	return readChecked(path, func(fs.FileMode) error { return nil })
}

// readSecret is readSmall for a key file. On Windows, where the mode says
// nothing, it does not look at it.
func readSecret(path string) ([]byte, error) {
	return readChecked(path, func(mode fs.FileMode) error {
		if mode&0o077 != 0 && runtime.GOOS != "windows" {
			return fmt.Errorf("%s has mode %04o: %w; run: chmod 600 %[1]s", path, mode, ErrPermissions)
		}
		return nil
	})
}

func readChecked(path string, check func(fs.FileMode) error) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if err := check(info.Mode().Perm()); err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = fmt.Errorf("%s has over %d bytes: %w", path, maxFile, ErrInvalid)
	}
	return b, err
}
