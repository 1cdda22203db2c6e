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
	changes, err := d.changes(next)
	if err == nil {
		err = d.who.reloadCertificate()
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
func (d *Daemon) changes(next Config) (all []change, err error) {
	next, err = next.complete()
	if err != nil {
		return nil, err
	}
	if len(next.Services) != len(d.units) {
		return nil, fmt.Errorf("%d services in place of %d: start the backend anew", len(next.Services), len(d.units))
	}
	for i, u := range d.units {
		c := change{u, u.now(), next.Services[i]}
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
