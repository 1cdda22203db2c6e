package onelease

import (
	"context"
	"fmt"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/backend/delegate"
	"github.com/onelease/onelease/balancer"
	"github.com/onelease/onelease/balancer/solo"
	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/nodedir"
	"github.com/onelease/onelease/internal/pki"
	"github.com/onelease/onelease/internal/way"
)

// A leadership is the balancers of a Node, wherever they are.
type leadership interface {
	// frontend sets how a router's frontend reaches the balancers.
	frontend(ctx context.Context, name string, cfg *frontend.Config) error
	// backend sets what the backend signs with.
	backend(ctx context.Context, cfg *backend.Config) error
	// leader is the Balancer that leads, nil if none in this process does.
	leader() *balancer.Balancer
	// end ends what the Node runs of them.
	end() error
}

// newLeadership starts the balancer, if it is the Node's. Then cfg has keys.
func newLeadership(n *Node, cfg *Config) (leadership, error) {
	switch {
	case cfg.Cluster != nil:
		return newRemote(n, *cfg)
	case cfg.Balancers != nil:
		return several{*cfg}, nil
	}
	return newAlone(n, cfg)
}

// alone is one Balancer in this process.
type alone struct {
	cfg   Config
	store *solo.Store
	*lead
}

func newAlone(n *Node, cfg *Config) (leadership, error) {
	store, err := cfg.openStore()
	if err != nil {
		return nil, err
	}
	b, err := cfg.newBalancer(store)
	if err != nil {
		store.Close()
		return nil, err
	}
	return &alone{cfg: *cfg, store: store, lead: startLead(b, n.note)}, nil
}

// openStore opens the state in Dir, or without one in memory, with keys that are
// made if there are none.
func (c *Config) openStore() (_ *solo.Store, err error) {
	if c.Dir != "" {
		return solo.Open(c.Dir)
	}
	if c.Keys == nil {
		if c.Keys, err = i2p.GenerateKeys(); err != nil {
			return nil, err
		}
	}
	return solo.Memory(c.Keys.Destination.Hash(), 0, 0), nil
}

// newBalancer also makes keys, or takes those that are kept, while no other
// program has the directory.
func (c *Config) newBalancer(store *solo.Store) (_ *balancer.Balancer, err error) {
	if c.Keys == nil {
		if c.Keys, err = keptKeys(c.Dir, len(store.State().Destinations) == 0); err != nil {
			return nil, err
		}
	}
	return balancer.New(balancer.Config{
		Keys: c.Keys, Store: store, Policy: c.Policy, Expect: c.members(), LookEvery: balancer.LookEvery, Logger: c.Logger,
	})
}

func (a *alone) frontend(_ context.Context, _ string, cfg *frontend.Config) error {
	cfg.Control = a.config()
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

func (a *alone) end() error {
	a.lead.end()
	return a.store.Close()
}

// several are Config.Balancers.
type several struct{ cfg Config }

func (s several) frontend(ctx context.Context, name string, cfg *frontend.Config) (err error) {
	cfg.Control, err = s.cfg.Balancers.Control(ctx, name)
	return err
}

func (s several) backend(_ context.Context, cfg *backend.Config) error {
	s.cfg.sign(cfg)
	return nil
}

func (s several) leader() *balancer.Balancer { return s.cfg.Balancers.Balancer() }

func (s several) end() error { return nil }

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
	cfg.Name = creds.Credentials().Identity().Name // as frontends will check
	for _, addr := range r.cfg.Frontends {
		dial := way.ToFrontend(addr, r.cfg.Cluster.Dial, pki.ClientTLS(creds, pki.Frontend, ""))
		cfg.Frontends = append(cfg.Frontends, backend.Frontend{Addr: addr, Dial: dial})
	}
	return r.run(creds, delegate.Config{Balancers: balancers, Dial: r.cfg.Cluster.Dial}, cfg)
}

// member reads a directory that "onelease cluster join" made, for a node in
// that role and of that name, or any.
func (r *remote) member(dir string, role pki.Role, name string) (*pki.Reloader, []string, error) {
	info, err := nodedir.Read(dir)
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
	_ leadership = several{}
	_ leadership = (*remote)(nil)
)
