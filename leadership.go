package onelease

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"time"

	"google.golang.org/grpc"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/backend/delegate"
	"github.com/onelease/onelease/balancer"
	"github.com/onelease/onelease/balancer/cluster"
	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/internal/memconn"
	"github.com/onelease/onelease/internal/pki"
	"github.com/onelease/onelease/internal/way"
	"github.com/onelease/onelease/raftstate"
)

// A leadership is the balancers of a Node, wherever they are.
type leadership interface {
	// frontend sets how a router's frontend reaches the balancers.
	frontend(ctx context.Context, name string, cfg *frontend.Config) error
	// backend sets what the backend signs with.
	backend(ctx context.Context, cfg *backend.Config) error
	// leader is the Balancer that leads, nil if none in this process does.
	leader() *balancer.Balancer
	// states are the copies of the replicated state in this process.
	states() []*raftstate.State
	// end ends what runs in this process.
	end() error
}

func newLeadership(n *Node, cfg Config) (leadership, error) {
	switch {
	case cfg.Cluster != nil:
		return newRemote(n, cfg)
	case cfg.Balancers > 1:
		return newLocal(cfg)
	}
	return newAlone(n, cfg)
}

// alone is one Balancer in this process, served in memory.
type alone struct {
	cfg      Config
	store    *raftstate.Store
	balancer *balancer.Balancer
	control  *memconn.Listener
	server   *grpc.Server
	part
}

func newAlone(n *Node, cfg Config) (leadership, error) {
	store, err := raftstate.Open(raftstate.Config{ID: "local", Dir: cfg.Dir, Logger: cfg.Logger})
	if err != nil {
		return nil, fmt.Errorf("balancer's state: %w", err)
	}
	b, err := balancer.New(balancer.Config{
		Keys: cfg.Keys, Store: store, Policy: cfg.Policy, Expect: cfg.members(), Logger: cfg.Logger,
	})
	if err != nil {
		store.Close()
		return nil, err
	}
	a := &alone{cfg: cfg, store: store, balancer: b, control: memconn.Listen("balancer"), server: grpc.NewServer()}
	a.init()
	controlpb.RegisterControlServer(a.server, b.Control())
	a.Go(func() { n.note("control service", a.server.Serve(a.control)) })
	a.Go(func() { n.note("balancer", b.Run(a.ctx)) })
	return a, nil
}

func (a *alone) frontend(_ context.Context, _ string, cfg *frontend.Config) error {
	cfg.Control = frontend.ControlConfig{
		Balancers: []string{"local"},
		Dial:      func(ctx context.Context, _ string) (net.Conn, error) { return a.control.Dial(ctx) },
	}
	return nil
}

func (a *alone) backend(_ context.Context, cfg *backend.Config) error {
	a.cfg.sign(cfg)
	return nil
}

// sign has the backend sign with the keys, which are in this process anyway.
func (c *Config) sign(cfg *backend.Config) {
	if cfg.Credentials = c.Credentials; c.Credentials == nil {
		cfg.Signer, cfg.Offline = c.Keys, c.Keys.Offline
	}
}

func (a *alone) leader() *balancer.Balancer { return a.balancer }

func (a *alone) states() []*raftstate.State { return []*raftstate.State{a.store.State()} }

func (a *alone) end() error {
	a.server.Stop()
	a.part.end()
	return a.store.Close()
}

// localTime is how long the balancers of one process have to form.
const localTime = 30 * time.Second

// local is several balancers in this process.
type local struct {
	*cluster.Local
	cfg Config
}

func newLocal(cfg Config) (leadership, error) {
	ctx, cancel := context.WithTimeout(context.Background(), localTime)
	defer cancel()
	balancers, err := cluster.StartLocal(ctx, cluster.LocalConfig{
		Dir: filepath.Join(cfg.Dir, "cluster"), Balancers: cfg.Balancers, Keys: cfg.Keys, Policy: cfg.Policy, Logger: cfg.Logger,
	})
	if err != nil {
		return nil, err
	}
	return &local{balancers, cfg}, nil
}

