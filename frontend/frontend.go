package frontend

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/onelease/onelease/i2p/i2cp"
	"github.com/onelease/onelease/i2p/sam"
	"github.com/onelease/onelease/internal/memconn"
)

// A Frontend is one router's part. Its methods may be called by many
// goroutines, before, during and after Run.
type Frontend struct {
	cfg      Config
	log      *slog.Logger
	server   *sam.Server
	leases   *keeper
	control  *control
	upstream *upstream // nil unless Config.Router.SAM is set
	traffic  traffic
	drain    *drain
	// newcomers belongs to the goroutine that hears the router.
	newcomers *newcomers

	client   atomic.Pointer[i2cp.Client] // nil before the first
	ran      atomic.Bool
	running  context.Context // ends with Run
	stop     context.CancelFunc
	serving  sync.WaitGroup // DialSAM's connections; no Add after stop
	probing  sync.WaitGroup // probes and looks that a balancer asked for
	probeOne sync.Mutex     // held by the one probe
	looking  sync.Mutex     // held by the one look

	mu          sync.Mutex
	routerError string
	quirk       Quirk
	probed      bool
	lastConfig  []byte // the newest signed session configuration
}

// traffic counts packets.
type traffic struct{ in, out, dropped atomic.Uint64 }

// New checks cfg and returns a Frontend that does nothing until Run. The error
// is ErrConfig.
func New(cfg Config) (*Frontend, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	f := &Frontend{cfg: cfg, quirk: cfg.DontPublish, drain: newDrain(), newcomers: newNewcomers()}
	f.log = newLogger(&cfg)
	f.running, f.stop = context.WithCancel(context.Background())
	f.leases = newKeeper(f.log, f)
	if err := f.leases.adoptFence(cfg.Dir); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	f.control = newControl(&f.cfg, f)
	var host sam.Host = i2cpHost{f}
	if cfg.Router.SAM != nil {
		f.upstream = newUpstream(f)
		host = f.upstream
	}
	f.server = sam.NewServer(sam.ServerConfig{
		Host: host, Logger: f.log, Refuge: cfg.Refuge, Name: cfg.Name, BackendName: cfg.backendName,
	})
	if f.upstream != nil {
		f.upstream.tellBackendsApart()
	}
	return f, nil
}

// errRan says that Run was called before.
var errRan = errors.New("frontend: Run was called before; make another with New")

// Run serves until ctx ends, and returns nil then. It rides out whatever may
// come back: a router or balancers that are away, or refuse. The error is that
// of a SAM listener. It is called once.
//
// At the end backends and the router go first and the control link last, so
// that the balancers hear at once that the router's tunnels are gone.
func (f *Frontend) Run(ctx context.Context) error {
	if f.ran.Swap(true) {
		return errRan
	}
	controlCtx, stopControl := context.WithCancel(context.WithoutCancel(ctx))
	var control sync.WaitGroup
	if f.upstream == nil {
		control.Go(func() { f.control.run(controlCtx) })
	}
	group, groupCtx := errgroup.WithContext(ctx)
	for _, ln := range f.cfg.SAM {
		group.Go(func() error { return f.serveSAM(groupCtx, ln) })
	}
	group.Go(func() error {
		if f.upstream != nil {
			return f.upstream.run(groupCtx)
		}
		return f.runRouter(groupCtx)
	})
	err := group.Wait()
	f.mu.Lock()
	f.stop()
	f.mu.Unlock()
	f.server.Close()
	f.serving.Wait()
	f.probing.Wait()
	stopControl()
	control.Wait()
	f.drain.stop()
	f.leases.stop()
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// DialSAM attaches a backend of the same process: it returns a connection to
// the SAM server, through memory. It fails with ErrPublisherOnly, or with
// net.ErrClosed once Run has ended.
func (f *Frontend) DialSAM(ctx context.Context) (net.Conn, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err := f.enter(); err != nil {
		return nil, err
	}
	client, server := memconn.Pair("SAM of " + f.cfg.Name)
	go func() {
		defer f.serving.Done()
		f.server.ServeConn(server)
	}()
	return client, nil
}

// ServeSAM attaches the backend at the other end of conn, whom the caller trusts, and
// serves it until conn ends. It fails as DialSAM does.
func (f *Frontend) ServeSAM(conn net.Conn) error {
	if err := f.enter(); err != nil {
		return err
	}
	defer f.serving.Done()
	f.server.ServeConn(conn)
	return nil
}

// enter has Run's end wait for serving.Done.
func (f *Frontend) enter() error {
	if !f.cfg.Member {
		return fmt.Errorf("frontend %s: %w", f.cfg.Name, ErrPublisherOnly)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.running.Err() != nil {
		return fmt.Errorf("frontend %s: %w", f.cfg.Name, net.ErrClosed)
	}
	f.serving.Add(1)
	return nil
}

func (f *Frontend) describeBackends(s *Status) {
	for _, session := range f.server.Sessions() {
		s.Backends++
		if session.Backend != nil {
			s.Named = append(s.Named, *session.Backend)
		}
	}
	lost := f.server.Stats()
	s.Orphaned, s.Unserved = lost.Orphaned, lost.Unserved
}

// Status returns a snapshot.
func (f *Frontend) Status() Status {
	s := Status{
		Name: f.cfg.Name, Mode: ModeOneLease, Member: f.cfg.Member, Publisher: f.cfg.Publisher, Refuge: f.cfg.Refuge,
		Balancer:   f.control.attachedTo(),
		PacketsIn:  f.traffic.in.Load(),
		PacketsOut: f.traffic.out.Load(),
		Dropped:    f.traffic.dropped.Load(),
	}
	f.describeBackends(&s)
	s.DrainUntil = f.drain.limit()
	s.Draining = !s.DrainUntil.IsZero()
	f.leases.describe(&s)
	if f.upstream != nil {
		f.upstream.describe(&s)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	s.RouterError, s.Quirk, s.QuirkProbed = f.routerError, f.quirk, f.probed
	return s
}
