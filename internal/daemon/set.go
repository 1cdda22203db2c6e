package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/internal/admin"
)

// A Set is the services of a process, side by side: plugins, and what is built in. It is
// a backend.Service.
type Set struct {
	log   *slog.Logger
	units []*unit
	temp  string // of sockets of plugins, empty if there are none

	mu   sync.Mutex
	late error // of services that could not end as they should
}

// NewSet makes c's Services ready to run, with its Plugins, DrainLimit and Logger; it
// starts nothing. Close it. Errors are ErrConfig, and those of packages plugin and catalog.
func NewSet(c Config) (*Set, error) {
	set := &Set{log: c.Logger}
	for _, s := range c.Services {
		if err := set.add(c, s); err != nil {
			set.Close()
			return nil, err
		}
	}
	return set, nil
}

func (set *Set) add(c Config, s Service) (err error) {
	if s.Builtin == "" && set.temp == "" {
		if set.temp, err = makeTemp(); err != nil {
			return err
		}
	}
	u, err := newUnit(c, s, set.temp)
	set.units = append(set.units, u)
	return err
}

// maxTemp is how long the path of a directory for sockets may be, of which the names are
// long.
const maxTemp = 45

// makeTemp makes a directory that only we may enter.
func makeTemp() (string, error) {
	dir, err := os.MkdirTemp("", "onelease-backend-")
	if err != nil || len(dir) <= maxTemp {
		return dir, err
	}
	os.Remove(dir)
	return os.MkdirTemp("/tmp", "onelease-backend-")
}

// Close removes what the Set has on the disk. Its services have ended, or the process does.
func (set *Set) Close() { os.RemoveAll(set.temp) }

// Serve implements backend.Service: it runs all.
func (set *Set) Serve(ctx context.Context, node backend.Node) error {
	var all []backend.Service
	for _, u := range set.units {
		all = append(all, backend.ServiceFunc(func(ctx context.Context, node backend.Node) error { return set.serve(ctx, node, u) }))
	}
	return backend.Services(all...).Serve(ctx, node)
}

func (set *Set) serve(ctx context.Context, node backend.Node, u *unit) error {
	set.log.Info("service begins", "service", u.Name)
	err := u.serve.Serve(ctx, node)
	set.log.Info("service has ended", "service", u.Name)
	if err == nil {
		return nil
	}
	err = fmt.Errorf("%s: %w", u.Name, err)
	var told *backend.Ending
	if errors.As(context.Cause(ctx), &told) {
		set.mu.Lock()
		defer set.mu.Unlock()
		set.late = errors.Join(set.late, err)
	}
	return err
}

// Late are the errors of services that were told to end, by a backend.Ending, and could
// not as they should: nil if all have. What is returned is ErrCut.
func (set *Set) Late() error {
	set.mu.Lock()
	defer set.mu.Unlock()
	if set.late == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrCut, set.late)
}

// Status is how all are.
func (set *Set) Status() (all []ServiceStatus) {
	for _, u := range set.units {
		all = append(all, u.status())
	}
	return all
}

// Watch adds checks of all to what there is to see, whose status has services, and the
// metrics of those that are plugins.
func (set *Set) Watch(s *admin.Snapshot, services []ServiceStatus) {
	for _, service := range services {
		checkService(s, service)
	}
	for _, u := range set.units {
		if u.plugin != nil {
			MeasureService(s, u.Name, u.plugin.Stats())
		}
	}
}

var _ backend.Service = (*Set)(nil)
