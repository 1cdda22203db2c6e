package wholefile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestNewNeverOverwrites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	if err := New(path, []byte("first"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := New(path, []byte("second"), 0o600); !errors.Is(err, fs.ErrExist) {
		t.Errorf("error %v, want fs.ErrExist", err)
	}
	if got := read(t, path); got != "first" {
		t.Errorf("it has %q", got)
	}
}

func TestReplace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "place")
	for _, content := range []string{"first", "second"} {
		if err := Replace(path, []byte(content), 0o640); err != nil {
			t.Fatal(err)
		}
		if got := read(t, path); got != content {
			t.Errorf("it has %q, want %q", got, content)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// What fails leaves nothing behind.
func TestNothingIsLeft(t *testing.T) {
	dir := t.TempDir()
	taken := filepath.Join(dir, "taken")
	if err := os.Mkdir(taken, 0o700); err != nil {
		t.Fatal(err)
	}
	if New(taken, nil, 0o600) == nil || Replace(taken, nil, 0o600) == nil {
		t.Error("a directory was overwritten")
	}
	if New(filepath.Join(dir, "no", "file"), nil, 0o600) == nil {
		t.Error("a file was made in no directory")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("left: %v, %v", left, err)
	}
}
