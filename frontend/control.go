package frontend

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/way"
)

// controlVersion is the version of the control protocol.
const controlVersion = 1

const (
	// minRetry is the wait before what failed is tried again, at first, and
	// maxRetry at last.
	minRetry = 100 * time.Millisecond
	maxRetry = 5 * time.Second
	// maxRedirects is how often in a row a redirect is followed at once:
	// balancers that have just lost their leader may point at each other.
	maxRedirects = 3
)

var (
	errNoLeader = errors.New("no balancer leads now")
	// errLost says that a leader is silent or does not lead any more.
	errLost = errors.New("leader lost")
)

// controlEvents is what the control link needs of its frontend.
type controlEvents interface {
	// welcome says which Destination is hosted, and the key of its stream IDs.
	welcome(dest i2p.Destination, idKey []byte) error
	// pool is the router's pool as it is now.
	pool() *controlpb.Pool
	// install takes a LeaseSet. It does not wait for anything.
	install(m *controlpb.Install)
	// probe starts a self-test, whose reply comes later.
	probe(id uint64)
	// look starts a look into the netDB, whose reply comes later.
	look(id uint64)
	// drained begins or ends a drain.
	drained(m *controlpb.Drain)
	// drainUntilMs is the limit of the drain, 0 if there is none.
	drainUntilMs() int64
}

// A control is the frontend's line to the leader: it finds it, stays with it,
// and says what there is to say. What it has to say is kept as flags and not
// in a queue, so that a new leader hears how things are and not how they were.
type control struct {
	cfg    ControlConfig
	self   *Config
	log    *slog.Logger
	events controlEvents
	wake   chan struct{} // something below changed

	unreachable string // of run: the balancer that could not be reached just now

	mu       sync.Mutex
	attached string // the leader's address, empty if none
	pool     bool   // the pool is to be reported
	ask      *controlpb.SessionRequest
	unsaid   bool // ask is to be sent
	answer   chan []byte
	replies  []*controlpb.FrontendMessage
}

func newControl(cfg *Config, events controlEvents) *control {
	return &control{
		cfg:    cfg.Control,
		self:   cfg,
		log:    newLogger(cfg),
		events: events,
		wake:   make(chan struct{}, 1),
		answer: make(chan []byte, 1),
	}
}

// greeting says who this is and what it has heard.
func (c *control) greeting() *controlpb.Hello {
	return &controlpb.Hello{
		Version: controlVersion, Name: c.self.Name, Member: c.self.Member && !c.self.Refuge, Publisher: c.self.Publisher, Refuge: c.self.Refuge,
		DrainUntilMs: c.events.drainUntilMs(), ClockMs: time.Now().UnixMilli(), Unreachable: c.unreachable,
	}
}

// run keeps attached to the leader until ctx ends.
func (c *control) run(ctx context.Context) {
	s := search{balancers: c.cfg.Balancers, next: rand.IntN(len(c.cfg.Balancers)), wait: minRetry}
	for ctx.Err() == nil {
		target := s.target()
		began := time.Now()
		attached, leader, err := c.attach(ctx, target)
		if ctx.Err() != nil {
			return
		}
		if attached {
			s.lost(target, time.Since(began))
		}
		c.unreachable = ""
		switch {
		case leader != "" && !c.cfg.way().Reaches(leader):
			err = fmt.Errorf("%w: it names %s, which is not on the loopback: set Control.TLS", errNoLeader, leader)
		case leader != "" && s.follow(leader):
			continue
		case leader == "" && !errors.Is(err, errNoLeader):
			c.unreachable = target
		}
		c.log.Warn("not attached to a balancer", "balancer", target, "err", err)
		if !s.hurry() {
			s.rest(ctx)
		}
	}
}

// way is how balancers are reached.
func (c *ControlConfig) way() way.Way { return way.Way{Dial: c.Dial, TLS: c.TLS} }

// connect returns a connection to a balancer and what ends it.
func (c *ControlConfig) connect(target string) (grpc.ClientConnInterface, func(), error) {
	if c.Conn != nil {
		return c.Conn, func() {}, nil
	}
	conn, err := c.way().Connect(target)
	if err != nil {
		return nil, nil, err
	}
	return conn, func() { conn.Close() }, nil
}

// sleep waits for d or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// attach serves one connection to its end, and says whether it was with the
// leader. If it was not, leader is where that one is said to be.
func (c *control) attach(ctx context.Context, target string) (attached bool, leader string, err error) {
	conn, hangUp, err := c.cfg.connect(target)
	if err != nil {
		return false, "", err
	}
	defer hangUp()
	l := newLink(ctx, c, target, controlpb.NewControlClient(conn))
	defer l.close()
	welcome, err := l.hello(ctx)
	if err != nil {
		return false, l.redirect, err
	}
	dest, n, err := i2p.ParseDestination(welcome.GetDestination())
	if err == nil && n != len(welcome.GetDestination()) {
		err = i2p.ErrInvalid
	}
	if err == nil {
		err = c.events.welcome(dest, welcome.GetStreamIdKey())
	}
	if err != nil {
		return false, "", fmt.Errorf("welcome from balancer %s: %w", target, err)
	}
	c.log.Info("attached to the leading balancer", "balancer", target, "term", welcome.GetTerm())
	c.begin(target)
	defer c.begin("")
	return true, "", l.serve(ctx)
}
