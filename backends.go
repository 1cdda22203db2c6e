package onelease

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"sync"
	"time"

	"github.com/onelease/onelease/backend"
)

// A Backend is one of several that serve the Destination side by side: each new
// visitor goes to one of them, and if that is lost only its own streams are. In one
// process that shows what happens, and protects from nothing.
type Backend struct {
	// Name, Weight and Standby are those of backend.Config.
	Name    string
	Weight  int
	Standby bool
	// Service runs on it.
	Service backend.Service
}

// errRemoteBackend says that a backend of a Cluster needs a certificate of its own.
var errRemoteBackend = fmt.Errorf("%w: one more backend in the Node of a Cluster: invite it, and Start another Node with its directory", ErrConfig)

// A worker is a backend that runs. Its lines are what kill cuts.
type worker struct {
	host   *backend.Host
	ctx    context.Context
	stop   context.CancelCauseFunc
	served chan struct{} // closed when its service has ended

	mu     sync.Mutex
	killed bool
	lines  map[string]net.Conn // the last to each frontend
}

// startBackends makes what all backends have in common, and starts those of cfg.
func (n *Node) startBackends(ctx context.Context, cfg Config) error {
	n.workers = map[string]*worker{}
	n.common = backend.Config{Logger: cfg.Logger}
	if cfg.Keys != nil {
		n.common.Destination = cfg.Keys.Destination
	}
	if err := n.leadership.backend(ctx, &n.common); err != nil {
		return fmt.Errorf("backend: %w", err)
	}
	for _, r := range cfg.Routers {
		if r.Member || r.Refuge {
			n.common.Frontends = append(n.common.Frontends, backend.Frontend{Name: r.Name, Dial: n.frontends[r.Name].DialSAM})
		}
	}
	backends := cfg.Backends
	if cfg.Service != nil {
		backends = []Backend{{Name: n.common.Name, Service: cfg.Service}}
	}
	var workers []*worker
	for _, b := range backends {
		w, err := n.startBackend(b)
		if err != nil {
			return err
		}
		workers = append(workers, w)
	}
	go func() {
		defer close(n.served)
		for _, w := range workers {
			<-w.served
		}
	}()
	return nil
}

// startBackend starts one, and has its service run until it is killed or the Node
// is closed.
func (n *Node) startBackend(b Backend) (*worker, error) {
	old := n.worker(b.Name)
	if old != nil && old.isKilled() {
		<-old.served
	}
	w := &worker{served: make(chan struct{}), lines: map[string]net.Conn{}}
	w.ctx, w.stop = context.WithCancelCause(context.Background())
	var err error
	if w.host, err = backend.NewHost(w.config(n.common, b)); err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.workers[b.Name] != old || old != nil && !old.isKilled() {
		return nil, fmt.Errorf("%w: a backend of the name %q runs", ErrConfig, b.Name)
	}
	n.workers[b.Name] = w
	if n.host == nil {
		n.host = w.host
	}
	go func() {
		defer close(w.served)
		n.note("backend", backend.Run(w.ctx, w.host, b.Service))
	}()
	return w, nil
}

// config is that of b, whose connections w can cut.
func (w *worker) config(common backend.Config, b Backend) backend.Config {
	cfg := common
	cfg.Name, cfg.Weight, cfg.Standby = b.Name, b.Weight, b.Standby
	cfg.Frontends = nil
	for _, f := range common.Frontends {
		dial, name := f.Dial, cmp.Or(f.Name, f.Addr)
		f.Dial = func(ctx context.Context) (net.Conn, error) { return w.dial(ctx, name, dial) }
		cfg.Frontends = append(cfg.Frontends, f)
	}
	return cfg
}

// AddBackend starts one more backend, beside Config.Backends or one that was killed.
// Not with a Cluster.
func (n *Node) AddBackend(b Backend) error {
	if _, elsewhere := n.leadership.(*remote); elsewhere {
		return errRemoteBackend
	}
	if b.Name == "" || b.Service == nil {
		return fmt.Errorf("%w: a Backend without a Name or a Service", ErrConfig)
	}
	_, err := n.startBackend(b)
	return err
}

// Backend is the host of one of Config.Backends or AddBackend, to ask for its Stats
// or to Drain it; nil if there is none of that name.
func (n *Node) Backend(name string) *backend.Host {
	if w := n.worker(name); w != nil {
		return w.host
	}
	return nil
}

func (n *Node) worker(name string) *worker {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.workers[name]
}

// KillBackend ends one as kill -9 would: its connections are cut before it can say
// anything. It does not wait for its service, and does nothing if there is none.
func (n *Node) KillBackend(name string) {
	if w := n.worker(name); w != nil {
		w.kill()
		w.stop(nil)
	}
}

func (w *worker) dial(ctx context.Context, frontend string, dial func(context.Context) (net.Conn, error)) (net.Conn, error) {
	conn, err := dial(ctx)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.killed {
		conn.Close()
		return nil, errKilled
	}
	w.lines[frontend] = conn
	return conn, nil
}

var errKilled = errors.New("the backend was killed")

func (w *worker) kill() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.killed = true
	for _, conn := range w.lines {
		conn.Close()
	}
}

func (w *worker) isKilled() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.killed
}

// ErrPatience says that the service went on after it was told to end. What it had
// open is cut; it is left running.
var ErrPatience = errors.New("it still ran when Config.Patience was over")

// parting is what is left of the patience when services must have ended.
const parting = 15 * time.Second

// ending tells services how long they may take if Config.Patience was set to more than the
// default, which is for who is not told.
func (n *Node) ending() error {
	if n.patience <= patience {
		return nil
	}
	return &backend.Ending{Limit: n.patience - parting}
}

// endBackends tells all services to end, and waits for as long as they may take.
func (n *Node) endBackends() {
	n.mu.Lock()
	workers := maps.Clone(n.workers)
	n.mu.Unlock()
	for _, w := range workers {
		w.stop(n.ending())
	}
	timer := time.NewTimer(n.patience)
	defer timer.Stop()
	for _, w := range workers {
		select {
		case <-w.served:
		case <-timer.C:
			n.note("service", ErrPatience)
			return
		}
	}
}
