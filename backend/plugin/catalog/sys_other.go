//go:build !unix

package catalog

import (
	"io/fs"
	"os"
)

// owner is not known here.
func owner(fs.FileInfo) (uid int, ok bool) { return 0, false }

// lock does nothing here: one program at a time must change a catalog.
func lock(*os.File, bool) error { return nil }

// tryLock never succeeds here, so that no program is removed that may run.
func tryLock(*os.File) bool { return false }
