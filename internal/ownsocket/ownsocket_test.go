package ownsocket

import (
	"errors"
	"net/http"
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

// A client gets an answer while somebody listens, and learns whether nobody does.
func TestTransport(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	ask := func(path string) error {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://anybody/", nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := Transport(path).RoundTrip(request)
		if err != nil {
			return err
		}
		return response.Body.Close()
	}
	if err := ask(path); !NobodyListens(err) {
		t.Errorf("before anybody listens: %v", err)
	}
	ln, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.NotFoundHandler()}
	go server.Serve(ln)
	if err := ask(path); err != nil {
		t.Errorf("while somebody listens: %v", err)
	}
	server.Close()
	if err := ask(path); !NobodyListens(err) {
		t.Errorf("afterwards: %v", err)
	}
	if err := ask(strings.Repeat("x", maxSocket+1)); !errors.Is(err, ErrLongPath) || NobodyListens(err) {
		t.Errorf("a long path: %v", err)
	}
}

// The directory in which a socket is made has a longer path than a socket of a short name.
func TestListenWithoutRoomBeside(t *testing.T) {
	dir := t.TempDir()
	dir = filepath.Join(dir, strings.Repeat("d", maxSocket-len(dir)-len("//s")))
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(filepath.Join(dir, "s")); !errors.Is(err, ErrLongPath) {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}
