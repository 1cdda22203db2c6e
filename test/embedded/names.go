package embedded

import (
	"fmt"
	"html"
	"net/http"
	"time"
)

// addSite puts a remote with a small site behind a host name. It answers on every
// port: programs that dial a host name often give none.
func (n *Network) addSite(host string) {
	remote := n.Remote()
	n.SetName(host, remote.Destination().Hash())
	listener, err := remote.Stack().Listen(0)
	if err != nil {
		panic(fmt.Sprintf("embedded: %v", err)) // nobody else has that port
	}
	site := &http.Server{Handler: page(host), ReadHeaderTimeout: time.Minute, ErrorLog: n.quiet}
	n.sites.Go(func() { site.Serve(listener) }) // until the remote is closed
}

// page is what a site shows.
func page(host string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, "<!DOCTYPE html>\n<html><title>%[1]s</title><p>This is %[1]s, on an embedded network. You asked for %[2]s.</html>\n",
			host, html.EscapeString(r.URL.Path))
	})
}

// Close ends the network and all that is on it.
func (n *Network) Close() {
	n.Network.Close()
	n.sites.Wait()
}
