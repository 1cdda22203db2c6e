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
)

// A Frontend is a frontend process of a cluster, which takes guests.
type Frontend struct {
	// Name is that in its certificate.
	Name string `toml:"name"`
	// Address is host:port of its --guests.
	Address string `toml:"address"`
	// Roles are Member, Publisher or both, as its router has them. One without is a
	// Member.
	Roles []string `toml:"roles"`
}

// ParseFrontend reads what a flag says: "NAME=HOST:PORT", and after commas roles.
func ParseFrontend(text string) (Frontend, error) {
	words := strings.Split(text, ",")
	name, addr, ok := strings.Cut(words[0], "=")
	if !ok {
		return Frontend{}, fmt.Errorf("frontend %q: want NAME=HOST:PORT of its --guests, and after commas %s or %s", text, Member, Publisher)
	}
	return Frontend{name, addr, words[1:]}, nil
}

// checkFrontends completes and checks them, and counts their roles.
func (c *Config) checkFrontends(count map[string]int) error {
	switch {
	case len(c.Frontends) > 0 && c.Dir == "":
		return errors.New("a frontend needs a certificate of the cluster: give --dir, the directory of a backend that joined it")
	case len(c.Frontends) == 0 && (c.Dir != "" || len(c.Balancers) > 0):
		return errors.New("--dir and --balancer are for frontends of a cluster: give --frontend NAME=HOST:PORT of each")
	}
	for i := range c.Frontends {
		f := &c.Frontends[i]
		if err := f.check(); err != nil {
			return fmt.Errorf("frontend %q: %w", f.Name, err)
		}
		for _, role := range f.Roles {
			count[role]++
		}
	}
	return nil
}

func (f *Frontend) check() error {
	if len(f.Roles) == 0 {
		f.Roles = []string{Member}
	}
	for _, role := range f.Roles {
		if role != Member && role != Publisher {
			return fmt.Errorf("%q is no role of a frontend here: want %s or %s", role, Member, Publisher)
		}
	}
	if f.Name == "" {
		return errors.New("it has no name")
	}
	if _, _, err := net.SplitHostPort(f.Address); err != nil {
		return fmt.Errorf("address %q: want host:port of its --guests", f.Address)
	}
	return nil
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
	if id := creds.Credentials().Identity(); id.Role != pki.Backend {
		return nil, fmt.Errorf("%s is the directory of a %s: make a backend's with onelease cluster invite --role backend", b.cfg.Dir, id.Role)
	}
	for _, f := range b.cfg.Frontends {
		frontends = append(frontends, onelease.RemoteFrontend{
			Name: f.Name, Addr: f.Address, TLS: pki.ClientTLS(creds, pki.Frontend, f.Name),
			Member: slices.Contains(f.Roles, Member), Publisher: slices.Contains(f.Roles, Publisher),
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

// Reload reads the cluster's certificate again; without one it does nothing.
func (b *Bridge) Reload() error {
	if b.cluster == nil {
		return nil
	}
	return b.cluster.Credentials().Reload()
}
