package doctor

import (
	"cmp"
	"context"
	"log/slog"
	"net"
	"time"

	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/i2p"
)

// Config says what to look at. Its zero value is nothing.
type Config struct {
	// Dir is a node's directory, Site that of onelease up.
	Dir, Site string
	// Balancers are those to ask in place of those that Dir names, host:port.
	Balancers []string
	// Keys are key files of Destinations, Destinations others to look for.
	Keys         []string
	Destinations []i2p.Hash
	// Secrets are other files that only their owner may read.
	Secrets []string
	// Certificates are files of PEM that a server presents.
	Certificates []string
	// Routers are those of the setup. Others says that it has more, which are not known
	// here, so that nothing is said about roles that are missing.
	Routers []Router
	Others  bool
	// Listeners are ports that the setup opens.
	Listeners []Listener
	// Cluster asks the leader of Dir's cluster, or the Site, for its frontends; nil if there
	// is none.
	Cluster func(ctx context.Context) ([]Frontend, error)
	// Consoles are webconsoles of i2pd on this machine, host:port, which show what their
	// router hosts by itself, and the leases that it holds as a floodfill.
	Consoles []string
	// Life says whether the setup runs.
	Life Life
	// Quick leaves out what takes up to two minutes: tunnels and the option to publish.
	Quick bool
	// Progress, if set, is told every few seconds what is not done yet.
	Progress func([]Pending)

	// Stored and Hosted stand in for reading a webconsole. Space, Addresses and Dial stand in for the machine; nil is the one that it is.
	Stored    func(ctx context.Context, console string, hash i2p.Hash) ([]Tunnel, error)
	Hosted    func(ctx context.Context, console string, hash i2p.Hash) (bool, error)
	Space     func(path string) (Space, error)
	Addresses func() ([]string, error)
	Dial      func(ctx context.Context, addr string) (net.Conn, error)
}

// A Router is one by its I2CP port.
type Router struct {
	Name, Addr string
	// Member, Publisher and Refuge are its roles.
	Member, Publisher, Refuge bool
	// DontPublish is how it is said to read i2cp.dontPublishLeaseSet; Normal if empty.
	DontPublish frontend.Quirk
	// User and Password are for Java I2P with i2cp.auth.
	User, Password string
}

// A Listener is a port that is opened.
type Listener struct {
	// Addr is host:port.
	Addr string
	// TLS says that nothing else is spoken there.
	TLS bool
}

// A Life says whether the setup runs while it is checked.
type Life int

// Only with Running or Stopped does it say something that the netDB has a LeaseSet.
const (
	MayRun Life = iota
	Running
	Stopped
)

// A Pending is a check that takes its time.
type Pending struct {
	Check, On string
	// Since is for how long it has run, of at most Limit.
	Since, Limit time.Duration
}

func (c Config) withDefaults() Config {
	if c.Stored == nil {
		c.Stored = stored
	}
	if c.Hosted == nil {
		c.Hosted = hosted
	}
	if c.Space == nil {
		c.Space = space
	}
	if c.Addresses == nil {
		c.Addresses = addresses
	}
	if c.Dial == nil {
		c.Dial = func(ctx context.Context, addr string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", addr)
		}
	}
	if c.Progress == nil {
		c.Progress = func([]Pending) {}
	}
	for i := range c.Routers {
		c.Routers[i].DontPublish = cmp.Or(c.Routers[i].DontPublish, frontend.Normal)
	}
	return c
}

// Run makes all checks that the Config has something for, side by side.
func Run(ctx context.Context, cfg Config) Report {
	cfg.Routers = append([]Router(nil), cfg.Routers...)
	r := &run{cfg: cfg.withDefaults(), ctx: ctx, log: slog.New(slog.DiscardHandler)}
	r.files()
	r.node()
	r.roles()
	r.routers()
	r.cluster()
	r.ports()
	return r.report()
}
