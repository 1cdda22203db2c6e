package onelease

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/balancer"
	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/i2p"
)

// A Router is one router to use.
type Router struct {
	// Name tells the routers apart: 1 to 64 of a-z, 0-9, ".", "_" and "-".
	Name string
	// Addr is its I2CP address, "host:port".
	Addr string
	// Dial, if set, connects in place of TCP to Addr.
	Dial func(ctx context.Context) (net.Conn, error)
	// TLS, if set, is used above the connection. Without it the private keys
	// of LeaseSets cross it in the clear: it has to stay within the machine.
	TLS *tls.Config
	// User and Password are for Java I2P with i2cp.auth.
	User, Password string
	// Member says that the router serves, Publisher that it publishes the
	// LeaseSet. A router that is both does not keep its own remotes as well.
	Member, Publisher bool
	// Refuge says that the router takes in, after a loss, the visitors that no
	// other could serve before minutes. In normal times it serves nobody: a
	// small router will do. It is neither Member nor Publisher.
	Refuge bool
	// DontPublish is how the router reads i2cp.dontPublishLeaseSet:
	// frontend.Normal if empty, frontend.Auto to find out.
	DontPublish frontend.Quirk
	// Dir keeps the place of the newest LeaseSet over restarts: see
	// frontend.Config. With a Cluster it is required: "onelease cluster join"
	// made it, for a frontend of this Name.
	Dir string
	// Embedded says that the router is no real one and ends with the program:
	// package test/embedded sets it. If all Routers are, nothing needs to be
	// remembered, and Config.Dir can be left out.
	Embedded bool
}

// A Cluster is balancers that run elsewhere.
type Cluster struct {
	// Dir is the backend's directory: "onelease cluster join" made it.
	Dir string
	// Balancers are their addresses; those that the directories name if empty.
	Balancers []string
	// Dial connects to them, and to Config.Frontends, in place of TCP.
	Dial func(ctx context.Context, addr string) (net.Conn, error)
}

// Balancers are several in this process, which outlive the Node. That they are
// not the Node's own keeps raft and its database out of the programs that have
// one, or a Cluster.
type Balancers interface {
	// Control is how the frontend of a router reaches them.
	Control(ctx context.Context, router string) (frontend.ControlConfig, error)
	// Balancer is the one that leads and works, nil while none does.
	Balancer() *balancer.Balancer
}

// Config is what a Node is made of.
type Config struct {
	// Keys are the Destination's. If nil, those in Dir are used, which are made at
	// the first start: the Destination is the same at the next. Not with a
	// Cluster, which has them.
	Keys *i2p.Keys
	// Dir keeps the state of the balancer, and the keys if they are not given, for
	// one program at a time. It is made if it is not there. Not with Balancers or a
	// Cluster, which have it. If empty, all Routers must be Embedded: then nothing is
	// kept, and the Destination, without Keys, is new at each start.
	Dir string
	// Balancers, if set, are several that the program runs in this process in
	// place of the Node's one: a *cluster.Local. They show what happens when their
	// leader is lost, and protect from nothing. Their Keys are those of the Node;
	// they have the Policy.
	Balancers Balancers
	// Cluster, if set, has balancers that run elsewhere.
	Cluster *Cluster
	// Frontends are those of a Cluster that run elsewhere, by the host:port at
	// which backends attach: with these, and without Routers, the Node is a
	// backend only. On the loopback it attaches in the clear, elsewhere by TLS.
	Frontends []string
	// Routers are at least one member and one publisher, or one that is both. In
	// a Cluster the publisher may be elsewhere.
	Routers []Router
	// Policy has the balancer's times and sizes; its zero value is a default.
	Policy balancer.Policy
	// Service runs on the Destination until the Node is closed.
	Service backend.Service
	// Backends, in place of Service, are several that serve it side by side. Not
	// with a Cluster: there each is a Node of its own.
	Backends []Backend
	// Patience is how long the Service has to end when it is told to, 45 s if 0:
	// backend.HTTP takes up to 30 s, and what was written then up to 5 s to arrive. Of more
	// than 45 s both may take all but 15 s: see backend.TimeToEnd.
	Patience time.Duration
	// Credentials, if set, sign what the service sends in place of Keys: see
	// backend.Config. LeaseSets are signed by Keys all the same.
	Credentials backend.Credentials
	// Logger is slog.Default if nil.
	Logger *slog.Logger
}

// ErrConfig says that a Config cannot work; the message names the field.
var ErrConfig = errors.New("onelease configuration")

