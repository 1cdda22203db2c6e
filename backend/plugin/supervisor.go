package plugin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/onelease/onelease/backend"
)

// timing is what tests shorten.
type timing struct {
	health    time.Duration // between checks, and how long each may take
	accept    time.Duration // how long a stream waits for a plugin
	preface   time.Duration // how long a connection may take to say what it is for
	portGrace time.Duration // how long a new instance may take to open the ports of the old
	linger    time.Duration // how long what a plugin that ended has sent may take to go out
	backoff   backoff
}

var defaultTiming = timing{
	health:    4 * time.Second, // a hang is ended after 16 s at most
	accept:    30 * time.Second,
	preface:   5 * time.Second,
	portGrace: 10 * time.Second,
	linger:    2 * time.Minute,
	backoff:   backoff{first: 250 * time.Millisecond, most: time.Minute, stable: time.Minute},
}

// A Supervisor runs a plugin. Its methods may be called by many goroutines.
type Supervisor struct {
	cfg     Config
	timing  timing
	reloads chan reload

	// While Serve runs:
	log      *slog.Logger
	node     backend.Node
	ports    *portTable
	logLimit logLimit
	work     sync.WaitGroup  // goroutines of ports
	closing  context.Context // ends when nothing is waited for any more
	closeNow context.CancelFunc

	mu        sync.Mutex
	serving   bool
	instances []*instance // that live, or whose streams do; oldest first
	past      Traffic     // of those that were forgotten
	restarts  uint64
	reloaded  uint64
	nextStart time.Time
	lastExit  Exit
}

// New makes a Supervisor of a Config, which it checks: the program or the catalog's entry
// must be there and safe to run. It starts nothing. Errors are ErrConfig, ErrChecksum,
// catalog.ErrNotFound and catalog.ErrUnsafe.
func New(c Config) (*Supervisor, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	spec, err := c.resolve()
	if err != nil {
		return nil, err
	}
	spec.release()
	c.setDefaults()
	return &Supervisor{cfg: c, timing: defaultTiming, reloads: make(chan reload)}, nil
}

// Serve runs the plugin until ctx ends; then it drains it and returns nil. It returns nil
// before if the plugin's service has done its work. A plugin that fails is
// started again, at once the first time and then after ever longer, up to a minute; with
// Config.MustStart its first failure to start is an error of Serve.
//
// Only one Serve may run at a time.
func (s *Supervisor) Serve(ctx context.Context, node backend.Node) error {
	if err := s.begin(node); err != nil {
		return err
	}
	defer s.finish()
	return s.run(ctx)
}

func (s *Supervisor) begin(node backend.Node) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.serving {
		return fmt.Errorf("plugin %s is being served already", s.cfg.Name)
	}
	s.serving = true
	s.node, s.log = node, s.cfg.logger(node.Logger())
	s.ports = newPortTable(s)
	s.closing, s.closeNow = context.WithCancel(context.Background())
	return nil
}

// finish waits for what is left of instances. The ports are closed first, so that
// nothing new comes; what instances sent to their end has until then gone out, or
// is cut with the drain limit.
func (s *Supervisor) finish() {
	s.ports.closeAll()
	late := time.AfterFunc(s.cfg.DrainLimit, s.closeNow)
	defer late.Stop()
	s.mu.Lock()
	left := slices.Clone(s.instances)
	s.mu.Unlock()
	for _, i := range left {
		<-i.gone
	}
	s.closeNow()
	s.work.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serving = false
}

// activate has an instance get the ports that it opens.
func (s *Supervisor) activate(i *instance) {
	i.setState(Running)
	s.ports.reassign()
	time.AfterFunc(s.timing.portGrace, func() {
		if i.getState() == Running && i.ctx.Err() == nil {
			s.ports.reap()
		}
	})
}

func (s *Supervisor) remember(i *instance) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nextStart = time.Time{}
	s.instances = append(s.instances, i)
}

// ended notes how an instance ended.
func (s *Supervisor) ended(i *instance) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastExit = i.exit()
}

func (s *Supervisor) forget(i *instance) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.instances = slices.DeleteFunc(s.instances, func(other *instance) bool { return other == i })
	s.past = s.past.plus(i.traffic.snapshot())
}

// Stats may be called at any time.
func (s *Supervisor) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := Stats{
		Name: s.cfg.Name, Restarts: s.restarts, Reloads: s.reloaded, NextStart: s.nextStart,
		LastExit: s.lastExit, Traffic: s.past, LogSuppressed: s.logLimit.suppressedInAll(),
	}
	for _, i := range slices.Backward(s.instances) {
		traffic := i.traffic.snapshot()
		stats.Traffic = stats.Traffic.plus(traffic)
		if !isClosed(i.done) {
			stats.Instances = append(stats.Instances, i.stats(traffic))
		}
	}
	if s.ports != nil {
		stats.Ports, stats.Waiting, stats.Unaccepted = s.ports.stats()
	}
	return stats
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// errServiceDone is for the loop only: the service has done its work.
var errServiceDone = errors.New("the service has done its work")

var _ backend.Service = (*Supervisor)(nil)
