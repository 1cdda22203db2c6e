// Package demo shows the whole job on an embedded network: it builds routers,
// hosts a Destination on them, lets remotes ask and download, kills routers and
// frontends meanwhile, counts the answers and compares the bytes, and reports.
package demo

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/admin"
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
	killPlugin   = "plugin"
	killBackend  = "backend"
	killNone     = "none"
)

var allKills = []string{killRouter, killFrontend, killDrain, killLeader, killPlugin, killBackend, killNone}

// Config is what to show. Check it before Run.
type Config struct {
	Routers int // members; the publisher comes on top
	Tunnels int // inbound tunnels of each
	// Balancers is how many there are; the demo kills their leaders.
	Balancers int
	For       time.Duration // how long remotes send
	Kill      []string      // what to kill or drain, in turn
	// Backends serve side by side.
	Backends int
	// Plugin is the program of a plugin that serves in place of the demo's own service.
	// Remotes fetch "/" from it by HTTP then, to PluginPort, and do not download.
	Plugin string
	// Settings is the file of its settings.
	Settings   string
	PluginPort int
	// Age is how much older than they are the remotes' sessions are made before
	// the first kill.
	Age time.Duration
	// Unpublished remotes do not publish their LeaseSets.
	Unpublished bool
	Seed        uint64
	Policy      string
	JSON        bool

	// Admin is where it can be watched, nil for nowhere; Run closes it. Leader makes what is
	// shown there of the leading balancer.
	Admin  *admin.Endpoint
	Leader func(*controlpb.Status) any

	Out      io.Writer // the table or the JSON object
	Progress io.Writer // what is going on meanwhile

	// opening is how soon routers have their first tunnels, if not as soon as real ones:
	// for tests that cannot have virtual time.
	opening time.Duration
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
	if err := c.checkService(); err != nil {
		return err
	}
	return c.checkKills()
}

// checkService checks what serves.
func (c Config) checkService() error {
	switch {
	case c.Backends < 1 || c.Backends > 9:
		return fmt.Errorf("--backends %d: want 1 to 9", c.Backends)
	case c.Plugin == "" && c.Settings != "":
		return fmt.Errorf("--settings are a plugin's: give --plugin as well")
	case c.Plugin == "" && c.PluginPort != 0:
		return fmt.Errorf("--plugin-port is where a plugin is asked: give --plugin as well")
	case c.PluginPort < 0 || c.PluginPort > 65535:
		return fmt.Errorf("--plugin-port %d: want 1 to 65535", c.PluginPort)
	case c.Plugin == "" && c.count(killPlugin) > 0:
		return fmt.Errorf("--kill plugin: there is none: give --plugin PATH")
	case c.count(killBackend) >= c.Backends:
		return fmt.Errorf("--kill backend: %d of %d backends would go, and nobody could answer: give --backends %d",
			c.count(killBackend), c.Backends, c.count(killBackend)+1)
	}
	return nil
}

// checkKills checks that enough is left after all kills.
func (c Config) checkKills() error {
	for _, what := range c.Kill {
		if !slices.Contains(allKills, what) {
			return fmt.Errorf("--kill %q: want %s or %s", what, strings.Join(allKills[:len(allKills)-1], ", "), killNone)
		}
	}
	leaders := c.count(killLeader)
	if kills := c.count(killRouter) + c.count(killFrontend) + c.count(killDrain); kills >= c.Routers {
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
