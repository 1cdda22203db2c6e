// Package simproxy is an HTTP proxy into the embedded network, as a router has one
// into the real one: programs that only know HTTP can ask a Destination there.
//
//	server := &http.Server{Handler: simproxy.New(network.Remote().DialContext)}
package simproxy

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"strings"
)

// New makes the proxy of a way to connect. Each request has a stream of its own.
func New(dial func(ctx context.Context, network, address string) (net.Conn, error)) http.Handler {
	forward := &httputil.ReverseProxy{
		Rewrite:   func(*httputil.ProxyRequest) {}, // the URL of a request to a proxy is whole
		Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true},
		ErrorLog:  log.New(io.Discard, "", 0),
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, fmt.Sprintf("not reached: %v", err), http.StatusBadGateway)
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodConnect:
			http.Error(w, "this proxy is for http:// only", http.StatusMethodNotAllowed)
		case r.URL.Scheme != "http" || !strings.HasSuffix(r.URL.Hostname(), ".i2p"):
			http.Error(w, "this is a proxy: ask it for http://<address>.b32.i2p/, as with curl -x", http.StatusBadRequest)
		default:
			forward.ServeHTTP(w, r)
		}
	})
}
