package samd

import (
	"errors"
	"fmt"
	"slices"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/internal/routers"
	"github.com/onelease/onelease/internal/strict"
)

func (c *Config) checkRouters() error {
	if len(c.Embedded) > 0 {
		return nil
	}
	if len(c.Routers)+len(c.Frontends) == 0 {
		return strict.At(errors.New("no router to host on: give --router NAME=HOST:PORT, the I2CP port of one, or [[router]] in --config"), "router")
	}
	if err := routers.Complete(c.Routers, len(c.Frontends) > 0); err != nil {
		return err
	}
	if err := routers.CheckNear(c.Routers); err != nil {
		return err
	}
	count := routers.Count(c.Routers)
	if err := c.checkFrontends(count); err != nil {
		return err
	}
	return routers.CheckRoles(count, "a session that listens")
}

// Written are the routers with the roles that they have, for who looks at a setup that
// may not do to run. The errors, of what is not well written, are ErrConfig.
func (c Config) Written() ([]routers.Router, error) {
	all := slices.Clone(c.Routers)
	if err := routers.Complete(all, len(c.Frontends) > 0); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return all, nil
}

// routers are those to host on.
func (c *Config) routers() ([]onelease.Router, error) {
	all := c.Embedded
	for _, r := range c.Routers {
		router, err := r.Open()
		if err != nil {
			return nil, err
		}
		all = append(all, router)
	}
	return all, nil
}
