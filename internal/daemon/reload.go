package daemon

import (
	"context"
	"errors"
	"fmt"

	"github.com/onelease/onelease/internal/strict"
)

// A change is one of what a service runs.
type change struct {
	*unit
	was, is Service
}

// Reload reads the certificate again, and reloads the services whose program or settings
// have changed; next has the settings. Either all of that is done or nothing: an error
// leaves everything as it was, but for a program that was replaced before another
// service's was refused.
func (d *Daemon) Reload(ctx context.Context, next Config) error {
	next, err := next.complete()
	if err != nil {
		return err
	}
	return d.set.Reload(ctx, next.Services, d.who.reloadCertificate)
}

// Reload reloads the services whose program or settings have changed; next has the
// settings, and is complete. Either all of that is done or nothing, as by Daemon.Reload:
// nothing if also fails, which is called when all that is new is known to be good.
func (set *Set) Reload(ctx context.Context, next []Service, also func() error) error {
	changes, err := set.changes(next)
	if err == nil {
		err = also()
	}
	if err != nil {
		return err
	}
	for i, c := range changes {
		if err := c.apply(ctx); err != nil {
			return errors.Join(err, undo(ctx, changes[:i]))
		}
	}
	return nil
}

// changes are what a reload has to do. An error says why it cannot be done.
func (set *Set) changes(next []Service) (all []change, err error) {
	if len(next) != len(set.units) {
		return nil, fmt.Errorf("%d services in place of %d: start the process anew", len(next), len(set.units))
	}
	for i, u := range set.units {
		c := change{u, u.now(), next[i]}
		changed, err := u.changed(&c.is)
		switch {
		case err != nil:
			return nil, settingsError(err, i, &c.is)
		case changed && u.plugin == nil:
			return nil, strict.At(fmt.Errorf("service %s: %w", u.Name, errBuiltin), "service", i, "settings")
		case changed:
			all = append(all, c)
		}
	}
	return all, nil
}

// apply reloads the service with its new settings, or leaves it as it was.
func (c *change) apply(ctx context.Context) error {
	c.set(&c.is)
	err := c.reload(ctx)
	if err != nil {
		c.set(&c.was)
	}
	return err
}

// undo gives services their settings back, the last first.
func undo(ctx context.Context, changes []change) error {
	var errs []error
	for i := len(changes) - 1; i >= 0; i-- {
		c := change{changes[i].unit, changes[i].is, changes[i].was}
		if err := c.apply(ctx); err != nil {
			errs = append(errs, fmt.Errorf("go back to the old settings: %w", err))
		}
	}
	return errors.Join(errs...)
}