func (c Config) check() error {
	members, publishers, err := checkRouters(c.Routers, c.Policy)
	if err != nil {
		return err
	}
	switch {
	case c.Cluster != nil:
		if err := c.checkCluster(); err != nil {
			return err
		}
	case c.Balancers != nil && c.Keys == nil:
		return fmt.Errorf("%w: Balancers without Keys: give those that they have", ErrConfig)
	case c.Balancers != nil && (c.Dir != "" || c.Policy != balancer.Policy{}):
		return fmt.Errorf("%w: Balancers, and Dir or Policy: give these to them", ErrConfig)
	case c.Balancers == nil && c.Dir == "" && !c.embedded():
		return fmt.Errorf("%w: Dir is not set: name a directory that is kept, for the balancer's state and the Destination's keys", ErrConfig)
	}
	for i, b := range c.Backends {
		if b.Name == "" || b.Service == nil {
			return fmt.Errorf("%w: Backends[%d] has no Name or no Service: set both", ErrConfig, i)
		}
	}
	elsewhere := c.Cluster != nil && len(c.Frontends) > 0
	switch {
	case len(c.Backends) > 0 && (c.Service != nil || c.Cluster != nil):
		return fmt.Errorf("%w: Backends with a Service or a Cluster: choose one", ErrConfig)
	case c.Service == nil && len(c.Backends) == 0:
		return fmt.Errorf("%w: Service is not set: backend.HTTP makes one of a http.Handler, backend.Listener one of what accepts streams", ErrConfig)
	case len(c.Frontends) > 0 && c.Cluster == nil:
		return fmt.Errorf("%w: Frontends without a Cluster: give a backend.Config its own", ErrConfig)
	case members == 0 && !elsewhere:
		return fmt.Errorf("%w: no Router is a Member: nothing would serve", ErrConfig)
	case publishers == 0 && c.Cluster == nil:
		return fmt.Errorf("%w: no Router is a Publisher: nobody would find the Destination", ErrConfig)
	}
	return nil
}

// checkRouters checks each, and counts those in either role.
func checkRouters(routers []Router, policy balancer.Policy) (members, publishers int, err error) {
	names := map[string]bool{}
	for _, r := range routers {
		if names[r.Name] {
			return 0, 0, fmt.Errorf("%w: two Routers are named %q", ErrConfig, r.Name)
		}
		switch {
		case r.Refuge && (r.Member || r.Publisher):
			err = fmt.Errorf("%w: Router %q is a Refuge, and a Member or Publisher: a Refuge has another key than those; use a router of its own", ErrConfig, r.Name)
		case !r.Member && !r.Publisher && !r.Refuge:
			err = fmt.Errorf("%w: Router %q is neither Member nor Publisher: set one, or both", ErrConfig, r.Name)
		case r.Refuge && policy.Rotation != "" && policy.Rotation != balancer.RotateNever:
			err = fmt.Errorf("%w: Router %q is a Refuge, and Policy.Rotation is %q: a Refuge has the key that the others would get; leave Rotation out", ErrConfig, r.Name, policy.Rotation)
		}
		if err != nil {
			return 0, 0, err
		}
		names[r.Name] = true
		members += count(r.Member)
		publishers += count(r.Publisher)
	}
	return members, publishers, nil
}

func (c Config) checkCluster() error {
	if len(c.Frontends) > 0 && len(c.Routers) > 0 {
		return fmt.Errorf("%w: Frontends that run elsewhere, and Routers, whose frontends run here: choose one", ErrConfig)
	}
	if c.Keys != nil || c.Dir != "" || c.Balancers != nil {
		return fmt.Errorf("%w: a Cluster, and Keys, Dir or Balancers: the Cluster has these", ErrConfig)
	}
	if c.Cluster.Dir == "" {
		return fmt.Errorf("%w: Cluster.Dir is not set: name the backend's directory, which \"onelease cluster join\" makes", ErrConfig)
	}
	for _, r := range c.Routers {
		if r.Dir == "" {
			return fmt.Errorf("%w: Router %q has no Dir: with a Cluster each frontend needs its own, which \"onelease cluster join\" makes", ErrConfig, r.Name)
		}
	}
	return nil
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// embedded is whether no router is a real one.
func (c Config) embedded() bool {
	for _, r := range c.Routers {
		if !r.Embedded {
			return false
		}
	}
	return len(c.Routers) > 0
}

// members is how many routers serve.
func (c Config) members() int {
	n := 0
	for _, r := range c.Routers {
		n += count(r.Member)
	}
	return n
}
