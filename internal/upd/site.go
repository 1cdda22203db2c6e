package upd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/balancer"
	"github.com/onelease/onelease/internal/admin"
	"github.com/onelease/onelease/internal/daemon"
)

// A Site is a Destination whose parts run.
type Site struct {
	cfg     Config
	log     *slog.Logger
	set     *daemon.Set
	node    *onelease.Node
	routers []onelease.Router
	control *daemon.Control
	admin   *admin.Endpoint // nil without Config.Admin
	since   time.Time
	b32     string
	view    View
	made    bool        // the keys are new
	leaves  atomic.Bool // it was told to end

	begin chan context.Context // what the services are to run by
	ended chan struct{}        // closed when they have
}

// patience is what a part may take longer to end than its services.
const patience = 20 * time.Second

// Start checks everything, and starts all parts but the services, which Run does. Routers
// may be out of reach, and are tried until they answer. Errors are ErrConfig, those of
// packages onelease, daemon, admin and i2p, and ledger.ErrLocked if the directory is in use.
func Start(c Config) (*Site, error) {
	c, err := c.complete()
	if err != nil {
		return nil, err
	}
	s := &Site{cfg: c, log: c.Logger, since: time.Now(), begin: make(chan context.Context, 1), ended: make(chan struct{})}
	if err := s.open(); err != nil {
		s.close()
		return nil, err
	}
	for _, text := range c.warnings() {
		c.Logger.Warn(text)
	}
	return s, nil
}

// open takes what can be in use by others, last the directory with the state, and starts.
func (s *Site) open() (err error) {
	if err = s.cfg.checkDir(); err != nil {
		return err
	}
	keys, fresh, err := s.cfg.keys()
	if err != nil {
		return err
	}
	s.made = fresh
	if s.routers, err = s.cfg.routers(); err != nil {
		return err
	}
	if s.set, err = daemon.NewSet(daemon.Config{Services: s.cfg.Services, Plugins: s.cfg.Plugins, DrainLimit: s.cfg.DrainLimit, Logger: s.log}); err != nil {
		return err
	}
	if s.admin, err = admin.Open(s.cfg.Address.Config(s.log)); err != nil {
		return err
	}
	if err = s.cfg.makeDir(); err != nil {
		return err
	}
	if s.control, err = daemon.OpenControl(s.cfg.Control); err != nil {
		return err
	}
	s.node, err = onelease.Start(onelease.Config{
		Keys: keys, Dir: s.cfg.Dir, Routers: s.routers, Service: backend.ServiceFunc(s.serve), Logger: s.log,
		Policy:   balancer.Policy{Tunnels: s.cfg.Tunnels, Hops: s.cfg.Hops},
		Patience: time.Duration(s.cfg.DrainLimit) + patience,
	})
	if errors.Is(err, onelease.ErrKeysLost) {
		return fmt.Errorf("--dir %s has the state of a Destination, and not its keys: give the file with them by --keys, or another --dir for a new Destination", s.cfg.Dir)
	}
	if err != nil {
		return err
	}
	s.b32 = s.node.Balancer().Status().GetDestination()
	s.view = View{Node: s.node, Destination: s.b32, Since: s.since, Leader: s.cfg.Leader}
	for _, r := range s.routers {
		s.view.Routers = append(s.view.Routers, r.Name)
	}
	return nil
}

// Close ends what Start has started, in place of Run.
func (s *Site) Close() error {
	s.close()
	return s.node.Close()
}

// close gives back what open took.
func (s *Site) close() {
	s.control.Close()
	s.admin.Close()
	if s.set != nil {
		s.set.Close()
	}
}

// Address is the Destination's b32 address.
func (s *Site) Address() string { return s.b32 }

// URL is what a browser takes if a service speaks HTTP, else Address.
func (s *Site) URL() string {
	for _, service := range s.cfg.Services {
		target, _ := service.Settings["target"].(string)
		if service.Builtin == "site" || service.Builtin == "proxy" && !strings.HasPrefix(target, "tcp:") {
			return "http://" + s.b32 + "/"
		}
	}
	return s.b32
}

// Control is the path of the socket for operators.
func (s *Site) Control() string { return s.cfg.Control }

// MadeKeys is where keys were made, "" if there were some.
func (s *Site) MadeKeys() string {
	if !s.made {
		return ""
	}
	return s.cfg.KeptKeys()
}

// serve runs the services, by a context that says how long they may take to end. When that
// has ended the Node's does so too, by run, and what they have written has then as long to
// arrive; it returns no sooner, or it would have the 5 s of a service that ends by itself.
func (s *Site) serve(ctx context.Context, node backend.Node) error {
	defer close(s.ended)
	select {
	case serving := <-s.begin:
		err := s.set.Serve(serving, node)
		if serving.Err() != nil {
			<-ctx.Done()
		}
		return err
	case <-ctx.Done():
		return nil
	}
}

// Run runs until ctx ends, or all services have done their work or a part has failed. When
// ctx ends nothing new is taken, and what is open may go on for the DrainLimit. When cut
// ends it returns daemon.ErrCut at once: the process must end then, and so do its plugins. It
// can be called once.
func (s *Site) Run(ctx, cut context.Context) error {
	defer s.set.Close()
	watcher := admin.Watch(s.Watch)
	defer watcher.Close()
	defer s.control.Serve(s.operators(watcher), s.log)()
	defer s.admin.Show(watcher)()
	defer s.keepTelling(ctx)()
	farewell := daemon.Farewell{Limit: s.cfg.DrainLimit, Leave: s.leave, Set: s.set}
	return farewell.Run(ctx, cut, s.run)
}

func (s *Site) leave() {
	s.leaves.Store(true)
	s.log.Info("up drains", "limit", s.cfg.DrainLimit.String())
}

// run has the services run until ctx ends or they do, and ends all parts.
func (s *Site) run(ctx context.Context) error {
	s.begin <- ctx
	select {
	case <-ctx.Done():
	case <-s.ended:
	case <-s.node.Done():
	}
	if err := s.node.Close(); err != nil {
		return fmt.Errorf("up: %w", err)
	}
	return nil
}

// Reload reloads the services whose program or settings have changed, as daemon.Set does.
func (s *Site) Reload(ctx context.Context, next Config) error {
	next, err := next.complete()
	if err != nil {
		return err
	}
	return s.set.Reload(ctx, next.Services, func() error { return nil })
}
