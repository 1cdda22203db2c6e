package catalog

import (
	"fmt"
	"io/fs"
	"os"
)

// CheckProgram says what makes path a file that should not be run: it is not a
// regular file that can be executed, or others may write to it. Links are followed, but
// for who may write to the file that they lead to.
func CheckProgram(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a file: %w", path, ErrUnsafe)
	case info.Mode()&0o111 == 0:
		return fmt.Errorf("%s cannot be executed: chmod 0755 it, if it is a plugin: %w", path, ErrUnsafe)
	}
	return onlyOurs(path, info)
}

// checkDir is for the directory itself, which must be no link: that could be
// turned to another one.
func checkDir(dir string) error {
	info, err := os.Lstat(dir)
	switch {
	case err != nil:
		return err
	case info.Mode()&fs.ModeSymlink != 0:
		return fmt.Errorf("%s is a symbolic link: name the directory itself: %w", dir, ErrUnsafe)
	case !info.IsDir():
		return fmt.Errorf("%s is not a directory: %w", dir, ErrUnsafe)
	}
	return onlyOurs(dir, info)
}

// checkFile is for what lies in the directory.
func checkFile(path string) error {
	info, err := os.Lstat(path)
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a file: %w", path, ErrUnsafe)
	}
	return onlyOurs(path, info)
}

// onlyOurs says if others than us and root may write to a file.
func onlyOurs(path string, info fs.FileInfo) error {
	if info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("%s can be written to by others (mode %04o): chmod go-w it, once you have made sure of what is there: %w", path, info.Mode().Perm(), ErrUnsafe)
	}
	if uid, ok := owner(info); ok && uid != 0 && uid != os.Geteuid() {
		return fmt.Errorf("%s belongs to user %d: it must be user %d's, who runs this, or root's: %w", path, uid, os.Geteuid(), ErrUnsafe)
	}
	return nil
}
