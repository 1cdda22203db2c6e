// Package demo shows the whole job on an embedded network: it builds routers,
// hosts a Destination on them, lets remotes ask and download, kills routers and
// frontends meanwhile, counts the answers and compares the bytes, and reports.
package demo

import (
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/onelease/onelease/i2p"
)

// The policies that a demo can show.
const (
	// Sticky gives each member its own LeaseSet.
	Sticky = "sticky"
	// Merged gives all of them the merged one, as a naive merge would.
	Merged = "merged"
)

// What a demo can kill.
const (
	killRouter   = "router"
	killFrontend = "frontend"
	killDrain    = "drain" // nothing is killed that still serves
	killLeader   = "leader"
	killNone     = "none"
)

// Config is what to show. Check it before Run.
type Config struct {
	Routers int // members; the publisher comes on top
	Tunnels int // inbound tunnels of each
	// Balancers is how many there are; the demo kills their leaders.
	Balancers int
	For       time.Duration // how long remotes send
	Kill      []string      // what to kill or drain, in turn
	// Age is how much older than they are the remotes' sessions are made before
	// the first kill.
	Age time.Duration
	// Unpublished remotes do not publish their LeaseSets.
	Unpublished bool
	Seed        uint64
	Policy      string
	JSON        bool

	Out      io.Writer // the table or the JSON object
	Progress io.Writer // what is going on meanwhile
}

// Check says which setting cannot work.
func (c Config) Check() error {
	switch {
	case c.Routers < 1 || c.Routers > 100:
		return fmt.Errorf("--routers %d: want 1 to 100", c.Routers)
	case c.Tunnels < 1 || c.Tunnels > i2p.MaxLeases:
		return fmt.Errorf("--tunnels %d: want 1 to %d", c.Tunnels, i2p.MaxLeases)
	case c.For < time.Second || c.For > 24*time.Hour:
		return fmt.Errorf("--for %v: want 1s to 24h", c.For)
	case c.Age < 0 || c.Age > 24*time.Hour:
		return fmt.Errorf("--age %v: want 0s to 24h", c.Age)
	case c.Policy != Sticky && c.Policy != Merged:
		return fmt.Errorf("--policy %q: want %s or %s", c.Policy, Sticky, Merged)
	}
	for _, what := range c.Kill {
		if !slices.Contains([]string{killRouter, killFrontend, killDrain, killLeader, killNone}, what) {
			return fmt.Errorf("--kill %q: want %s, %s, %s, %s or %s", what, killRouter, killFrontend, killDrain, killLeader, killNone)
		}
	}
	leaders := c.count(killLeader)
	if kills := len(c.kills()) - leaders; kills >= c.Routers {
		return fmt.Errorf("--kill: %d of %d routers would go, and nobody could answer: give more --routers", kills, c.Routers)
	}
	if c.Balancers < 1 || c.Balancers > 9 {
		return fmt.Errorf("--balancers %d: want 1 to 9", c.Balancers)
	}
	if leaders > 0 && 2*(c.Balancers-leaders) <= c.Balancers {
		return fmt.Errorf("--kill leader: %d of %d balancers would go, and the others could not elect: give --balancers %d", leaders, c.Balancers, 2*leaders+1)
	}
	return nil
}

// count is how often something is killed.
func (c Config) count(what string) (n int) {
	for _, kill := range c.Kill {
		if kill == what {
			n++
		}
	}
	return n
}

// kills is what is killed, without "none".
func (c Config) kills() []string {
	return slices.DeleteFunc(slices.Clone(c.Kill), func(what string) bool { return what == killNone })
}
