package simnet

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/onelease/onelease/i2p"
)

// Errors of this package.
var (
	// ErrClosed says that the network, or what was asked, is closed.
	ErrClosed = errors.New("simnet: closed")
	// ErrRouterDown says that the router was killed, or is frozen.
	ErrRouterDown = errors.New("simnet: router is down")
	// ErrNotReady says that the Destination has no LeaseSet yet.
	ErrNotReady = errors.New("simnet: no tunnels yet")
)

// A Config describes a network. Its zero value is one without loss and with
// 50 ms from anywhere to anywhere.
type Config struct {
	// Seed of all chance. 0 is a seed like any other.
	Seed uint64
	// Peers are routers that carry tunnels, besides the floodfills; 48 if 0.
	Peers int
	// Floodfills hold the netDB; 6 if 0.
	Floodfills int
	// PeerLife is the mean life of a peer. When one goes, the tunnels through
	// it fail, and a new peer comes. 0 for no churn.
	PeerLife time.Duration
	// Link is what lies between any two Destinations.
	Link Link
	// Tunnels is how inbound tunnels are built.
	Tunnels TunnelTimes
	// Observe, if set, is told of everything worth a line in a log. It is
	// called with the network locked: it must be quick and not call back.
	Observe func(Event)
	// Logger is slog's default if nil. Destinations are logged at debug level.
	Logger *slog.Logger
}

// A Network is a whole I2P network in one process. Its methods, and those of
// its routers and remotes, may be called at any time from any goroutine.
type Network struct {
	cfg    Config
	log    *slog.Logger
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	wake   chan struct{}

	// mu guards all below, and the state of every router, destination and
	// remote: what they do to one another is one transaction.
	mu       sync.Mutex
	closed   bool
	events   eventQueue
	routers  map[string]*Router
	made     int // peers, for their names
	names    map[string]i2p.Hash
	fast     []*peer
	ffs      []*Floodfill
	tunnels  map[tunnelKey]*tunnel
	sessions uint64 // last number given to a ratchet session
	inFlight int    // bytes of messages under way
	rng      *rand.Rand
	stats    Stats
}

// New starts a network. Close it when done.
func New(cfg Config) *Network {
	cfg.Peers = orDefault(cfg.Peers, 48)
	cfg.Floodfills = orDefault(cfg.Floodfills, 6)
	cfg.Tunnels = cfg.Tunnels.withDefaults()
	cfg.Link = cfg.Link.withDefaults()
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	ctx, cancel := context.WithCancel(context.Background())
	n := &Network{
		cfg:     cfg,
		log:     cfg.Logger,
		ctx:     ctx,
		cancel:  cancel,
		wake:    make(chan struct{}, 1),
		routers: map[string]*Router{},
		tunnels: map[tunnelKey]*tunnel{},
		names:   map[string]i2p.Hash{},
		rng:     newRand(cfg.Seed, "network"),
	}
	n.mu.Lock()
	n.addFloodfillsLocked()
	n.addPeersLocked()
	n.mu.Unlock()
	n.wg.Go(n.run)
	return n
}

// Close kills every router and waits until all goroutines of the network are
// gone. It must not be called from a callback of the network.
func (n *Network) Close() {
	n.mu.Lock()
	n.closed = true
	for _, r := range n.routers {
		r.killLocked()
		for _, remote := range r.remotes {
			remote.closeLocked()
		}
	}
	n.mu.Unlock()
	n.cancel()
	n.wg.Wait()
}

// Router returns the router of that name, nil if there is none.
func (n *Network) Router(name string) *Router {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.routers[name]
}

// newRand is a generator of its own for each name, so that what one part of
// the network draws does not depend on the others.
func newRand(seed uint64, name string) *rand.Rand {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d/%s", seed, name))
	return rand.New(rand.NewPCG(binary.BigEndian.Uint64(sum[:]), binary.BigEndian.Uint64(sum[8:])))
}

// routerHash names the router of that name and seed.
func (n *Network) routerHash(name string) i2p.Hash {
	return sha256.Sum256(fmt.Appendf(nil, "router/%d/%s", n.cfg.Seed, name))
}

// between draws from [0, d).
func between(rng *rand.Rand, d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return time.Duration(rng.Int64N(int64(d)))
}

func orDefault[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}
