package i2pd

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

const runDirPrefix = "onelease-i2pd-"

// A runDir is the directory of one test run. While its owner lives, the owner holds a lock
// on it; a lock, unlike a pid, cannot be taken for someone else's.
type runDir struct {
	path string
	lock *os.File
}

// newRunDir makes and locks a directory. A sweep by another run may take a new directory
// before it is locked, so it is looked at again under the lock.
func newRunDir() (*runDir, error) {
	for range 10 {
		path, err := os.MkdirTemp("", runDirPrefix)
		if err != nil {
			return nil, fmt.Errorf("make a directory for the routers: %w", err)
		}
		lock, err := tryLock(path)
		if err != nil {
			continue
		}
		if _, err := os.Stat(path); err == nil {
			return &runDir{path, lock}, nil
		}
		lock.Close()
	}
	return nil, fmt.Errorf("make a directory for the routers in %s: taken away every time", os.TempDir())
}

// remove deletes the directory, then gives up the lock.
func (d *runDir) remove() {
	os.RemoveAll(d.path)
	d.lock.Close()
}

// sweep deletes what earlier runs left in parent, those that could not clean up. What it
// may not delete it leaves: that is another user's.
func sweep(parent string) {
	paths, _ := filepath.Glob(filepath.Join(parent, runDirPrefix+"*")) // the pattern is valid
	for _, path := range paths {
		if lock, err := tryLock(path); err == nil {
			(&runDir{path, lock}).remove()
		}
	}
}

// tryLock locks the directory, or fails at once if someone else holds it.
func tryLock(path string) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
