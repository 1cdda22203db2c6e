package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/onelease/onelease/internal/daemon"
	"github.com/onelease/onelease/internal/samd"
	"github.com/onelease/onelease/internal/upd"
)

// A role is a command that has a file.
type role struct {
	name  string
	short string
	// empty is a pointer to the struct of the file, with defaults; check finds what is wrong
	// with it but for single keys.
	empty func() any
	check func(config any) error
}

// roles are all of them, in the order of the reference.
var roles = []role{
	{
		"balancer", "one of the cluster that chooses, signs and publishes",
		func() any { return newBalancerFile() },
		func(c any) error { return c.(*balancerFile).check() },
	},
	{
		"frontend", "beside a router",
		func() any { return newFrontendFile() },
		func(c any) error { return c.(*frontendFile).check() },
	},
	{
		"backend", "services on the Destination",
		func() any { return new(daemon.Config) },
		func(c any) error {
			cfg := *c.(*daemon.Config)
			if cfg.Plugins == "" {
				cfg.Plugins = defaultPlugins()
			}
			return cfg.Check()
		},
	},
	{
		"sam", "a SAM bridge on several routers",
		func() any { return new(samd.Config) },
		func(c any) error { return c.(*samd.Config).Check() },
	},
	{
		"up", "all parts of a site on the routers of one machine",
		func() any { c := upd.Default(); return &c },
		func(c any) error {
			cfg := *c.(*upd.Config)
			if cfg.Plugins == "" {
				cfg.Plugins = defaultPlugins()
			}
			return cfg.Check()
		},
	},
}

func roleNames() (names []string) {
	for _, r := range roles {
		names = append(names, r.name)
	}
	return names
}

// roleCalled finds a role, or says which there are.
func roleCalled(name string) (*role, error) {
	if i := slices.IndexFunc(roles, func(r role) bool { return r.name == name }); i >= 0 {
		return &roles[i], nil
	}
	return nil, fmt.Errorf("no role %q has a file: the roles are %s", name, strings.Join(roleNames(), ", "))
}

// roleOf is the role that the name of a file begins with: sam.toml, backend-2.toml.
func roleOf(path string) (*role, error) {
	name := filepath.Base(path)
	for i, r := range roles {
		if rest, is := strings.CutPrefix(name, r.name); is && (rest == "" || strings.ContainsAny(rest[:1], "-_.0123456789")) {
			return &roles[i], nil
		}
	}
	return nil, fmt.Errorf("%s: the name does not begin with a role: give --role %s", path, strings.Join(roleNames(), ", "))
}
