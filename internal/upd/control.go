package upd

import (
	"context"
	"net/http"
	"net/url"

	"github.com/onelease/onelease/internal/admin"
	"github.com/onelease/onelease/internal/daemon"
)

// operators are served what those of a backend are, and POST /drain/NAME and /undrain/NAME.
func (s *Site) operators(watcher *admin.Watcher) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) { daemon.Answer(w, s.Status().Backend, nil) })
	mux.HandleFunc("GET /site", func(w http.ResponseWriter, _ *http.Request) { daemon.Answer(w, s.Status(), nil) })
	mux.HandleFunc("POST /reload/{name}", s.set.ServeReload)
	mux.HandleFunc("POST /drain/{name}", s.drain(true))
	mux.HandleFunc("POST /undrain/{name}", s.drain(false))
	mux.Handle("/", watcher.Handler())
	return mux
}

func (s *Site) drain(on bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := s.node.Drain(r.PathValue("name"), on)
		daemon.Answer(w, s.Status(), err)
	}
}

// Drain has the site with that control socket take a router out of service, or with off put
// it back, and returns how the site is then.
func Drain(ctx context.Context, control, router string, off bool) (Status, error) {
	var s Status
	path := "/drain/"
	if off {
		path = "/undrain/"
	}
	return s, daemon.Command(ctx, control, http.MethodPost, path+url.PathEscape(router), &s)
}

// Ask returns how the site with that control socket is.
func Ask(ctx context.Context, control string) (Status, error) {
	var s Status
	return s, daemon.Command(ctx, control, http.MethodGet, "/site", &s)
}
