package site

import (
	"path/filepath"
	"syscall"
	"testing"
)

// Opening a named pipe waits for somebody to write.
func TestPipesAreNoFiles(t *testing.T) {
	root := newSite(t)
	for _, name := range []string{"pipe", "404.html", "plain/index.html", "app.js.br"} {
		syscall.Unlink(filepath.Join(root, name))
		if err := syscall.Mkfifo(filepath.Join(root, name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for target, want := range map[string]int{"/pipe": 404, "/nothing": 404, "/plain/": 404, "/app.js": 200} {
		if w := ask(t, Service{Root: root}, "GET", target, "Accept-Encoding: br"); w.Code != want {
			t.Errorf("%s: %d, want %d", target, w.Code, want)
		}
	}
}
