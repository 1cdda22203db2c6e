package admin

import (
	"compress/gzip"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/onelease/onelease/internal/way"
)

// Times of the server. Profiles take as long as they are asked to, so that there is no
// limit for writing, nor for reading, which would end the context of one.
const (
	headerTime = 10 * time.Second
	idleTime   = time.Minute
	maxHeader  = 16 << 10 // bytes
)

// Serve has whoever may watch see source until stop is called, which waits.
func (e *Endpoint) Serve(source Source) (stop func()) {
	if e == nil {
		return func() {}
	}
	w := Watch(source)
	end := e.Show(w)
	return func() {
		end()
		w.Close()
	}
}

// Show is Serve for a Watcher that others show as well.
func (e *Endpoint) Show(w *Watcher) (stop func()) {
	if e == nil {
		return func() {}
	}
	server := &http.Server{
		Handler: e.guard(w.Handler()), ReadHeaderTimeout: headerTime, IdleTimeout: idleTime,
		MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(e.log.Handler(), slog.LevelDebug),
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(e.ln); !errors.Is(err, http.ErrServerClosed) {
			e.log.Error("nobody can watch any more", "admin", e.Addr(), "error", err)
		}
	}()
	e.log.Info("it can be watched", "admin", e.Addr())
	return func() {
		server.Close()
		e.Close()
		<-done
	}
}

// guard lets in who has the token, if there is one. Without, on the loopback, it is every
// program of this machine, but no web page in a browser here that has a name of its own
// lead to us: what a page asks for then has that name.
func (e *Endpoint) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case len(e.token) > 0 && !isPage(r) && !e.authorized(r):
			w.Header().Set("WWW-Authenticate", `Bearer realm="onelease"`)
			http.Error(w, "the token is wanted, as in: Authorization: Bearer TOKEN", http.StatusUnauthorized)
		case len(e.token) == 0 && e.path == "" && !localHost(r.Host):
			http.Error(w, "ask for it by an address of the loopback", http.StatusForbidden)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func (e *Endpoint) authorized(r *http.Request) bool {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return ok && subtle.ConstantTimeCompare(digest(token), e.token) == 1
}

func digest(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// localHost reports whether a request's Host, with a port or without, is the loopback.
func localHost(host string) bool {
	if _, _, err := net.SplitHostPort(host); err != nil {
		host = net.JoinHostPort(strings.Trim(host, "[]"), "80")
	}
	return way.Loopback(host)
}

// Handler serves what there is to see, to whoever can reach it.
func (o *Watcher) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(o.registry(), promhttp.HandlerOpts{MaxRequestsInFlight: 4, ErrorHandling: promhttp.HTTPErrorOnError}))
	mux.HandleFunc("GET /livez", o.serveLive)
	mux.HandleFunc("GET /readyz", o.serveReady)
	mux.HandleFunc("GET /status.json", o.serveStatus)
	mux.HandleFunc("GET /history.json", o.serveHistory)
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("GET /{$}", servePage)
	for path := range pages {
		if path != "/" {
			mux.HandleFunc("GET "+path, servePage)
		}
	}
	return mux
}

func plain(w http.ResponseWriter, code int, text string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	w.Write([]byte(text))
}

func (o *Watcher) serveStatus(w http.ResponseWriter, r *http.Request) {
	s, err := o.look(r.Context())
	if err != nil {
		plain(w, http.StatusServiceUnavailable, err.Error()+"\n")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	_ = encoder.Encode(s.Report()) // who asked has gone
}

func (o *Watcher) serveHistory(w http.ResponseWriter, r *http.Request) {
	s, err := o.look(r.Context())
	if err != nil {
		plain(w, http.StatusServiceUnavailable, err.Error()+"\n")
		return
	}
	o.mu.Lock()
	h, ok := o.history.past(s, r.FormValue("span"), time.Now())
	o.mu.Unlock()
	if !ok {
		plain(w, http.StatusBadRequest, "no such span: want /history.json?span=hour or ?span=day\n")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Vary", "Accept-Encoding")
	if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		_ = json.NewEncoder(w).Encode(h) // who asked has gone
		return
	}
	w.Header().Set("Content-Encoding", "gzip") // to a tenth
	packed := gzip.NewWriter(w)
	_ = json.NewEncoder(packed).Encode(h)
	_ = packed.Close()
}

func (o *Watcher) serveReady(w http.ResponseWriter, r *http.Request) {
	s, err := o.look(r.Context())
	if err != nil {
		plain(w, http.StatusServiceUnavailable, Check{Name: "process", Text: err.Error()}.Line(time.Now())+"\n")
		return
	}
	code := http.StatusOK
	if !s.Ready() {
		code = http.StatusServiceUnavailable
	}
	var b strings.Builder
	for _, c := range s.Checks {
		b.WriteString(c.Line(s.at) + "\n")
	}
	plain(w, code, b.String())
}

// serveLive looks, since a process whose locks are stuck answers and is dead.
func (o *Watcher) serveLive(w http.ResponseWriter, r *http.Request) {
	code, c := http.StatusOK, Check{Name: "process", OK: true, Text: "it answers"}
	if _, err := o.look(r.Context()); err != nil && !errors.Is(err, context.Canceled) {
		code, c = http.StatusServiceUnavailable, Check{Name: "process", Text: err.Error()}
	}
	plain(w, code, c.Line(time.Now())+"\n")
}
