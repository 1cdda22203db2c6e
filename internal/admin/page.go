package admin

import (
	"embed"
	"net/http"
)

// The page has no data: it asks for /status.json. So it is there without the token too,
// to ask for that.
//
//go:embed page
var pageFiles embed.FS

// pages are the files of the page by their paths.
var pages = map[string]string{"/": "page/page.html", "/page.js": "page/page.js", "/charts.js": "page/charts.js", "/page.css": "page/page.css"}

// servePage lets the page load nothing from elsewhere, nor be shown within another.
func servePage(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-cache")
	http.ServeFileFS(w, r, pageFiles, pages[r.URL.Path])
}

// isPage reports whether a request is for a file of the page.
func isPage(r *http.Request) bool {
	_, ok := pages[r.URL.Path]
	return ok
}
