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
)

// maxSocket is the longest path of a unix socket, in bytes (unix(7)).
const maxSocket = 107

// ControlPath is where the backend of a directory listens to its operator.
func ControlPath(dir string) string { return filepath.Join(dir, "control.sock") }

// operators are served HTTP with JSON on a unix socket that only our user may connect
// to. There is no more to it than GET /status and POST /reload/NAME.
type operators struct {
	path   string
	server *http.Server
	done   chan struct{}
}

// answerOperators serves operators until close, if there is a socket for them.
func (d *Daemon) answerOperators() *operators {
	o := &operators{path: d.cfg.Control, done: make(chan struct{})}
	if d.control == nil {
		close(o.done)
		return o
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, d.Status()) })
	mux.HandleFunc("POST /reload/{name}", d.reloadFor)
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

// listenPrivately listens on a socket of mode 0600: it is made in a directory that nobody
// else may enter, and moved from there. One that a crash has left is replaced.
func listenPrivately(path string) (net.Listener, error) {
	if len(path) > maxSocket {
		return nil, fmt.Errorf("%w: control socket %s: over %d bytes, give a shorter --control", ErrConfig, path, maxSocket)
	}
	if conn, err := net.Dial("unix", path); err == nil {
		conn.Close()
		return nil, fmt.Errorf("another backend runs with the control socket %s: end it, or join with another directory", path)
	}
	// The name is short, since its path must not be too long either.
	private, err := os.MkdirTemp(filepath.Dir(path), ".c")
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	defer os.RemoveAll(private)
	staged := filepath.Join(private, "s")
	ln, err := net.Listen("unix", staged)
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	ln.(*net.UnixListener).SetUnlinkOnClose(false) // it has moved by then
	if err := errors.Join(os.Chmod(staged, 0o600), os.Rename(staged, path)); err != nil {
		return nil, errors.Join(fmt.Errorf("control socket: %w", err), ln.Close())
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
