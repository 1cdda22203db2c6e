package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/onelease/onelease/internal/admin"
	"github.com/onelease/onelease/internal/ownsocket"
)

// ControlPath is where the backend of a directory listens to its operator.
func ControlPath(dir string) string { return filepath.Join(dir, "control.sock") }

// A Control is a unix socket for operators, which only our user may connect to. What is
// served there is HTTP with JSON. A nil one is none.
type Control struct {
	path string
	ln   net.Listener
}

// OpenControl takes the socket of that path, which is no path if it is empty: then it
// returns nil. The errors are ErrConfig, and those of the file system.
func OpenControl(path string) (*Control, error) {
	if path == "" {
		return nil, nil
	}
	ln, err := ownsocket.Listen(path)
	switch {
	case errors.Is(err, ownsocket.ErrLongPath):
		return nil, fmt.Errorf("%w: control: %w, by --control", ErrConfig, err)
	case errors.Is(err, ownsocket.ErrInUse):
		return nil, fmt.Errorf("another process runs with the control socket %s: end it, or give another directory", path)
	case err != nil:
		return nil, fmt.Errorf("control: %w", err)
	}
	return &Control{path, ln}, nil
}

// Close gives the socket back. After Serve there is no need of it.
func (c *Control) Close() {
	if c != nil {
		c.ln.Close()
		os.Remove(c.path)
	}
}

// Serve serves operators until stop is called, which waits.
func (c *Control) Serve(handler http.Handler, log *slog.Logger) (stop func()) {
	if c == nil {
		return func() {}
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(c.ln); !errors.Is(err, http.ErrServerClosed) {
			log.Error("operators are no longer served", "error", err)
		}
	}()
	return func() {
		server.Close()
		c.Close()
		<-done
	}
}

// operators are served GET /status, POST /reload/NAME, and all that package admin shows.
func (d *Daemon) operators(watcher *admin.Watcher) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) { Answer(w, d.Status(), nil) })
	mux.HandleFunc("POST /reload/{name}", d.set.ServeReload)
	mux.Handle("/", watcher.Handler())
	return mux
}

// A problem is an answer that says why not.
type problem struct {
	Error string `json:"error"`
}

// errUnknownService is no conflict with what runs.
var errUnknownService = errors.New("see onelease backend status")

// Answer answers an operator with v, or with why not.
func Answer(w http.ResponseWriter, v any, err error) {
	code := http.StatusOK
	switch {
	case errors.Is(err, errUnknownService):
		code, v = http.StatusNotFound, problem{err.Error()}
	case err != nil:
		code, v = http.StatusConflict, problem{err.Error()}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v) // who asked may be gone
}

// ServeReload reloads the service that the request's path names, whether or not it has
// changed. Who asks waits until the new one is in place, and may go away meanwhile: the
// reload goes on.
func (set *Set) ServeReload(w http.ResponseWriter, r *http.Request) {
	status, err := set.reload(context.WithoutCancel(r.Context()), r.PathValue("name"))
	Answer(w, status, err)
}

func (set *Set) reload(ctx context.Context, name string) (ServiceStatus, error) {
	for _, u := range set.units {
		if u.Name == name {
			err := u.reload(ctx)
			return u.status(), err
		}
	}
	return ServiceStatus{}, fmt.Errorf("no service %q runs here: %w", name, errUnknownService)
}
