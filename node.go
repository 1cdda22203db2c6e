package onelease

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/balancer"
	"github.com/onelease/onelease/balancer/cluster"
	"github.com/onelease/onelease/frontend"
)

// A Node is all parts of one Destination in one process.
type Node struct {
	leadership leadership
	frontends  map[string]*running
	common     backend.Config // of all backends
	log        *slog.Logger

	once sync.Once

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

// Start starts all parts. It returns when they run; routers may still be out
// of reach, and are tried until they answer.
func Start(cfg Config) (*Node, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	cfg.Logger = cmp.Or(cfg.Logger, slog.Default())
	n := &Node{frontends: map[string]*running{}, log: cfg.Logger, done: make(chan struct{})}
	var err error
	if n.leadership, err = newLeadership(n, cfg); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), localTime)
	defer cancel()
	for _, step := range []func(context.Context, Config) error{n.startFrontends, n.startBackends} {
		if err := step(ctx, cfg); err != nil {
			return nil, errors.Join(err, n.Close())
		}
	}
	return n, nil
}

func (n *Node) startFrontends(ctx context.Context, cfg Config) error {
	for _, r := range cfg.Routers {
		config := frontend.Config{
			Name:        r.Name,
			Member:      r.Member,
			Publisher:   r.Publisher,
			Refuge:      r.Refuge,
			Router:      frontend.RouterConfig{Addr: r.Addr, Dial: r.Dial, TLS: r.TLS, User: r.User, Password: r.Password},
			DontPublish: r.DontPublish,
			Dir:         r.Dir,
			Logger:      cfg.Logger,
		}
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

// KillLeader ends the balancer that leads, as a crash would, and returns its
// name; empty if there are no several in this process, or none leads.
func (n *Node) KillLeader() string {
	l, ok := n.leadership.(*local)
	if !ok {
		return ""
	}
	node := l.Leader()
	if node == nil {
		return ""
	}
	node.Kill()
	return node.Name()
}

// RestartBalancer starts one that KillLeader has ended.
func (n *Node) RestartBalancer(name string) error {
	l, ok := n.leadership.(*local)
	if !ok {
		return fmt.Errorf("balancer %s: %w: only one of several in this process can be started again", name, ErrConfig)
	}
	return l.Restart(name)
}

// Issued is the place of the newest LeaseSet that was signed, as far as is known
// in this process: zero with Config.Cluster.
func (n *Node) Issued() (term, seq uint64) {
	for _, state := range n.leadership.states() {
		for _, d := range state.Destinations {
			if d.LastSeq > seq {
				term, seq = d.LastTerm, d.LastSeq
			}
		}
	}
	return term, seq
}

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
		return fmt.Errorf("drain %s: %w: ask the cluster, with \"onelease cluster drain\"", name, cluster.ErrNoLeader)
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
// before. The backend goes first, so that what it still sends has a way out,
// then the frontends, then the balancer that they report to.
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
