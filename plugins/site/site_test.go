package site

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestNotFoundPage(t *testing.T) {
	root := newSite(t)
	for _, name := range []string{"404.html", "lost.htm"} {
		if err := os.WriteFile(filepath.Join(root, name), []byte("<h1>"+name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{"": "<h1>404.html", "lost.htm": "<h1>lost.htm", "none": "404 Not Found\n",
		"../secret/key.dat": "404 Not Found\n", "plain": "404 Not Found\n"} {
		w := ask(t, Service{Root: root, NotFound: name}, "GET", "/nothing")
		if w.Code != 404 || w.Body.String() != want || w.Header().Get("Etag") != "" {
			t.Errorf("%q: %d %q", name, w.Code, w.Body)
		}
	}
}

func TestListing(t *testing.T) {
	root := newSite(t)
	w := ask(t, Service{Root: root, List: true}, "GET", "/plain/")
	for _, want := range []string{`<a href="a%20b&amp;c.txt">a b&amp;c.txt</a>`, `<a href="./x:y/">x:y/</a>`, `href="../"`, "11 B"} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("no %s in\n%s", want, w.Body)
		}
	}
	if s := w.Body.String(); strings.Contains(s, "hidden") || strings.Contains(s, "out.txt") {
		t.Errorf("shows too much:\n%s", s)
	}
	if w := ask(t, Service{Root: root, List: true, Hidden: true}, "GET", "/plain/"); !strings.Contains(w.Body.String(), ".hidden") {
		t.Errorf("hidden files are not shown:\n%s", w.Body)
	}
	if w := ask(t, Service{Root: root, Hidden: true}, "GET", "/.git/config"); w.Code != 200 {
		t.Errorf("a hidden file: %d", w.Code)
	}
	if w := ask(t, Service{Root: root, List: true}, "GET", "/dir/"); w.Body.String() != "<h1>dir" {
		t.Errorf("in place of an index: %s", w.Body)
	}
}

// A new version of a site takes the place of the old one.
func TestRootIsReplaced(t *testing.T) {
	root := newSite(t)
	h := newHandler(Service{Root: root}, slog.New(slog.DiscardHandler))
	if err := os.Rename(root, root+".old"); err != nil {
		t.Fatal(err)
	}
	if w := askHandler(h, "GET", "/"); w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), root) {
		t.Errorf("without its directory: %d %q", w.Code, w.Body)
	}
	if err := os.Rename(filepath.Join(root+".old", "plain"), root); err != nil {
		t.Fatal(err)
	}
	if w := askHandler(h, "GET", "/x:y/deep.txt"); w.Body.String() != "deep" {
		t.Errorf("the new one: %d %q", w.Code, w.Body)
	}
}

func TestBadInput(t *testing.T) {
	root := newSite(t)
	for says, s := range map[string]Service{
		"setting root is empty":           {},
		"there is no directory":           {Root: filepath.Join(root, "none")},
		"is a file":                       {Root: filepath.Join(root, "index.html")},
		"setting index":                   {Root: root, Index: []string{"a/index.html"}},
		"cannot be negative":              {Root: root, MaxAge: -1},
		"setting content-security-policy": {Root: root, CSP: "default-src\nself"},
	} {
		if err := s.Serve(context.Background(), nil); err == nil || !strings.Contains(err.Error(), says) || !strings.HasPrefix(err.Error(), "site: ") {
			t.Errorf("%v, want %q", err, says)
		}
	}
}
