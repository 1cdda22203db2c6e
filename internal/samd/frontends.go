package samd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/balancer/cluster"
	"github.com/onelease/onelease/internal/pki"
	"github.com/onelease/onelease/internal/routers"
	"github.com/onelease/onelease/internal/strict"
)

// A Frontend is a frontend process of a cluster, which takes guests.
type Frontend struct {
	Name    string `toml:"name" example:"router-1" shown:"yes" comment:"the name in its certificate"`
	Address string `toml:"address" value:"host:port" example:"10.0.0.5:7671" shown:"yes" comment:"host:port of its --guests"`
	// Roles are routers.Member, Publisher or both, as its router has them. One without is a
	// Member.
	Roles []string `toml:"roles" default:"member" comment:"what its router is for: member, publisher or both"`
}

// ParseFrontend reads what a flag says: "NAME=HOST:PORT", and after commas roles.
func ParseFrontend(text string) (Frontend, error) {
	words := strings.Split(text, ",")
	name, addr, ok := strings.Cut(words[0], "=")
	if !ok {
		return Frontend{}, fmt.Errorf("frontend %q: want NAME=HOST:PORT of its --guests, and after commas %s or %s", text, routers.Member, routers.Publisher)
	}
	return Frontend{name, addr, words[1:]}, nil
}

// checkFrontends completes and checks them, and counts their roles.
func (c *Config) checkFrontends(count map[string]int) error {
	switch {
	case len(c.Frontends) > 0 && c.Dir == "":
		return strict.At(errors.New("a frontend needs a certificate of the cluster: give --dir, the directory of a guest that joined it"), "frontend", 0)
	case len(c.Frontends) == 0 && (c.Dir != "" || len(c.Balancers) > 0):
		return strict.At(errors.New("--dir and --balancer are for frontends of a cluster: give --frontend NAME=HOST:PORT of each"), givenOf(c.Dir, "dir", "balancers"))
	}
	for i := range c.Frontends {
		f := &c.Frontends[i]
		if key, err := f.check(); err != nil {
			return strict.At(fmt.Errorf("frontend %q: %w", f.Name, err), "frontend", i, key)
		}
		for _, role := range f.Roles {
			count[role]++
		}
	}
	return nil
}

// check also says which key is wrong.
func (f *Frontend) check() (key string, err error) {
	if len(f.Roles) == 0 {
		f.Roles = []string{routers.Member}
	}
	for _, role := range f.Roles {
		if role != routers.Member && role != routers.Publisher {
			return "roles", fmt.Errorf("%q is no role of a frontend here: want %s or %s", role, routers.Member, routers.Publisher)
		}
	}
	if f.Name == "" {
		return "name", errors.New("it has no name: give that of its certificate")
	}
	if _, _, err := net.SplitHostPort(f.Address); err != nil {
		return "address", fmt.Errorf("address %q: want host:port of its --guests", f.Address)
	}
	return "", nil
}

// join reads the certificate that frontends want, if there are any.
func (b *Bridge) join() (frontends []onelease.RemoteFrontend, err error) {
	if len(b.cfg.Frontends) == 0 {
		return nil, nil
	}
	if b.cluster, err = cluster.NewClient(b.cfg.Dir, b.cfg.Balancers...); err != nil {
		return nil, err
	}
	creds := b.cluster.Credentials()
	switch id := creds.Credentials().Identity(); id.Role {
	case pki.Guest:
	case pki.Backend:
		b.cfg.Logger.Warn("this bridge has a backend's certificate, with which it could sign as the cluster's Destination: join again as a guest, with onelease cluster invite --role guest", "name", id.Name)
	default:
		return nil, fmt.Errorf("%s is the directory of a %s: make a guest's with onelease cluster invite --role guest", b.cfg.Dir, id.Role)
	}
	for _, f := range b.cfg.Frontends {
		frontends = append(frontends, onelease.RemoteFrontend{
			Name: f.Name, Addr: f.Address, TLS: pki.ClientTLS(creds, pki.Frontend, f.Name),
			Member: slices.Contains(f.Roles, routers.Member), Publisher: slices.Contains(f.Roles, routers.Publisher),
		})
	}
	return frontends, nil
}

// keepRenewed renews the certificate until ctx ends.
func (b *Bridge) keepRenewed(ctx context.Context) {
	if b.cluster != nil {
		b.cluster.KeepRenewed(ctx, b.cfg.Logger)
	}
}
