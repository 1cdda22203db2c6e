package upd

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/internal/admin"
	"github.com/onelease/onelease/internal/daemon"
	"github.com/onelease/onelease/internal/routers"
	"github.com/onelease/onelease/internal/strict"
)

// ErrConfig says that a Config cannot work; the message names the key or flag.
var ErrConfig = errors.New("up")

// Config is what a site is made of, as its file has it. What the keys are for is in the
// tags, of which the reference is made: see strict.Key.
type Config struct {
	Dir  string `toml:"dir" value:"directory" example:"/var/lib/onelease/site-1" shown:"yes" comment:"a directory of its own, which is made if it is not there: the balancer's state, and the keys if there are no others"`
	Keys string `toml:"keys" value:"file" example:"/var/lib/onelease/site.dat" comment:"the Destination's private key file, which only its owner may read; keys are made in dir without one"`
	// Tunnels and Hops are those of balancer.Policy.
	Tunnels int `toml:"tunnels" default:"3" comment:"inbound tunnels that each member builds, 1 to 16"`
	Hops    int `toml:"hops" default:"3" comment:"hops of each tunnel, 1 to 7, or -1 for none, which hides nothing"`
	// Plugins is the directory of the catalog of plugins.
	Plugins    string           `toml:"plugins" value:"directory" example:"/var/lib/onelease/plugins" comment:"directory of registered plugins: that of onelease plugin by default"`
	DrainLimit backend.Duration `toml:"drain-limit" value:"duration" default:"5m" comment:"how long streams may go on when it is told to end"`
	Control    string           `toml:"control" value:"path" example:"/run/onelease/site-1.sock" comment:"path of the socket for status, drains and reloads: control.sock in dir by default"`
	// Address says where it can be watched, besides at Control.
	admin.Address
	Routers []Router `toml:"router" shown:"yes" comment:"a router, on this machine; there may be several of these tables"`
	// Services run side by side, and open ports of their own each.
	Services []daemon.Service `toml:"service" flag:"-" shown:"yes" comment:"a service to run, as --run, --plugin and --builtin have it: one of plugin, path and builtin is set; there may be several of these tables"`

	// Embedded are routers inside the program, in place of Routers.
	Embedded []onelease.Router `toml:"-"`
	// Leader makes what Status has of the balancer; nil has the message itself.
	Leader func(*controlpb.Status) any `toml:"-"`
	// Logger is slog.Default() if nil.
	Logger *slog.Logger `toml:"-"`
}

// A Router is a routers.Router that is tested unless it is said how it reads the option not
// to publish: a wrong guess would have each member publish its own LeaseSet over the merged one.
type Router struct {
	Name         string   `toml:"name" example:"a" shown:"yes" comment:"what it is called"`
	Address      string   `toml:"address" value:"host:port" example:"127.0.0.1:7654" shown:"yes" comment:"host:port of its I2CP, on this machine"`
	Roles        []string `toml:"roles" example:"member" comment:"what it is for: member, publisher or both, or refuge; a member by default, and the only router is both"`
	DontPublish  string   `toml:"dont-publish" default:"auto" comment:"how it reads i2cp.dontPublishLeaseSet: normal, inverted (i2pd 2.58) or auto, which has it found out at each start"`
	User         string   `toml:"user" example:"onelease" comment:"user for Java I2P with i2cp.auth"`
	PasswordFile string   `toml:"password-file" value:"file" example:"/etc/onelease/i2cp-password" comment:"file with its password, which only its owner may read"`
}

// Default is a Config of which only what has no default is missing.
func Default() Config {
	return Config{Tunnels: 3, Hops: 3, DrainLimit: backend.Duration(5 * time.Minute)}
}

// Check returns an error of what can be told to be wrong without the network, the keys and
// starting a plugin. It is ErrConfig.
func (c Config) Check() error {
	c, err := c.complete()
	if err == nil {
		err = daemon.CheckSettings(c.Services)
	}
	return err
}

