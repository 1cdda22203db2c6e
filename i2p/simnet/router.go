package simnet

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"syscall"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/memconn"
)

// A RouterConfig describes a router.
type RouterConfig struct {
	// Name is unique within the network; "router1" and so on if empty.
	Name string
	// Profile is how the router behaves; I2PD258 if its Name is empty.
	Profile Profile
	// FastTier is how many peers it builds tunnels through; 16 if 0.
	FastTier int
}

// A routerState says whether a router runs.
//
//	routerUp <-> routerFrozen
//	   |  ^          |
//	   v  |          v
//	routerDown <-----+
type routerState int

const (
	routerUp routerState = iota
	routerFrozen
	routerDown
)

// A Router is one router of the network: an I2CP server, and home of remotes.
type Router struct {
	net  *Network
	cfg  RouterConfig
	hash i2p.Hash

	// All below is guarded by net.mu.
	rng      *rand.Rand
	state    routerState
	thawed   chan struct{} // closed unless frozen
	stalled  []*event      // what fell due while frozen
	fast     []*peer
	made     int // destinations, for their seeds
	dests    map[i2p.Hash]*destination
	opened   map[i2p.Hash]bool // that were ever here
	sessions map[*session]struct{}
	remotes  []*Remote
	stats    Stats
}

// NewRouter adds a router. It panics if the name is taken, which is a mistake
// in the program that builds the network.
func (n *Network) NewRouter(cfg RouterConfig) *Router {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.newRouterLocked(cfg)
}

func (n *Network) newRouterLocked(cfg RouterConfig) *Router {
	for i := len(n.routers) + 1; cfg.Name == ""; i++ {
		if name := fmt.Sprintf("router%d", i); n.routers[name] == nil {
			cfg.Name = name
		}
	}
	if n.routers[cfg.Name] != nil {
		panic(fmt.Sprintf("simnet: a second router %q", cfg.Name))
	}
	if cfg.Profile.Name == "" {
		cfg.Profile = I2PD258
	}
	cfg.FastTier = orDefault(cfg.FastTier, 16)
	r := &Router{
		net:      n,
		cfg:      cfg,
		hash:     n.routerHash(cfg.Name),
		rng:      newRand(n.cfg.Seed, cfg.Name),
		thawed:   make(chan struct{}),
		dests:    map[i2p.Hash]*destination{},
		opened:   map[i2p.Hash]bool{},
		sessions: map[*session]struct{}{},
	}
	close(r.thawed)
	n.routers[cfg.Name] = r
	return r
}

// Name is the router's name.
func (r *Router) Name() string { return r.cfg.Name }

// Hash is the router's identity.
func (r *Router) Hash() i2p.Hash { return r.hash }

// Profile is how the router behaves.
func (r *Router) Profile() Profile { return r.cfg.Profile }

// Stats returns the router's counters. They outlive Kill and Restart.
func (r *Router) Stats() Stats {
	r.net.mu.Lock()
	defer r.net.mu.Unlock()
	return r.stats
}

// Session has the I2CP options of the session that a Destination has on the router;
// false if it has none.
func (r *Router) Session(hash i2p.Hash) (options i2p.Mapping, ok bool) {
	r.net.mu.Lock()
	defer r.net.mu.Unlock()
	d := r.dests[hash]
	if d == nil || d.options == nil {
		return nil, false
	}
	return maps.Clone(d.options), true
}

// Sessions is how many I2CP connections the router has.
func (r *Router) Sessions() int {
	r.net.mu.Lock()
	defer r.net.mu.Unlock()
	return len(r.sessions)
}

// DialI2CP connects to the router's I2CP server through memory. It fails with
// ErrRouterDown, which wraps ECONNREFUSED, if the router is killed; a frozen
// one accepts and does not answer.
func (r *Router) DialI2CP(ctx context.Context) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	client, server := memconn.Pair(r.cfg.Name)
	if !r.accept(server) {
		return nil, fmt.Errorf("dial I2CP of %s: %w: %w", r.cfg.Name, ErrRouterDown, syscall.ECONNREFUSED)
	}
	return client, nil
}

// ServeI2CP accepts I2CP clients until the listener is closed, which the
// network does not do, or the network is. While the router is down it accepts
// and closes at once. It returns the listener's error, ErrClosed if the
// network was closed.
func (r *Router) ServeI2CP(l net.Listener) error {
	for {
		conn, err := l.Accept()
		if err != nil {
			return fmt.Errorf("serve I2CP of %s: %w", r.cfg.Name, err)
		}
		if r.net.ctx.Err() != nil {
			conn.Close()
			return ErrClosed
		}
		if !r.accept(conn) {
			reset(conn)
		}
	}
}

// accept starts serving conn; false means that the router is down.
func (r *Router) accept(conn net.Conn) bool {
	r.net.mu.Lock()
	defer r.net.mu.Unlock()
	if r.state == routerDown || r.net.closed {
		return false
	}
	s := newSession(r, conn)
	r.sessions[s] = struct{}{}
	r.net.wg.Go(s.serve)
	return true
}

// reset closes conn so that the other side sees a reset, as it does when a
// process is killed with bytes unread.
func reset(conn net.Conn) {
	switch c := conn.(type) {
	case *memconn.Conn:
		c.Reset()
	case *net.TCPConn:
		c.SetLinger(0)
		c.Close()
	default:
		c.Close()
	}
}
