//go:build unix

package keystore

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// dup is a descriptor of f that no os.File owns, as one that was inherited.
func dup(t *testing.T, f *os.File) int {
	t.Helper()
	fd, err := unix.Dup(int(f.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return fd
}

func TestPassphraseFD(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	w.WriteString("secret\n")
	w.Close()
	s, err := PassphraseFD(dup(t, r))
	if err != nil || !opens(t, s, "secret") {
		t.Errorf("from a pipe: %v, %v", s, err)
	}
	path := write(t, "secret\n")
	os.Chmod(path, 0o644)
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := PassphraseFD(dup(t, f)); !errors.Is(err, ErrPermissions) || s != nil {
		t.Errorf("from a file for all to read: %v, %v", s, err)
	}
	if s, err := PassphraseFD(-1); !errors.Is(err, ErrInvalid) || s != nil {
		t.Errorf("from -1: %v, %v", s, err)
	}
	const closed = 1 << 19
	if s, err := PassphraseFD(closed); err == nil || s != nil || !strings.Contains(err.Error(), fmt.Sprintf("%d< FILE", closed)) {
		t.Errorf("from a closed descriptor: %v, %v", s, err)
	}
}
