package cluster

import (
	"cmp"
	"context"
	"log/slog"
	"net"
	"time"

	"github.com/onelease/onelease/balancer"
	"github.com/onelease/onelease/balancer/keystore"
	"github.com/onelease/onelease/internal/nodedir"
	"github.com/onelease/onelease/raftstate"
)

// A DialFunc connects to the host:port of a balancer.
type DialFunc func(ctx context.Context, addr string) (net.Conn, error)

// Config is how a Node runs. Dir must be set; for the others the zero value is
// a working default.
type Config struct {
	// Dir was made by Init or Join.
	Dir string
	// Listen is the host:port to listen on; the address that the others know if
	// empty.
	Listen string
	// Listener is used in place of Listen. The Node closes it.
	Listener net.Listener
	// Dial connects to other balancers; TCP if nil.
	Dial DialFunc
	// Secret opens the Destination's keys. Nil: an operator unlocks the Node.
	Secret *keystore.Secret
	// Preset is the cluster's timing, the same on all nodes; LAN if zero.
	Preset raftstate.Preset
	// Policy is what the leader goes by where the cluster's policy says nothing.
	Policy balancer.Policy
	// LookEvery is how often the netDB is asked for the Destination: see balancer.Config.
	LookEvery time.Duration
	// MaxVersion holds the node to an older format: see raftstate.Config.
	MaxVersion uint32
	// Now is the clock that LeaseSets are dated by: see balancer.Config.
	Now func() time.Time
	// Logger is slog.Default if nil.
	Logger *slog.Logger

	// inProcess: nobody gives commands with the directory.
	inProcess bool
}

func (c Config) withDefaults(info nodedir.Info) Config {
	c.Logger = cmp.Or(c.Logger, slog.Default()).With("balancer", info.Name)
	c.Listen = cmp.Or(c.Listen, info.Address)
	if c.Dial == nil {
		c.Dial = dialTCP
	}
	return c
}

func dialTCP(ctx context.Context, addr string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "tcp", addr)
}
