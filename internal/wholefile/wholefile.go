// Package wholefile writes small files whole or not at all, also through a power
// cut, and removes them: keys, certificates, and where something stands.
package wholefile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// New writes a file with that mode, and never over one that is there
// (fs.ErrExist), since that may hold the only copy of a key.
func New(path string, content []byte, mode fs.FileMode) error {
	staged, err := stage(path, content, mode)
	if err != nil {
		return err
	}
	defer os.Remove(staged)
	// Unlike a rename a link fails if its name is taken.
	if err := os.Link(staged, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// Replace writes a file with that mode in the place of what is there, at once.
func Replace(path string, content []byte, mode fs.FileMode) error {
	staged, err := stage(path, content, mode)
	if err != nil {
		return err
	}
	if err := os.Rename(staged, path); err != nil {
		return errors.Join(err, os.Remove(staged))
	}
	return syncDir(filepath.Dir(path))
}

// Remove removes a file, for good also through a power cut.
func Remove(path string) error {
	if err := os.Remove(path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// stage writes the content beside path, to the disk, and returns under which name.
func stage(path string, content []byte, mode fs.FileMode) (string, error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return "", err
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}

// syncDir makes new names in dir last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
