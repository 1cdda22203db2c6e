package proxy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"sync/atomic"
	"time"

	"github.com/onelease/onelease/backend"
)

// A handler passes HTTP requests on.
type handler struct {
	*proxy
	transport *http.Transport
	reverse   *httputil.ReverseProxy
}

func (p *proxy) handler() *handler {
	h := &handler{proxy: p}
	// A fresh Transport: the default one would ask a proxy of the environment.
	h.transport = &http.Transport{
		DialContext:            func(ctx context.Context, _, _ string) (net.Conn, error) { return p.target.dial(ctx) },
		DisableCompression:     true, // what the browser accepts is passed on as it is
		MaxIdleConnsPerHost:    32,
		IdleConnTimeout:        time.Minute,
		ResponseHeaderTimeout:  time.Duration(p.ResponseTimeout),
		MaxResponseHeaderBytes: 256 << 10,
	}
	h.reverse = &httputil.ReverseProxy{
		Rewrite:        h.rewrite,
		ModifyResponse: h.modify,
		ErrorHandler:   h.failed,
		Transport:      h.transport,
		ErrorLog:       slog.NewLogLogger(p.health.log.Handler(), slog.LevelDebug),
	}
	return h
}

func (h *handler) close() { h.transport.CloseIdleConnections() }

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w = cleaned{w}
	if r.Method == http.MethodConnect {
		say(w, http.StatusMethodNotAllowed) // a target that is a proxy must not become an open one
		return
	}
	if h.RejectInproxy && fromInproxy(r.Header) {
		say(w, http.StatusForbidden)
		return
	}
	if r.ContentLength > int64(h.MaxBody) {
		say(w, http.StatusRequestEntityTooLarge)
		return
	}
	leave, ok := h.turns.take(backend.RemoteOf(r.Context()))
	if !ok {
		say(w, http.StatusTooManyRequests)
		return
	}
	defer leave()
	body := &body{ReadCloser: http.MaxBytesReader(w, r.Body, int64(h.MaxBody))}
	r = r.WithContext(context.WithValue(r.Context(), bodyKey{}, body))
	r.Body = body
	h.reverse.ServeHTTP(w, r)
}

// A body remembers that it could not be read: that is not the target's fault.
type body struct {
	io.ReadCloser
	failed atomic.Bool
}

type bodyKey struct{}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		b.failed.Store(true)
	}
	return n, err
}

// rewrite makes of a request what the target gets. ReverseProxy has taken out by now
// what the visitor's Connection header names, so that cannot take out what is added.
func (h *handler) rewrite(r *httputil.ProxyRequest) {
	r.Out.URL.Scheme, r.Out.URL.Host = "http", "target" // dial knows where that is
	r.Out.URL.RawQuery = r.In.URL.RawQuery              // ReverseProxy drops what it cannot parse
	r.Out.Host = cmp.Or(h.SpoofHost, r.In.Host)
	stripRequest(r.Out.Header)
	introduce(r.Out.Header, backend.RemoteOf(r.In.Context()))
}

// modify makes of the target's response what the visitor gets.
func (h *handler) modify(response *http.Response) error {
	h.health.works()
	for _, name := range []string{"Location", "Content-Location"} {
		if place := response.Header.Get(name); place != "" {
			response.Header.Set(name, h.relative(place))
		}
	}
	expire(response.Header, time.Now())
	stripResponse(response.Header)
	return nil
}

// failed answers when there is no response.
func (h *handler) failed(w http.ResponseWriter, r *http.Request, err error) {
	var (
		tooLarge *http.MaxBytesError
		op       *net.OpError
		timeout  net.Error
	)
	sent, _ := r.Context().Value(bodyKey{}).(*body)
	switch {
	case errors.As(err, &tooLarge):
		say(w, http.StatusRequestEntityTooLarge)
		return
	case r.Context().Err() != nil, sent != nil && sent.failed.Load():
		say(w, http.StatusBadRequest) // the visitor has gone, or was too slow
		return
	}
	h.health.fails(err)
	switch {
	case errors.As(err, &op) && op.Op == "dial":
		say(w, http.StatusServiceUnavailable)
	case errors.As(err, &timeout) && timeout.Timeout():
		say(w, http.StatusGatewayTimeout)
	default:
		say(w, http.StatusBadGateway)
	}
}

// explained are the statuses that the proxy itself answers with.
var explained = map[int]string{
	http.StatusBadRequest:            "The request did not arrive whole.",
	http.StatusForbidden:             "This site is for I2P only: it is not served to proxies from the web.",
	http.StatusMethodNotAllowed:      "This method is not served.",
	http.StatusRequestEntityTooLarge: "That is more than this site takes in one request.",
	http.StatusTooManyRequests:       "You have many requests under way. Please wait until some have ended.",
	http.StatusBadGateway:            "The site has a fault. Please try again later.",
	http.StatusServiceUnavailable:    "The site is not running. Please try again later.",
	http.StatusGatewayTimeout:        "The site takes too long to answer. Please try again later.",
}

// say answers with a page that names no host, path or address.
func say(w http.ResponseWriter, status int) {
	clear(w.Header())
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "30")
	}
	w.WriteHeader(status)
	fmt.Fprintf(w, "<!doctype html><meta name=color-scheme content=\"light dark\"><title>%d %s</title>\n<h1>%[1]d %[2]s</h1>\n<p>%s\n",
		status, http.StatusText(status), explained[status])
}

var _ http.Handler = (*handler)(nil)
