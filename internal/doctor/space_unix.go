//go:build linux || darwin || freebsd

package doctor

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// space asks the file system.
func space(path string) (Space, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(path, &fs); err != nil {
		return Space{}, fmt.Errorf("ask how much room there is: %w", err)
	}
	// Bavail is signed on FreeBSD: below zero is what only root may use.
	free := max(int64(fs.Bavail), 0)
	return Space{
		Free: uint64(free) * uint64(fs.Bsize), Inodes: uint64(fs.Ffree),
		NoInodes: fs.Files == 0, // btrfs and others have no fixed number
	}, nil
}