func (l *local) frontend(ctx context.Context, name string, cfg *frontend.Config) error {
	creds, err := l.Join(ctx, pki.Frontend, name)
	if err != nil {
		return err
	}
	cfg.Control = frontend.ControlConfig{
		Balancers: l.Addresses(), Dial: l.Dial, TLS: pki.ClientTLS(creds, pki.Balancer, ""),
	}
	return nil
}

func (l *local) backend(_ context.Context, cfg *backend.Config) error {
	l.cfg.sign(cfg)
	return nil
}

func (l *local) leader() *balancer.Balancer {
	if node := l.Leader(); node != nil {
		return node.Balancer()
	}
	return nil
}

func (l *local) states() (states []*raftstate.State) {
	for _, node := range l.Nodes() {
		states = append(states, node.Store().State())
	}
	return states
}

func (l *local) end() error { return l.Close() }

// remote is a cluster that runs elsewhere.
type remote struct {
	cfg Config
	delegates
}

func newRemote(n *Node, cfg Config) (leadership, error) {
	return &remote{cfg, newDelegates(n, cfg)}, nil
}

func (r *remote) frontend(_ context.Context, name string, cfg *frontend.Config) error {
	creds, balancers, err := r.member(cfg.Dir, pki.Frontend, name)
	if err != nil {
		return err
	}
	cfg.Control = frontend.ControlConfig{
		Balancers: balancers, Dial: r.cfg.Cluster.Dial, TLS: pki.ClientTLS(creds, pki.Balancer, ""),
	}
	return nil
}

func (r *remote) backend(_ context.Context, cfg *backend.Config) error {
	creds, balancers, err := r.member(r.cfg.Cluster.Dir, pki.Backend, "")
	if err != nil {
		return err
	}
	for _, addr := range r.cfg.Frontends {
		dial := way.ToFrontend(addr, r.cfg.Cluster.Dial, pki.ClientTLS(creds, pki.Frontend, ""))
		cfg.Frontends = append(cfg.Frontends, backend.Frontend{Addr: addr, Dial: dial})
	}
	return r.run(creds, delegate.Config{Balancers: balancers, Dial: r.cfg.Cluster.Dial}, cfg)
}

// member reads a directory that "onelease cluster join" made, for a node in
// that role and of that name, or any.
func (r *remote) member(dir string, role pki.Role, name string) (*pki.Reloader, []string, error) {
	info, err := cluster.ReadInfo(dir)
	if err != nil {
		return nil, nil, err
	}
	if info.Role != string(role) || name != "" && info.Name != name {
		return nil, nil, fmt.Errorf("%w: %s is the directory of %s %q, not of %s %q", ErrConfig, dir, info.Role, info.Name, role, name)
	}
	creds, err := pki.NewReloader(dir)
	if len(r.cfg.Cluster.Balancers) > 0 {
		return creds, r.cfg.Cluster.Balancers, err
	}
	return creds, info.Balancers, err
}

func (r *remote) leader() *balancer.Balancer { return nil }

func (r *remote) states() []*raftstate.State { return nil }

func (r *remote) end() error {
	r.delegates.end()
	return nil
}

// delegates run the client that keeps the backend's permission to sign.
type delegates struct {
	node *Node
	cfg  Config
	*part
}

func newDelegates(n *Node, cfg Config) delegates {
	d := delegates{n, cfg, &part{}}
	d.init()
	return d
}

func (d delegates) run(creds *pki.Reloader, c delegate.Config, cfg *backend.Config) error {
	c.Name, c.TLS, c.Logger = creds.Credentials().Identity().Name, pki.ClientTLS(creds, pki.Balancer, ""), d.cfg.Logger
	client, err := delegate.New(c)
	if err != nil {
		return err
	}
	cfg.Credentials = client
	d.Go(func() { d.node.note("permission to sign", client.Run(d.ctx)) })
	return nil
}

var (
	_ leadership = (*alone)(nil)
	_ leadership = (*local)(nil)
	_ leadership = (*remote)(nil)
)
