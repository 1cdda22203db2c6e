package site

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
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
		`public/back\slash.txt`:        "secret",
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
		"/back%5cslash.txt":              {404, none},
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
		"setting max-age":                 {Root: root, MaxAge: 300},
		"setting min-to-gzip is negative": {Root: root, MinToGzip: -1},
		"setting content-security-policy": {Root: root, CSP: "default-src\nself"},
	} {
		if err := s.Serve(context.Background(), nil); err == nil || !strings.Contains(err.Error(), says) || !strings.HasPrefix(err.Error(), "site: ") {
			t.Errorf("%v, want %q", err, says)
		}
	}
}
