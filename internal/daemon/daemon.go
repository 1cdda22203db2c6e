package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/internal/admin"
)

// ErrCut says that streams were cut since the backend was to end at once, or had not
// ended in time.
var ErrCut = errors.New("ended before its streams had")

// A Daemon is one backend with its services.
type Daemon struct {
	cfg   Config
	log   *slog.Logger
	who   *attachment
	host  *backend.Host
	units []*unit
	temp  string // of sockets of plugins, empty if there are none
	since time.Time
	// control listens for operators; nil without Config.Control.
	control net.Listener
	admin   *admin.Endpoint // nil without Config.Admin
	ctx     context.Context // ends when it is to drain

	mu   sync.Mutex
	late error // of services that could not end as they should
}

// New checks everything that can be before there is a network, and takes the control
// socket. It starts nothing. Errors are ErrConfig, and those of packages plugin, catalog,
// cluster and i2p.
func New(c Config) (*Daemon, error) {
	c, err := c.complete()
	if err != nil {
		return nil, err
	}
	d := &Daemon{cfg: c, log: c.Logger, since: time.Now()}
	if d.who, err = attach(c); err != nil {
		return nil, err
	}
	if d.host, err = backend.NewHost(d.who.host); err != nil {
		return nil, err
	}
	if err := d.prepare(); err != nil {
		os.RemoveAll(d.temp)
		return nil, err
	}
	return d, nil
}

func (d *Daemon) prepare() (err error) {
	for _, s := range d.cfg.Services {
		if s.Builtin == "" && d.temp == "" {
			if d.temp, err = makeTemp(); err != nil {
				return err
			}
		}
		u, err := newUnit(d.cfg, s, d.temp)
		if err != nil {
			return err
		}
		d.units = append(d.units, u)
	}
	if d.admin, err = admin.Open(d.cfg.Address.Config(d.cfg.Logger)); err != nil || d.cfg.Control == "" {
		return err
	}
	if d.control, err = listenForOperators(d.cfg.Control); err != nil {
		d.admin.Close()
	}
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

// Address is the Destination's b32 address.
func (d *Daemon) Address() string { return d.who.b32 }

// graceTime is what the end may take longer than the DrainLimit.
const graceTime = 10 * time.Second

// Run runs until ctx ends, or all services have done their work or one has failed. When
// ctx ends nothing new is taken, and what is open may go on for the DrainLimit. When cut
// ends it returns ErrCut at once: the process must end then, and so do its plugins. It can
// be called once.
func (d *Daemon) Run(ctx, cut context.Context) error {
	defer os.RemoveAll(d.temp)
	d.ctx = ctx
	watcher := admin.Watch(d.watch)
	defer watcher.Close()
	defer d.answerOperators(watcher).close()
	defer d.admin.Show(watcher)()
	defer d.who.keepUp(d.cfg)()
	hosting, end := context.WithCancelCause(context.WithoutCancel(ctx))
	defer end(nil)
	limit := time.Duration(d.cfg.DrainLimit)
	atLimit, overdue := make(chan struct{}), make(chan struct{})
	defer context.AfterFunc(ctx, func() {
		d.log.Info("backend drains", "limit", d.cfg.DrainLimit.String())
		d.leave()
		end(&backend.Ending{Limit: limit})
		time.AfterFunc(limit, func() { close(atLimit) })
		time.AfterFunc(limit+graceTime, func() { close(overdue) })
	})()
	ended := make(chan error, 1)
	go func() { ended <- backend.Run(hosting, d.host, d.services()) }()
	d.log.Info("backend runs", "destination", d.Address(), "frontends", d.frontends(), "control", d.cfg.Control)
	defer d.log.Info("backend ends")
	select {
	case err := <-ended:
		return d.verdict(err, atLimit)
	case <-cut.Done():
		return ErrCut
	case <-overdue:
		return fmt.Errorf("%w, after %v", ErrCut, d.cfg.DrainLimit)
	}
}

// verdict is how Run ends when all has ended: a service that took all the time that there
// was has cut what was left.
func (d *Daemon) verdict(err error, atLimit <-chan struct{}) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	select {
	case <-atLimit:
		return errors.Join(err, fmt.Errorf("%w, after %v", ErrCut, d.cfg.DrainLimit))
	default:
	}
	if err == nil && d.late != nil {
		return fmt.Errorf("%w: %w", ErrCut, d.late)
	}
	return err
}

// leaveTime is what frontends have to confirm that nothing new is to come here.
const leaveTime = time.Second

// leave has new visitors go to other backends, if there are any.
func (d *Daemon) leave() {
	if d.who.host.Name == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), leaveTime)
	defer cancel()
	// It would wait for the streams as well; they are the services' to end.
	_ = d.host.Drain(ctx)
}

func (d *Daemon) services() backend.Service {
	var all []backend.Service
	for _, u := range d.units {
		all = append(all, backend.ServiceFunc(func(ctx context.Context, node backend.Node) error {
			d.log.Info("service begins", "service", u.Name)
			err := u.serve.Serve(ctx, node)
			d.log.Info("service has ended", "service", u.Name)
			if err == nil {
				return nil
			}
			if err = fmt.Errorf("%s: %w", u.Name, err); d.ctx.Err() != nil {
				d.mu.Lock()
				defer d.mu.Unlock()
				d.late = errors.Join(d.late, err)
			}
			return err
		}))
	}
	return backend.Services(all...)
}

func (d *Daemon) frontends() (names []string) {
	for _, f := range d.cfg.Frontends {
		names = append(names, f.Name+"="+f.Address)
	}
	return names
}
