package ownsocket

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A socket is our user's alone, one that a crash left is replaced, and what is in use or
// is another kind of file is not.
func TestListen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	ln, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if _, err := Listen(path); !errors.Is(err, ErrInUse) {
		t.Errorf("a second time: %v", err)
	}
	ln.Close() // and leaves the file
	ln, err = Listen(path)
	if err != nil {
		t.Fatalf("after a crash: %v", err)
	}
	ln.Close()
	if _, err := Listen(strings.Repeat("x", maxSocket+1)); !errors.Is(err, ErrLongPath) {
		t.Errorf("long: %v", err)
	}
	precious := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(precious, []byte("keys"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(precious); err == nil || !strings.Contains(err.Error(), "no socket") {
		t.Errorf("a file: %v", err)
	}
	if text, _ := os.ReadFile(precious); string(text) != "keys" {
		t.Errorf("the file has %q now", text)
	}
}
