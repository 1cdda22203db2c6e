package onelease

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/balancer"
	"github.com/onelease/onelease/i2p"
)

// Errors of a Hosting that callers can tell apart, besides ErrConfig and
// net.ErrClosed.
var (
	// ErrHosted says that a Destination is hosted already.
	ErrHosted = errors.New("the Destination is in use")
	// ErrQuota says that an owner, or the Hosting, has as many Destinations as it may.
	ErrQuota = errors.New("too many Destinations")
	// ErrOption says that a router would not take an I2CP option; the message
	// names it.
	ErrOption = errors.New("I2CP option")
	// ErrRefused says that all routers refuse a Destination.
	ErrRefused = errors.New("the routers refuse the Destination")
)

// A HostingConfig says where Destinations that come and go are hosted.
type HostingConfig struct {
	// Routers are those to use, as in Config: at least one member and one publisher,
	// or one that is both. None is a Refuge. Their Dir is not used.
	Routers []Router
	// Frontends are those of a cluster that run elsewhere, beside their routers, and take
	// guests: to use in place of Routers, or with them.
	Frontends []RemoteFrontend
	// Dir is the directory of a guest of that cluster, which "onelease cluster join" made:
	// its certificate is shown to Frontends that have no TLS of their own.
	Dir string
	// Members is how many routers serve each Destination, 2 if 0, or as many as
	// there are. With more Routers the Destinations are spread over them.
	Members int
	// Policy is that of each Destination's balancer. Its Tunnels are 2 if 0, for
	// each member, where Opening.Options say nothing.
	Policy balancer.Policy
	// Near has the Destinations hand over what they send each other within the process,
	// as a router does for its own. No loss of a router then stops that; through the
	// network it stands still for two minutes, since both ends lose the same router.
	Near bool
	// Max is how many Destinations there may be, 1000 if 0; MaxPerOwner how many of
	// one Opening.Owner, as many if 0.
	Max, MaxPerOwner int
	// Logger is slog.Default if nil. Destinations appear at debug level only.
	Logger *slog.Logger
}

// A Hosting has many Destinations that come and go on the same routers. Their
// keys are held in memory only, and nothing about them is kept. Its methods may be
// called by many goroutines.
type Hosting struct {
	cfg   HostingConfig
	log   *slog.Logger
	began time.Time
	ctx   context.Context // ends with Close
	stop  context.CancelFunc

	mu     sync.Mutex
	sites  []*site
	hosted map[i2p.Hash]*Hosted // those that open or close too
	owners map[string]int       // of hosted
	past   past

	neighbors backend.Neighbors
	lines     part // to routers and Frontends; they end last
}

// An Opening is a Destination to be hosted.
type Opening struct {
	// Keys are its keys; new ones if nil. They may be offline-signed where the
	// routers take that: Java I2P does, i2pd does not.
	Keys *i2p.Keys
	// Fresh says that Keys were made just now, so that nobody can know a LeaseSet of
	// theirs.
	Fresh bool
	// Owner is whose quota it counts for.
	Owner string
	// Options are I2CP options for the routers' sessions, "inbound.quantity" and so
	// on. What is in them for a client library, or is the scheme's, is left out;
	// "i2cp.dontPublishLeaseSet" is heeded and overrides Publish.
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
	if err := cfg.check(); err != nil {
		return nil, err
	}
	cfg.Logger, cfg.Max = cmp.Or(cfg.Logger, slog.Default()), cmp.Or(cfg.Max, 1000)
	cfg.MaxPerOwner, cfg.Members = cmp.Or(cfg.MaxPerOwner, cfg.Max), cmp.Or(cfg.Members, 2)
	h := &Hosting{
		cfg: cfg, log: cfg.Logger.With("part", "hosting"), began: time.Now(),
		neighbors: backend.Neighbors{Apart: !cfg.Near},
		hosted:    map[i2p.Hash]*Hosted{}, owners: map[string]int{}, past: past{},
	}
	h.ctx, h.stop = context.WithCancel(context.Background())
	if err := h.connect(); err != nil {
		return nil, err
	}
	for _, r := range cfg.Routers {
		s := &site{Router: r, quirkKnown: make(chan struct{})}
		h.sites = append(h.sites, s)
		h.lines.Go(func() { s.run(h.lines.ctx, h.log) })
	}
	return h, nil
}

func (c HostingConfig) check() error {
	members, publishers, err := checkRouters(slices.Concat(c.Routers, routersOf(c.Frontends)), c.Policy)
	if err != nil {
		return err
	}
	switch err := c.checkFrontends(); {
	case err != nil:
		return err
	case slices.ContainsFunc(c.Routers, func(r Router) bool { return r.Refuge }):
		return fmt.Errorf("%w: a Router is a Refuge: a Hosting has no use for one", ErrConfig)
	case members == 0:
		return fmt.Errorf("%w: no Router is a Member: nothing would serve", ErrConfig)
	case publishers == 0:
		return fmt.Errorf("%w: no Router is a Publisher: nobody would find the Destinations", ErrConfig)
	case c.Max < 0 || c.MaxPerOwner < 0 || c.Members < 0:
		return fmt.Errorf("%w: Max, MaxPerOwner or Members is negative: leave it 0 for its default", ErrConfig)
	}
	return nil
}

// Open hosts a Destination, and returns when a first router is ready for it, or
// with the error of ctx. The others are ErrHosted, ErrQuota, ErrOption, ErrRefused,
// ErrConfig for an Opening.Backend that cannot work, i2p.ErrUnsupported for keys
// that cannot sign, and net.ErrClosed.
func (h *Hosting) Open(ctx context.Context, o Opening) (*Hosted, error) {
	d, err := h.newHosted(o)
	if err != nil {
		return nil, err
	}
	if err := h.claim(d); err != nil {
		return nil, err
	}
	if err = d.start(o); err == nil {
		err = d.awaitReady(ctx)
	}
	if err != nil {
		d.Close()
		return nil, fmt.Errorf("host a Destination: %w", err)
	}
	return d, nil
}

// claim has d's Destination and places for d alone, until forget.
func (h *Hosting) claim(d *Hosted) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch owned := h.owners[d.owner]; {
	case h.ctx.Err() != nil:
		return net.ErrClosed
	case h.hosted[d.hash] != nil:
		return ErrHosted
	case len(h.hosted) >= h.cfg.Max:
		return fmt.Errorf("%w: %d are open, the most there can be", ErrQuota, len(h.hosted))
	case owned >= h.cfg.MaxPerOwner:
		return fmt.Errorf("%w: %d are open, the most that one user can have", ErrQuota, owned)
	}
	h.hosted[d.hash] = d
	h.owners[d.owner]++
	d.published = h.past.last(d.hash)
	d.members, d.publishers = choose(h.sites, h.cfg.Members, d.unpublished)
	return nil
}

// forget takes d, which has ended, off the books.
func (h *Hosting) forget(d *Hosted, published uint32) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.hosted, d.hash)
	if h.owners[d.owner]--; h.owners[d.owner] == 0 {
		delete(h.owners, d.owner)
	}
	h.past.note(d.hash, published, time.Now())
	for _, p := range slices.Concat(d.members, d.publishers) {
		p.site.load--
	}
}

// Close ends all Destinations, and waits until they have. Then Open fails with
// net.ErrClosed.
func (h *Hosting) Close() error {
	h.mu.Lock()
	h.stop()
	all := slices.Collect(maps.Values(h.hosted))
	h.mu.Unlock()
	var group sync.WaitGroup
	for _, d := range all {
		group.Go(func() { d.Close() })
	}
	group.Wait()
	h.lines.end()
	return nil
}
