package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/onelease/onelease/internal/admin"
)

// ControlPath is where the backend of a directory listens to its operator.
func ControlPath(dir string) string { return filepath.Join(dir, "control.sock") }

// operators are served HTTP with JSON on a unix socket that only our user may connect
// to: GET /status, POST /reload/NAME, and all that package admin shows.
type operators struct {
	path   string
	server *http.Server
	done   chan struct{}
}

// answerOperators serves operators until close, if there is a socket for them.
func (d *Daemon) answerOperators(watcher *admin.Watcher) *operators {
	o := &operators{path: d.cfg.Control, done: make(chan struct{})}
	if d.control == nil {
		close(o.done)
		return o
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, d.Status()) })
	mux.HandleFunc("POST /reload/{name}", d.reloadFor)
	mux.Handle("/", watcher.Handler())
	o.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		defer close(o.done)
		if err := o.server.Serve(d.control); !errors.Is(err, http.ErrServerClosed) {
			d.log.Error("operators are no longer served", "error", err)
		}
	}()
	return o
}

func (o *operators) close() {
	if o.server != nil {
		o.server.Close()
		os.Remove(o.path)
	}
	<-o.done
}

// listenForOperators takes the socket for them.
func listenForOperators(path string) (net.Listener, error) {
	ln, err := admin.ListenUnix(path)
	switch {
	case errors.Is(err, admin.ErrLongPath):
		return nil, fmt.Errorf("%w: control: %w, by --control", ErrConfig, err)
	case errors.Is(err, admin.ErrInUse):
		return nil, fmt.Errorf("another backend runs with the control socket %s: end it, or join with another directory", path)
	case err != nil:
		return nil, fmt.Errorf("control: %w", err)
	}
	return ln, nil
}

// A problem is an answer that says why not.
type problem struct {
	Error string `json:"error"`
}

func answer(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v) // who asked may be gone
}

// reloadFor reloads a service, whether or not it has changed. Who asks waits until the new
// one is in place, and may go away meanwhile: the reload goes on.
func (d *Daemon) reloadFor(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	for _, u := range d.units {
		if u.Name != name {
			continue
		}
		if err := u.reload(context.WithoutCancel(r.Context())); err != nil {
			answer(w, http.StatusConflict, problem{err.Error()})
			return
		}
		answer(w, http.StatusOK, u.status())
		return
	}
	answer(w, http.StatusNotFound, problem{fmt.Sprintf("no service %q runs here: see onelease backend status", name)})
}
