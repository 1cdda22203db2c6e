package solo

import (
	"os"

	"golang.org/x/sys/windows"
)

// tryLock fails if another open file has the lock, be it of this process.
func tryLock(f *os.File) error {
	const exclusiveNow = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	return windows.LockFileEx(windows.Handle(f.Fd()), exclusiveNow, 0, 1, 0, new(windows.Overlapped))
}