// complete checks c and fills in what follows from the rest.
func (c Config) complete() (Config, error) {
	c.Logger = cmp.Or(c.Logger, slog.Default())
	if c.Control == "" && c.Dir != "" {
		c.Control = daemon.ControlPath(c.Dir)
	}
	err := cmp.Or(c.check(), c.checkRouters(), daemon.CompleteServices(c.Services, c.Plugins != ""), c.Address.Check())
	if err != nil {
		return c, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return c, nil
}

func (c *Config) check() error {
	switch {
	case c.Dir == "":
		return strict.At(errors.New("--dir is not set: name a directory for the balancer's state, which is made if it is not there"), "dir")
	case c.Tunnels < 1 || c.Tunnels > 16:
		return strict.At(fmt.Errorf("--tunnels %d: want 1 to 16", c.Tunnels), "tunnels")
	case c.Hops < -1 || c.Hops > 7 || c.Hops == 0:
		return strict.At(fmt.Errorf("--hops %d: want 1 to 7, or -1 for none", c.Hops), "hops")
	case c.DrainLimit <= 0:
		return strict.At(fmt.Errorf("--drain-limit %v: want more than 0s", c.DrainLimit), "drain-limit")
	case len(c.Services) == 0:
		return strict.At(errors.New("nothing to serve: give --proxy URL, --site DIR, --run, --plugin or --builtin, or [[service]] in --config"), "service")
	}
	return nil
}

func (c *Config) checkRouters() error {
	if len(c.Embedded) > 0 {
		return nil
	}
	if len(c.Routers) == 0 {
		return strict.At(errors.New("no router to be on: give --router NAME=HOST:PORT, the I2CP port of one, or [[router]] in --config"), "router")
	}
	all := c.Written()
	if err := cmp.Or(routers.Complete(all, false), routers.CheckNear(all)); err != nil {
		return err
	}
	names := map[string]bool{}
	for i, r := range all {
		c.Routers[i] = Router(r)
		switch {
		case !frontend.ValidName(r.Name):
			return strict.At(fmt.Errorf(`router %q: want a name of 1 to 64 of a-z, 0-9, ".", "_" and "-"`, r.Name), "router", i, "name")
		case names[r.Name]:
			return strict.At(fmt.Errorf("two routers are called %q: give one of them another name", r.Name), "router", i, "name")
		case r.Has(routers.Refuge) && len(r.Roles) > 1:
			return strict.At(fmt.Errorf("router %q: a refuge has another key than members and publishers; use a router of its own", r.Name), "router", i, "roles")
		}
		names[r.Name] = true
	}
	return routers.CheckRoles(routers.Count(all), "the site")
}

// warnings are about what works, and less well than it could.
func (c *Config) warnings() (all []string) {
	members, refuge, apart := 0, false, false
	for _, r := range c.Written() {
		member, publisher := r.Has(routers.Member), r.Has(routers.Publisher)
		if member {
			members++
		}
		if member && publisher {
			all = append(all, fmt.Sprintf("router %s is member and publisher: it loses visitors to other members now and then; have a small router more publish", r.Name))
		}
		refuge, apart = refuge || r.Has(routers.Refuge), apart || publisher && !member
	}
	if len(c.Routers) > 0 && members < 2 {
		all = append(all, "one router is a member: when it is lost the site is away; add another")
	}
	if refuge && !apart {
		all = append(all, "a refuge does nothing without a publisher that is no member: add one")
	}
	return all
}

// Written are the routers as they are written, with the default of DontPublish.
func (c *Config) Written() (all []routers.Router) {
	for _, r := range c.Routers {
		r.DontPublish = cmp.Or(r.DontPublish, string(frontend.Auto))
		all = append(all, routers.Router(r))
	}
	return all
}

// routers are those to be on.
func (c *Config) routers() ([]onelease.Router, error) {
	all := c.Embedded
	for _, r := range c.Written() {
		router, err := r.Open()
		if err != nil {
			return nil, err
		}
		all = append(all, router)
	}
	return all, nil
}
