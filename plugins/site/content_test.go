package site

import (
	"compress/gzip"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// words is text that is worth compressing.
var words = strings.Repeat("one Destination, many routers, one LeaseSet. ", 100)

// newSite is a site on disk: its directory, and one beside it that has a secret.
func newSite(t *testing.T) (root string) {
	t.Helper()
	dir := t.TempDir()
	root = filepath.Join(dir, "public")
	for name, content := range map[string]string{
		"secret/key.dat":               "secret",
		"public/index.html":            "<h1>home",
		"public/words.txt":             words,
		"public/app.js":                words,
		"public/app.js.br":             "as brotli",
		"public/app.js.gz":             "as gzip",
		"public/LICENSE":               "permission is granted",
		"public/photo.png":             words,
		"public/.git/config":           "secret",
		"public/.well-known/dnt":       "policy",
		"public/.well-known/.htaccess": "secret",
		"public/dir/index.html":        "<h1>dir",
		"public/plain/a b&c.txt":       "named oddly",
		"public/plain/x:y/deep.txt":    "deep",
		"public/plain/.hidden":         "secret",
	} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range map[string]string{
		"out": "../secret", "outfile.txt": "../secret/key.dat", "absolute": filepath.Join(dir, "secret"),
		"inside.txt": "words.txt", "plain/out.txt": "../../secret/key.dat",
	} {
		if err := os.Symlink(target, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// ask sends a request; header is "Name: value" lines.
func ask(t *testing.T, s Service, method, target string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	return askHandler(newHandler(s, slog.New(slog.NewTextHandler(t.Output(), nil))), method, target, header...)
}

func askHandler(h http.Handler, method, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/", nil)
	u, err := url.ParseRequestURI(target) // as net/http does
	if err != nil {
		panic(err)
	}
	r.URL = u
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestPaths(t *testing.T) {
	root := newSite(t)
	const none = "404 Not Found\n"
	for target, want := range map[string]struct {
		status int
		body   string
	}{
		"/":                              {200, "<h1>home"},
		"/index.html":                    {200, "<h1>home"},
		"/dir/":                          {200, "<h1>dir"},
		"/inside.txt":                    {200, words},
		"/LICENSE":                       {200, "permission is granted"},
		"/plain/a%20b&c.txt":             {200, "named oddly"},
		"/plain/x:y/deep.txt":            {200, "deep"},
		"/.well-known/dnt":               {200, "policy"},
		"/.well-known/.htaccess":         {404, none},
		"/.well-known/":                  {404, none},
		"/nothing":                       {404, none},
		"/words.txt/":                    {404, none},
		"/words.txt/x":                   {404, none},
		"/plain/":                        {404, none},
		"/.git/config":                   {404, none},
		"/.git/":                         {404, none},
		"/plain/.hidden":                 {404, none},
		"/out/key.dat":                   {404, none},
		"/out":                           {404, none},
		"/outfile.txt":                   {404, none},
		"/absolute/key.dat":              {404, none},
		"/plain/out.txt":                 {404, none},
		"/..%2fsecret/key.dat":           {404, none},
		"/%2e%2e/secret/key.dat":         {404, none},
		"/dir/%2e%2e/words.txt":          {404, none},
		"/dir%2findex.html":              {404, none},
		"/dir%5c..%5cwords.txt":          {404, none},
		"/..%5csecret%5ckey.dat":         {404, none},
		"/words.txt%00":                  {404, none},
		"/words.txt%00.html":             {404, none},
		"/.":                             {404, none},
		"/..":                            {404, none},
		"//":                             {404, none},
		"/%2f":                           {404, none},
		"/dir//index.html":               {404, none},
		"/%252e%252e/secret":             {404, none},
		"/%ff":                           {404, none},
		"/" + strings.Repeat("a/", 3000): {404, none},
		"/" + strings.Repeat("a", 3000):  {404, none},
	} {
		w := ask(t, Service{Root: root}, "GET", target)
		if w.Code != want.status || w.Body.String() != want.body {
			t.Errorf("%.60s: %d %.80q, want %d %.80q", target, w.Code, w.Body, want.status, want.body)
		}
	}
}

func TestRedirects(t *testing.T) {
	root := newSite(t)
	for target, want := range map[string]string{
		"/dir":       "dir/",
		"/dir?a=b":   "dir/?a=b",
		"/plain":     "plain/",
		"/plain/x:y": "./x:y/",
	} {
		w := ask(t, Service{Root: root}, "GET", target)
		if w.Code != http.StatusMovedPermanently || w.Header().Get("Location") != want {
			t.Errorf("%s: %d to %q, want %q", target, w.Code, w.Header().Get("Location"), want)
		}
	}
}

func TestMethods(t *testing.T) {
	root := newSite(t)
	for method, want := range map[string]int{
		"GET": 200, "HEAD": 200, "OPTIONS": 204, "POST": 405, "PUT": 405, "DELETE": 405, "TRACE": 405, "CONNECT": 405,
	} {
		w := ask(t, Service{Root: root}, method, "/words.txt")
		if w.Code != want {
			t.Errorf("%s: %d, want %d", method, w.Code, want)
		}
		if (want >= 204) != (w.Header().Get("Allow") == allowed) {
			t.Errorf("%s: Allow is %q", method, w.Header().Get("Allow"))
		}
		if method == "HEAD" && w.Body.Len() != 0 {
			t.Errorf("HEAD has a body of %d bytes", w.Body.Len())
		}
	}
}

// The headers of every kind of answer, all of them: none tells hosts apart.
func TestHeaders(t *testing.T) {
	root := newSite(t)
	always := "Content-Security-Policy Referrer-Policy X-Content-Type-Options "
	file := always + "Accept-Ranges Cache-Control Content-Length Content-Type Etag "
	for target, want := range map[string]string{
		"/photo.png": file,
		"/words.txt": file + "Vary ",
		"/dir":       always + "Cache-Control Location ",
		"/nothing":   always + "Cache-Control Content-Type ",
	} {
		header := ask(t, Service{Root: root}, "GET", target).Header()
		for name, values := range header {
			if len(values) > 0 && !strings.Contains(want, name+" ") {
				t.Errorf("%s: header %s: %q", target, name, values)
			}
		}
		for name := range strings.FieldsSeq(want) {
			if header.Get(name) == "" {
				t.Errorf("%s: no %s", target, name)
			}
		}
	}
	if csp := ask(t, Service{Root: root, CSP: "none"}, "GET", "/").Header()["Content-Security-Policy"]; csp != nil {
		t.Errorf("policy %q", csp)
	}
}

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
