package site

import (
	"compress/gzip"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/onelease/onelease/backend"
)

// maxToGzip is the size in bytes up to which text is compressed. A response that is
// compressed has no ranges, and a long download may have to be taken up again.
const maxToGzip = 10 << 20

// encodings are how a file may be there in a compressed form beside it, the best
// first.
var encodings = []struct{ suffix, name string }{{".br", "br"}, {".gz", "gzip"}}

// serveFile answers with a file, in the best form that the browser takes.
func (h *handler) serveFile(w http.ResponseWriter, r *http.Request, root *os.Root, name string) {
	kind := typeOf(name, "")
	w.Header().Set("Cache-Control", h.cacheControl())
	if kind != "" {
		w.Header().Set("Content-Type", kind)
	}
	if compressible(kind) {
		w.Header().Set("Vary", "Accept-Encoding")
		for _, e := range encodings {
			if accepts(r, e.name) && isFile(root, name+e.suffix) {
				h.send(w, r, root, name+e.suffix, e.name, "")
				return
			}
		}
	}
	h.send(w, r, root, name, "", kind)
}

// send answers with the content of a file, which has an encoding, or is of a kind
// that may be given one.
func (h *handler) send(w http.ResponseWriter, r *http.Request, root *os.Root, name, encoding, kind string) {
	f, err := root.Open(name)
	if err != nil {
		h.failed(w, r, root, name, err)
		return
	}
	defer f.Close()
	info, err := f.Stat()
	var tag string
	if err == nil {
		tag, err = h.tags.of(name, f, info)
	}
	if err != nil {
		h.failed(w, r, root, name, err)
		return
	}
	if compressible(kind) && h.worthGzip(r, info.Size()) {
		sendGzip(w, r, f, tag)
		return
	}
	if encoding != "" {
		w.Header().Set("Content-Encoding", encoding)
		w.Header().Set("Content-Length", strconv.FormatInt(info.Size(), 10)) // ServeContent would not
	}
	w.Header().Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, "", time.Time{}, f)
}

// worthGzip reports whether text of that size is to be compressed for r.
func (h *handler) worthGzip(r *http.Request, size int64) bool {
	return !h.NoGzip && backend.Size(size) >= h.MinToGzip && size <= maxToGzip &&
		r.Header.Get("Range") == "" && accepts(r, "gzip")
}

var compressors = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

// sendGzip answers with f compressed. Its ETag is a weak one: another version of the
// compressor would make other bytes of the same content.
func sendGzip(w http.ResponseWriter, r *http.Request, f io.Reader, tag string) {
	w.Header().Set("ETag", `W/"`+tag+`-gzip"`)
	if match := r.Header.Get("If-None-Match"); strings.Contains(match, tag) || match == "*" {
		w.Header().Del("Content-Type")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Encoding", "gzip")
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return
	}
	z := compressors.Get().(*gzip.Writer)
	defer compressors.Put(z)
	z.Reset(w)
	if _, err := io.Copy(z, f); err != nil {
		panic(http.ErrAbortHandler) // the browser must not take what it has for the whole
	}
	_ = z.Close()
}

// accepts reports whether r's Accept-Encoding names an encoding, and not with q=0.
// A "*" is not taken up: what sends that does not say what it can read.
func accepts(r *http.Request, encoding string) bool {
	for part := range strings.SplitSeq(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		name, parameter, _ := strings.Cut(part, ";")
		if !strings.EqualFold(strings.TrimSpace(name), encoding) {
			continue
		}
		q, isQ := strings.CutPrefix(strings.TrimSpace(parameter), "q=")
		weight, err := strconv.ParseFloat(strings.TrimSpace(q), 64)
		return !isQ || err == nil && weight > 0
	}
	return false
}
