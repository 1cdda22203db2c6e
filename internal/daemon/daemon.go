package daemon

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/internal/admin"
)

// A Daemon is one backend with its services.
type Daemon struct {
	cfg     Config
	log     *slog.Logger
	who     *attachment
	host    *backend.Host
	set     *Set
	since   time.Time
	control *Control        // nil without Config.Control
	admin   *admin.Endpoint // nil without Config.Admin
	// draining is set when it was told to end.
	draining atomic.Bool
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
		return nil, err
	}
	return d, nil
}

func (d *Daemon) prepare() (err error) {
	if d.set, err = NewSet(d.cfg); err != nil {
		return err
	}
	if d.admin, err = admin.Open(d.cfg.Address.Config(d.cfg.Logger)); err == nil {
		d.control, err = OpenControl(d.cfg.Control)
	}
	if err != nil {
		d.admin.Close()
		d.set.Close()
	}
	return err
}

// Address is the Destination's b32 address.
func (d *Daemon) Address() string { return d.who.b32 }

// Run runs until ctx ends, or all services have done their work or one has failed. When
// ctx ends nothing new is taken, and what is open may go on for the DrainLimit. When cut
// ends it returns ErrCut at once: the process must end then, and so do its plugins. It can
// be called once.
func (d *Daemon) Run(ctx, cut context.Context) error {
	defer d.set.Close()
	watcher := admin.Watch(d.Watch)
	defer watcher.Close()
	defer d.control.Serve(d.operators(watcher), d.log)()
	defer d.admin.Show(watcher)()
	defer d.who.keepUp(d.cfg)()
	d.log.Info("backend runs", "destination", d.Address(), "frontends", d.frontends(), "control", d.cfg.Control)
	defer d.log.Info("backend ends")
	farewell := Farewell{Limit: d.cfg.DrainLimit, Leave: d.leave, Set: d.set}
	return farewell.Run(ctx, cut, func(ctx context.Context) error { return backend.Run(ctx, d.host, d.set) })
}

// leaveTime is what frontends have to confirm that nothing new is to come here.
const leaveTime = time.Second

// leave has new visitors go to other backends, if there are any.
func (d *Daemon) leave() {
	d.draining.Store(true)
	d.log.Info("backend drains", "limit", d.cfg.DrainLimit.String())
	if d.who.host.Name == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), leaveTime)
	defer cancel()
	// It would wait for the streams as well; they are the services' to end.
	_ = d.host.Drain(ctx)
}

func (d *Daemon) frontends() (names []string) {
	for _, f := range d.cfg.Frontends {
		names = append(names, f.Name+"="+f.Address)
	}
	return names
}
