package i2pd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"
)

// What a zero Config stands for.
const (
	defaultRouters      = 12
	minFloodfills       = 5 // with fewer a router tries to reseed
	defaultFloodfills   = 6
	defaultReadyTimeout = 2 * time.Minute
)

// ErrConfig means a Config that no network can be made from; the text says what to change.
var ErrConfig = errors.New("i2pd: bad config")

// A Config says what network to start; the zero value is 12 routers, the first 6 of them
// floodfills.
type Config struct {
	Routers      int              // 0: 12
	Floodfills   int              // the first so many routers; 0: 6
	Killable     []int            // indexes of routers that carry nobody else's tunnels (notransit)
	Args         map[int][]string // more i2pd arguments of a router, such as "--loglevel=debug"; they win
	I2CPPorts    map[int]int      // where a router has its I2CP, if a test says so
	ReadyTimeout time.Duration    // 0: 2 minutes
}

// A Network is a running private network. It ends with the test that started it.
type Network struct {
	Version string        // i2pd's version, such as "2.45.1"
	Booted  time.Duration // from the first process to ready
	dir     string
	routers []*Router
}

// lastNumber is the last router number given out; numbers, and with them addresses and
// ports, are not used again until they wrap, so networks can run side by side.
var lastNumber atomic.Int64

// Start starts a network and returns when every router is ready: a probe session on each
// has built tunnels and its LeaseSet has arrived at a floodfill. It ends the network when
// the test ends; when the test has failed, it logs the warnings of all routers then. Where
// networks cannot run it skips or fails the test, see Require.
func Start(tb testing.TB, cfg Config) *Network {
	tb.Helper()
	Require(tb)
	cfg, err := cfg.withDefaults()
	if err != nil {
		tb.Fatal(err)
	}
	n, err := newNetwork(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { n.end(tb) })
	ctx, cancel := context.WithTimeout(tb.Context(), cfg.ReadyTimeout)
	defer cancel()
	begin := time.Now()
	if err := n.boot(ctx); err != nil {
		tb.Fatal(err)
	}
	n.Booted = time.Since(begin)
	tb.Logf("i2pd %s: %d routers ready after %.1f s", n.Version, len(n.routers), n.Booted.Seconds())
	return n
}

func (c Config) withDefaults() (Config, error) {
	if c.Routers == 0 {
		c.Routers = defaultRouters
	}
	if c.Floodfills == 0 {
		c.Floodfills = min(defaultFloodfills, c.Routers)
	}
	if c.ReadyTimeout == 0 {
		c.ReadyTimeout = defaultReadyTimeout
	}
	return c, c.check()
}

func (c Config) check() error {
	if c.Floodfills < minFloodfills {
		return fmt.Errorf("%w: %d Floodfills: i2pd needs %d", ErrConfig, c.Floodfills, minFloodfills)
	}
	if c.Routers < c.Floodfills || c.Routers > maxNumber {
		return fmt.Errorf("%w: %d Routers: want %d (Floodfills) to %d", ErrConfig, c.Routers, c.Floodfills, maxNumber)
	}
	for _, i := range c.Killable {
		if i < 0 || i >= c.Routers {
			return fmt.Errorf("%w: Killable %d: indexes are 0 to %d", ErrConfig, i, c.Routers-1)
		}
	}
	for i := range c.I2CPPorts {
		if i < 0 || i >= c.Routers {
			return fmt.Errorf("%w: I2CPPorts of %d: indexes are 0 to %d", ErrConfig, i, c.Routers-1)
		}
	}
	for i := range c.Args {
		if i < 0 || i >= c.Routers {
			return fmt.Errorf("%w: Args of %d: indexes are 0 to %d", ErrConfig, i, c.Routers-1)
		}
	}
	return nil
}

// newNetwork prepares addresses, directories and configurations; nothing runs yet.
func newNetwork(cfg Config) (*Network, error) {
	binary, err := findBinary()
	if err != nil {
		return nil, err
	}
	n := &Network{}
	if n.Version, err = version(binary); err != nil {
		return nil, err
	}
	if n.dir, err = os.MkdirTemp("", "network-"); err != nil {
		return nil, err
	}
	for i := range cfg.Routers {
		r := newRouter(n, i, binary, cfg)
		n.routers = append(n.routers, r)
		if err := r.prepare(); err != nil {
			return nil, fmt.Errorf("prepare %s: %w", r, err)
		}
	}
	return n, nil
}

// Router returns router i, counted from 0.
func (n *Network) Router(i int) *Router { return n.routers[i] }

// Routers returns all routers.
func (n *Network) Routers() []*Router { return n.routers }

// Floodfills returns the routers that hold the netDB.
func (n *Network) Floodfills() []*Router {
	var found []*Router
	for _, r := range n.routers {
		if r.floodfill {
			found = append(found, r)
		}
	}
	return found
}

// end kills all routers and removes their files. A router that had died by itself fails the
// test: nobody would notice otherwise. (i2pd 2.45.1 has been seen to corrupt its heap and
// abort, rarely, with dozens of SAM sessions opened and closed.)
func (n *Network) end(tb testing.TB) {
	for _, r := range n.routers {
		if err := r.Crash(); err != nil {
			tb.Errorf("%s died by itself: %v", r, err)
		}
		r.Kill()
	}
	if tb.Failed() {
		n.dump(tb)
	}
	if err := os.RemoveAll(n.dir); err != nil {
		tb.Errorf("remove the routers' files: %v", err)
	}
}
