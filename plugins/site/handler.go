package site

import (
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path"
	"strconv"
	"strings"
	"time"
)

// A handler answers requests for the files of a Service.
type handler struct {
	Service
	log  *slog.Logger
	tags tags
}

// newHandler takes a Service that has been checked.
func newHandler(s Service, log *slog.Logger) *handler {
	s.SetDefaults()
	return &handler{Service: s, log: log, tags: tags{known: make(map[string]*tag)}}
}

const allowed = "GET, HEAD, OPTIONS"

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header["Date"] = nil // also where it is not backend.HTTP that serves
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	if h.CSP != noCSP {
		header.Set("Content-Security-Policy", h.CSP)
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		h.serve(w, r)
	case http.MethodOptions:
		header.Set("Allow", allowed)
		w.WriteHeader(http.StatusNoContent)
	default:
		header.Set("Allow", allowed)
		say(w, http.StatusMethodNotAllowed)
	}
}

// say answers with a status and its name.
func say(w http.ResponseWriter, status int) {
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, strconv.Itoa(status)+" "+http.StatusText(status), status)
}

func (h *handler) serve(w http.ResponseWriter, r *http.Request) {
	root, err := os.OpenRoot(h.Root)
	if err != nil {
		h.log.Error("the directory of the site cannot be opened: put it back, or set root to another", "root", h.Root, "error", err)
		say(w, http.StatusServiceUnavailable)
		return
	}
	defer root.Close()
	name, ok := h.fileName(r.URL)
	if !ok {
		h.notFound(w, r, root)
		return
	}
	info, err := root.Stat(name)
	wantsDir := strings.HasSuffix(r.URL.Path, "/")
	switch {
	case err != nil:
		h.notFound(w, r, root)
	case info.IsDir() && !wantsDir:
		redirect(w, r)
	case info.IsDir():
		h.serveDir(w, r, root, name)
	case wantsDir || !info.Mode().IsRegular():
		h.notFound(w, r, root)
	default:
		h.serveFile(w, r, root, name)
	}
}

// fileName is the name in Root that a URL stands for, unless it is none that may
// be served.
func (h *handler) fileName(u *url.URL) (string, bool) {
	// A slash that is written as %2F separates for some programs and not for
	// others; NUL and the backslash have meanings of their own. No site needs them.
	encoded := strings.ToLower(u.EscapedPath())
	if strings.Contains(encoded, "%2f") || strings.ContainsAny(u.Path, "\x00\\") {
		return "", false
	}
	name := strings.TrimSuffix(strings.TrimPrefix(u.Path, "/"), "/")
	if name == "" && u.Path == "/" {
		return ".", true
	}
	if !strings.HasPrefix(u.Path, "/") || !fs.ValidPath(name) || name == "." {
		return "", false // as with "..", or two slashes
	}
	return name, h.Hidden || !hidden(name)
}

// hidden reports whether name or one of its directories begins with a dot. What is
// in .well-known is meant to be found (RFC 8615).
func hidden(name string) bool {
	rest, _ := strings.CutPrefix(name, ".well-known/")
	for part := range strings.SplitSeq(rest, "/") {
		if strings.HasPrefix(part, ".") {
			return true
		}
	}
	return false
}

// redirect sends a request for "/dir" to "/dir/", by a relative Location: who knows
// by what name the site was asked.
func redirect(w http.ResponseWriter, r *http.Request) {
	target := url.URL{Path: path.Base(r.URL.Path) + "/", RawQuery: r.URL.RawQuery}
	w.Header().Set("Location", target.String())
	w.Header().Set("Cache-Control", "no-cache")
	w.WriteHeader(http.StatusMovedPermanently)
}

func (h *handler) serveDir(w http.ResponseWriter, r *http.Request, root *os.Root, dir string) {
	for _, index := range h.Index {
		if name := path.Join(dir, index); isFile(root, name) {
			h.serveFile(w, r, root, name)
			return
		}
	}
	if !h.List {
		h.notFound(w, r, root)
		return
	}
	if err := h.list(w, r, root, dir); err != nil {
		h.failed(w, r, root, dir, err)
	}
}

// isFile reports whether name is a regular file, or a link to one: others, such as
// a named pipe, could block for ever.
func isFile(root *os.Root, name string) bool {
	info, err := root.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

// notFound answers with the page for that, if there is one.
func (h *handler) notFound(w http.ResponseWriter, r *http.Request, root *os.Root) {
	if !isFile(root, h.NotFound) {
		say(w, http.StatusNotFound)
		return
	}
	page, err := root.Open(h.NotFound)
	if err != nil {
		say(w, http.StatusNotFound)
		return
	}
	defer page.Close()
	w.Header().Set("Content-Type", typeOf(h.NotFound, "text/html; charset=utf-8"))
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNotFound)
	if r.Method != http.MethodHead {
		_, _ = io.Copy(w, page)
	}
}

// failed answers when a file that is there could not be read.
func (h *handler) failed(w http.ResponseWriter, r *http.Request, root *os.Root, name string, err error) {
	if errors.Is(err, fs.ErrNotExist) {
		h.notFound(w, r, root)
		return
	}
	h.log.Error("a file of the site cannot be read: see that the user that runs this may read it", "file", name, "error", err)
	say(w, http.StatusInternalServerError)
}

// cacheControl is for what may be kept for MaxAge.
func (h *handler) cacheControl() string {
	return "max-age=" + strconv.FormatInt(int64(time.Duration(h.MaxAge)/time.Second), 10)
}
