//go:build !windows

package solo

import (
	"os"

	"golang.org/x/sys/unix"
)

// tryLock fails if another open file has the lock, be it of this process.
func tryLock(f *os.File) error { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) }
