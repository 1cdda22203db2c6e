package delegate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/datagram"
)

const (
	// minRetry and maxRetry bound the wait before the next balancer is asked.
	minRetry = 100 * time.Millisecond
	maxRetry = 5 * time.Second
	// calmRetry is maxRetry while what there is lasts for calmLife.
	calmRetry = time.Minute
	calmLife  = time.Hour
	// deniedRetry is the wait after a refusal, which takes a person to mend.
	deniedRetry = 30 * time.Second
)

// A Client keeps a permission to sign for the Destination. It is
// backend.Credentials; its methods may be called by many goroutines.
type Client struct {
	cfg Config
	log *slog.Logger

	mu      sync.Mutex
	running bool
	origin  *datagram.Origin
	changed chan struct{} // closed, and replaced, when origin changes
	renewed uint64
	failed  error // why the last attempt failed; nil if it did not
}

// New returns a Client that does nothing until Run. An error is ErrConfig.
func New(cfg Config) (*Client, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Client{cfg: cfg, log: cfg.Logger.With("part", "delegate"), changed: make(chan struct{})}, nil
}

// Run gets a permission and renews it at half of its life, until ctx ends, which
// is no error. It can be called once.
func (c *Client) Run(ctx context.Context) error {
	c.mu.Lock()
	again := c.running
	c.running = true
	c.mu.Unlock()
	if again {
		return errors.New("delegate: Run was called before: make a new Client")
	}
	for ctx.Err() == nil {
		origin := c.obtain(ctx)
		if origin == nil {
			return nil
		}
		c.take(origin)
		if origin.Offline == nil { // handed over, for good
			<-ctx.Done()
			return nil
		}
		sleep(ctx, renewAfter(time.Until(origin.Offline.Expires)))
	}
	return nil
}

// renewAfter is half of a life, give or take a tenth of it, so that backends
// that began together do not ask together.
func renewAfter(life time.Duration) time.Duration {
	tenth := max(life/10, 1)
	return life/2 - tenth + rand.N(2*tenth)
}

// obtain asks the balancers, one after the other, until one gives what is good;
// nil if ctx ended.
func (c *Client) obtain(ctx context.Context) *datagram.Origin {
	around, wait := newRound(c.cfg.Balancers), minRetry
	for ctx.Err() == nil {
		target := around.target()
		origin, leader, err := c.ask(ctx, target)
		if err == nil && leader != "" {
			if err = c.mayFollow(leader); err == nil && around.follow(leader) {
				continue
			}
		}
		if origin != nil || ctx.Err() != nil {
			return origin
		}
		c.failing(target, cmp.Or(err, errCircle))
		if errors.Is(err, ErrDenied) {
			wait = deniedRetry
		}
		sleep(ctx, wait/2+rand.N(wait/2))
		wait = min(2*wait, c.longest())
	}
	return nil
}

// mayFollow says why a redirect to leader is not followed.
func (c *Client) mayFollow(leader string) error {
	if c.cfg.way().Reaches(leader) {
		return nil
	}
	return fmt.Errorf("%w: it names %s, which is not on the loopback: set TLS", errNoLeader, leader)
}

// longest is the longest wait between two attempts.
func (c *Client) longest() time.Duration {
	if o := c.Origin(); o != nil && !o.Expired(time.Now().Add(calmLife)) {
		return calmRetry
	}
	return maxRetry
}

// failing notes and logs why there is no new permission.
func (c *Client) failing(balancer string, err error) {
	c.mu.Lock()
	news := c.failed == nil || c.failed.Error() != err.Error()
	c.failed = err
	c.mu.Unlock()
	if news {
		c.log.Warn("no new permission to sign, trying again", "balancer", balancer, "error", err)
	}
}

// take has origin used from now on.
func (c *Client) take(origin *datagram.Origin) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.origin, c.failed = origin, nil
	c.renewed++
	close(c.changed)
	c.changed = make(chan struct{})
	if origin.Offline == nil {
		c.log.Warn("the Destination's own key was handed over", "destination", origin.Destination.Base32())
		return
	}
	c.log.Info("permission to sign", "destination", origin.Destination.Base32(), "until", origin.Offline.Expires)
}

// Origin implements backend.Credentials.
func (c *Client) Origin() *datagram.Origin {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.origin
}

// Changed implements backend.Credentials.
func (c *Client) Changed() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changed
}

// destination is the one to expect, zero if any will do.
func (c *Client) destination() i2p.Destination {
	if !c.cfg.Destination.IsZero() {
		return c.cfg.Destination
	}
	if o := c.Origin(); o != nil {
		return o.Destination
	}
	return i2p.Destination{}
}

// Status is a snapshot of a Client.
type Status struct {
	// Destination is zero until it is known.
	Destination i2p.Destination
	// Expires is when the permission ends; zero if there is none, or the key was
	// handed over.
	Expires time.Time
	// HandedOver says that the Destination's own key is used.
	HandedOver bool
	// Renewed counts the permissions so far.
	Renewed uint64
	// Error is why the last attempt to get one failed; empty if it did not.
	Error string
}

// Status is how things are.
func (c *Client) Status() Status {
	s := Status{Destination: c.destination()}
	c.mu.Lock()
	defer c.mu.Unlock()
	s.Renewed = c.renewed
	if c.failed != nil {
		s.Error = c.failed.Error()
	}
	if c.origin != nil && c.origin.Offline != nil {
		s.Expires = c.origin.Offline.Expires
	}
	s.HandedOver = c.origin != nil && c.origin.Offline == nil
	return s
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

var _ backend.Credentials = (*Client)(nil)
