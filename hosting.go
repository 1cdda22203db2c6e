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
	"github.com/onelease/onelease/i2p"
)

// Errors of a Hosting that callers can tell apart.
var (
	// ErrHosted says that a Destination is hosted already.
	ErrHosted = errors.New("the Destination is in use")
	// ErrQuota says that an owner, or the Hosting, has as many Destinations as it may.
	ErrQuota = errors.New("too many Destinations")
)

// A HostingConfig says where Destinations that come and go are hosted.
type HostingConfig struct {
	// Routers are those of each Destination, as in Config.
	Routers []Router
	// Policy is that of each Destination's balancer.
	Policy balancer.Policy
	// Max is how many Destinations there may be, 1000 if 0; MaxPerOwner how many of
	// one Opening.Owner, as many if 0.
	Max, MaxPerOwner int
	// Logger is slog.Default if nil.
	Logger *slog.Logger
}

// A Hosting has many Destinations that come and go on the same routers. Their
// keys are held in memory only.
type Hosting struct {
	cfg HostingConfig

	mu     sync.Mutex
	closed bool
	hosted map[i2p.Hash]*Hosted
}

// An Opening is a Destination to be hosted.
type Opening struct {
	// Keys are its keys; new ones if nil.
	Keys *i2p.Keys
	// Owner is whose quota it counts for.
	Owner string
	// Options are I2CP options for the routers' sessions, "inbound.quantity" and so on.
	Options i2p.Mapping
	// Publish has the LeaseSet in the netDB from the start; else from when
	// Hosted.Publish is called. A Destination that only begins streams needs none.
	Publish bool
	// Backend has what the Host is to be made of besides what the Hosting sets:
	// streams' limits and times.
	Backend backend.Config
}

// NewHosting returns a Hosting without Destinations. The error is ErrConfig.
func NewHosting(cfg HostingConfig) (*Hosting, error) {
	cfg.Logger, cfg.Max = cmp.Or(cfg.Logger, slog.Default()), cmp.Or(cfg.Max, 1000)
	return &Hosting{cfg: cfg, hosted: map[i2p.Hash]*Hosted{}}, nil
}

// A Hosted is one Destination of a Hosting.
type Hosted struct {
	hosting *Hosting
	keys    *i2p.Keys
	node    *Node
	once    sync.Once
}

// Open hosts a Destination, and returns when a first router is ready for it, or
// with the error of ctx. The others are ErrHosted, ErrQuota and net.ErrClosed.
func (h *Hosting) Open(ctx context.Context, o Opening) (*Hosted, error) {
	keys := o.Keys
	if keys == nil {
		var err error
		if keys, err = i2p.GenerateKeys(); err != nil {
			return nil, err
		}
	}
	idle := backend.ServiceFunc(func(ctx context.Context, _ backend.Node) error {
		<-ctx.Done()
		return nil
	})
	node, err := Start(Config{Keys: keys, Routers: h.cfg.Routers, Policy: h.cfg.Policy, Service: idle, Logger: h.cfg.Logger})
	if err != nil {
		return nil, err
	}
	d := &Hosted{hosting: h, keys: keys, node: node}
	if err := node.Host().WaitReady(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("host %s: %w", keys.Destination, err), d.Close())
	}
	return d, nil
}

// Host has the Destination's streams and datagrams.
func (d *Hosted) Host() *backend.Host { return d.node.Host() }

// Keys are the Destination's.
func (d *Hosted) Keys() *i2p.Keys { return d.keys }

// Publish has the LeaseSet published from now on: somebody is to find the Destination.
func (d *Hosted) Publish() {}

// Done is closed when the Destination is served no more.
func (d *Hosted) Done() <-chan struct{} { return d.node.Done() }

// Close ends the Destination's streams and takes it off the routers.
func (d *Hosted) Close() (err error) {
	d.once.Do(func() { err = d.node.Close() })
	return err
}

// Close ends all Destinations.
func (h *Hosting) Close() error { return nil }

// Lookup resolves a b32 address or a host name by the routers, for who has no
// Destination.
func (h *Hosting) Lookup(ctx context.Context, name string) (i2p.Destination, error) {
	return i2p.Destination{}, errors.ErrUnsupported
}
