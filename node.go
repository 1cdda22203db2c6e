package onelease

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/balancer"
	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/raftstate/ledger"
)

// A Node is all parts of one Destination in one process.
type Node struct {
	leadership leadership
	frontends  map[string]*running
	common     backend.Config // of all backends
	log        *slog.Logger
	patience   time.Duration

	served chan struct{} // closed when the service has ended, or those of all Config.Backends
	once   sync.Once

	mu      sync.Mutex
	host    *backend.Host // the first
	workers map[string]*worker
	failed  error
	done    chan struct{} // closed when failed is set
}

// A part is goroutines that end together.
type part struct {
	ctx  context.Context
	stop context.CancelFunc
	sync.WaitGroup
}

func (p *part) init() { p.ctx, p.stop = context.WithCancel(context.Background()) }

// end tells the part to end, and waits until it has.
func (p *part) end() {
	p.stop()
	p.Wait()
}

// A running frontend can be killed by itself.
type running struct {
	*frontend.Frontend
	part
}

// patience is Config.Patience if that is 0.
const patience = 45 * time.Second

// startTime is how long frontends have to get a certificate from balancers in
// this process.
const startTime = 30 * time.Second

// Start starts all parts. It returns when they run; routers may still be out
// of reach, and are tried until they answer.
func Start(cfg Config) (*Node, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	cfg.Logger = cmp.Or(cfg.Logger, slog.Default())
	n := &Node{
		frontends: map[string]*running{}, log: cfg.Logger, patience: cmp.Or(cfg.Patience, patience),
		served: make(chan struct{}), done: make(chan struct{}),
	}
	if err := n.lead(&cfg); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	for _, step := range []func(context.Context, Config) error{n.startFrontends, n.startBackends} {
		if err := step(ctx, cfg); err != nil {
			return nil, errors.Join(err, n.Close())
		}
	}
	return n, nil
}

// lead completes cfg with what can be left out of it, and starts the balancer.
func (n *Node) lead(cfg *Config) (err error) {
	n.leadership, err = newLeadership(n, cfg)
	if err == nil && cfg.Keys != nil {
		n.log.Info("the Destination is", "b32", cfg.Keys.Destination.Base32())
	}
	return err
}

func (n *Node) startFrontends(ctx context.Context, cfg Config) error {
	for _, r := range cfg.Routers {
		config := r.frontend()
		config.Dir, config.Logger = r.Dir, cfg.Logger
		err := n.leadership.frontend(ctx, r.Name, &config)
		var f *frontend.Frontend
		if err == nil {
			f, err = frontend.New(config)
		}
		if err != nil {
			return fmt.Errorf("router %s: %w", r.Name, err)
		}
		n.run(r.Name, f)
	}
	return nil
}

// frontend is what r says of its frontend.
func (r *Router) frontend() frontend.Config {
	return frontend.Config{
		Name:        r.Name,
		Member:      r.Member,
		Publisher:   r.Publisher,
		Refuge:      r.Refuge,
		Router:      frontend.RouterConfig{Addr: r.Addr, Dial: r.Dial, TLS: r.TLS, User: r.User, Password: r.Password},
		DontPublish: r.DontPublish,
	}
}

// run runs f until it is killed or the Node is closed.
func (n *Node) run(name string, f *frontend.Frontend) {
	r := &running{Frontend: f}
	r.init()
	n.frontends[name] = r
	r.Go(func() { n.note("frontend "+name, f.Run(r.ctx)) })
}

// note keeps the first error of a part that ended by itself.
func (n *Node) note(part string, err error) {
	if err == nil || errors.Is(err, context.Canceled) {
		return
	}
	n.log.Error("part ended", "what", part, "error", err)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.failed == nil {
		n.failed = fmt.Errorf("%s: %w", part, err)
		close(n.done)
	}
}

// Done is closed when a part, such as the service, ended with an error. The
// others go on: it is time to Close the Node, which returns that error.
func (n *Node) Done() <-chan struct{} { return n.done }

// Balancer is the one that leads. It is nil while none in this process does: for
// a moment with several, always with those of Config.Cluster.
func (n *Node) Balancer() *balancer.Balancer { return n.leadership.leader() }

// Host is the backend's host, to ask for its Stats; the first of Config.Backends.
func (n *Node) Host() *backend.Host { return n.host }

// Frontend is the frontend of a router, nil if there is none of that name.
func (n *Node) Frontend(name string) *frontend.Frontend {
	if r := n.frontends[name]; r != nil {
		return r.Frontend
	}
	return nil
}

// Drain takes a router out of service before maintenance, or puts it back:
// newcomers go to the others from now on, and what it serves goes on until
// Policy.DrainLimit has passed. The router must be a member and not the last
// one; the error says if it is not, or which ones there are.
func (n *Node) Drain(name string, on bool) error {
	b := n.Balancer()
	if b == nil {
		return fmt.Errorf("drain %s: %w: ask the cluster, with \"onelease cluster drain\"", name, ledger.ErrNotLeader)
	}
	return b.Drain(name, on)
}

// KillFrontend ends one frontend for good and waits until it has ended: its
// router loses the session, and its remotes go to the others.
func (n *Node) KillFrontend(name string) {
	if r := n.frontends[name]; r != nil {
		r.end()
	}
}

// Close ends all parts and returns the first error that ended one of them
// before. The backend goes first, so that what it still sends has a way out: the
// service's context ends, and it has Config.Patience to finish what is open. Then
// go the frontends, then the balancer that they report to.
func (n *Node) Close() error {
	n.once.Do(n.close)
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.failed
}

func (n *Node) close() {
	n.endBackends()
	for _, r := range n.frontends {
		r.stop()
	}
	for _, r := range n.frontends {
		r.end()
	}
	n.note("balancers", n.leadership.end())
}
