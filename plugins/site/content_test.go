package site

import (
	"compress/gzip"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestEncodings(t *testing.T) {
	root := newSite(t)
	for _, test := range []struct {
		s            Service
		file, accept string
		encoding     string
		body         string
	}{
		{Service{}, "/app.js", "gzip, deflate, br", "br", "as brotli"},
		{Service{}, "/app.js", "gzip", "gzip", "as gzip"},
		{Service{}, "/app.js", "br;q=0, GZIP;q=0.5", "gzip", "as gzip"},
		{Service{NoGzip: true}, "/app.js", "gzip", "gzip", "as gzip"},
		{Service{}, "/app.js", "", "", words},
		{Service{}, "/app.js", "*", "", words},
		{Service{}, "/app.js", "gzip;q=0", "", words},
		{Service{}, "/app.js", "gzip;q=x", "", words},
		{Service{}, "/app.js", "x-i2p-gzip", "", words},
		{Service{}, "/app.js.gz", "gzip", "", "as gzip"},
		{Service{}, "/words.txt", "gzip", "gzip", words},
		{Service{NoGzip: true}, "/words.txt", "gzip", "", words},
		{Service{MinToGzip: 100 << 10}, "/words.txt", "gzip", "", words},
		{Service{}, "/photo.png", "gzip", "", words},
		{Service{}, "/LICENSE", "gzip", "", "permission is granted"},
	} {
		test.s.Root = root
		w := ask(t, test.s, "GET", test.file, "Accept-Encoding: "+test.accept)
		body := w.Body.String()
		if z, err := gzip.NewReader(strings.NewReader(body)); err == nil && test.encoding == "gzip" {
			unzipped, err := io.ReadAll(z)
			if err != nil || len(body) > len(unzipped)/2 {
				t.Errorf("%s: %d bytes compressed are %d, %v", test.file, len(body), len(unzipped), err)
			}
			body = string(unzipped)
		}
		if got := w.Header().Get("Content-Encoding"); got != test.encoding || body != test.body {
			t.Errorf("%+v: %q, %.40q", test, got, body)
		}
		again := ask(t, test.s, "GET", test.file, "Accept-Encoding: "+test.accept, "If-None-Match: "+w.Header().Get("Etag"))
		if again.Code != http.StatusNotModified || again.Body.Len() != 0 {
			t.Errorf("%+v: asked again: %d", test, again.Code)
		}
	}
}

func TestTypes(t *testing.T) {
	root := newSite(t)
	for target, want := range map[string]string{
		"/":          "text/html; charset=utf-8",
		"/app.js":    "text/javascript; charset=utf-8",
		"/app.js.gz": "application/gzip",
		"/photo.png": "image/png",
		"/LICENSE":   "text/plain; charset=utf-8",
	} {
		if got := ask(t, Service{Root: root}, "GET", target).Header().Get("Content-Type"); got != want {
			t.Errorf("%s is %q, want %q", target, got, want)
		}
	}
}

func TestRanges(t *testing.T) {
	root := newSite(t)
	s := Service{Root: root}
	tag := ask(t, s, "GET", "/words.txt").Header().Get("Etag")
	for _, test := range []struct {
		header []string
		status int
		body   string
	}{
		{[]string{"Range: bytes=0-2"}, 206, "one"},
		{[]string{"Range: bytes=0-2", "Accept-Encoding: gzip"}, 206, "one"},
		{[]string{"Range: bytes=-10", "If-Range: " + tag}, 206, words[len(words)-10:]},
		{[]string{"Range: bytes=0-2", `If-Range: "old"`}, 200, words},
		{[]string{"Range: bytes=99999-"}, 416, "invalid range: failed to overlap\n"},
		{[]string{"If-None-Match: " + tag}, 304, ""},
		{[]string{`If-None-Match: "other"`}, 200, words},
	} {
		w := ask(t, s, "GET", "/words.txt", test.header...)
		if w.Code != test.status || w.Body.String() != test.body {
			t.Errorf("%q: %d %.60q", test.header, w.Code, w.Body)
		}
	}
}

// The tag is that of the content, whatever else changes, and not of the time.
func TestTags(t *testing.T) {
	root := newSite(t)
	file := filepath.Join(root, "words.txt")
	h := newHandler(Service{Root: root}, slog.New(slog.DiscardHandler))
	tag := func() string { return askHandler(h, "GET", "/words.txt").Header().Get("Etag") }
	first := tag()
	if err := os.Chtimes(file, time.Time{}, time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if got := tag(); got != first {
		t.Errorf("touched: %s, want %s", got, first)
	}
	// A build that gives all files the same time replaces it by one of the same size.
	other := filepath.Join(root, "other")
	if err := os.WriteFile(other, []byte(strings.ToUpper(words)), 0o644); err != nil {
		t.Fatal(err)
	}
	os.Chtimes(other, time.Time{}, time.Unix(1, 0))
	if err := os.Rename(other, file); err != nil {
		t.Fatal(err)
	}
	if got := tag(); got == first {
		t.Error("another file has the same tag")
	}
	if got := ask(t, Service{Root: root}, "GET", "/inside.txt").Header().Get("Etag"); got != tag() {
		t.Errorf("the same content has tags %s and %s", got, tag())
	}
}
