package i2cp

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/onelease/onelease/i2p"
)

// A Handler is told what a Client's router says. Its methods are called one
// at a time, off the loop that reads from the router: while one runs nothing
// else arrives. They may call Send and InstallLeaseSet, but nothing that waits for
// the router.
type Handler interface {
	// SessionUp says that the router made a session.
	SessionUp()
	// SessionDown says why there is no session: it ended, or an attempt to
	// get one failed. The Client tries again unless Run returns.
	SessionDown(err error)
	// LeasesRequested brings the session's inbound tunnels, first when they
	// are ready, then on each change. The answer is InstallLeaseSet, within
	// milliseconds: meanwhile i2pd tells of no further change, after 10 s it
	// ends the session.
	LeasesRequested(leases []i2p.Lease)
	// Message brings a message. p.Data is valid only during the call.
	Message(p Payload)
	// MessageStatus says what became of the message sent with nonce. No
	// status means that it was delivered.
	MessageStatus(nonce uint32, status Status)
}

// A Client keeps a session on one router. Its methods may be called by many
// goroutines, at any time.
type Client struct {
	cfg      Config
	handler  Handler
	counters counters
	// current is the session, nil while there is none.
	current atomic.Pointer[session]
	// everUp is for Run's goroutine only: some session was made.
	everUp bool

	// install is held while a LeaseSet is checked and sent, so that they go
	// out in the order of their dates.
	install   sync.Mutex
	published time.Time // of the newest LeaseSet, over all sessions
	installed []byte    // that LeaseSet
}

// New returns a client that does nothing until Run.
func New(cfg Config, h Handler) *Client {
	return &Client{cfg: cfg.withDefaults(), handler: h}
}

// Run keeps a session on the router, and makes another when it is lost, until
// ctx ends or the router refuses for a reason that trying again does not mend:
// then it returns ctx's error, or ErrInvalidSession or ErrUnauthorized. At the
// end of ctx it destroys the session and waits up to a second for that. It is
// called once.
func (c *Client) Run(ctx context.Context) error {
	backoff := c.cfg.MinBackoff
	for {
		up, err := c.connect(ctx)
		if up {
			c.everUp = true
			backoff = c.cfg.MinBackoff
		}
		if up || ctx.Err() == nil {
			c.handler.SessionDown(err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if c.final(err) {
			return err
		}
		wait := backoff/2 + rand.N(backoff/2+1)
		c.cfg.Logger.Warn("no session with the router", "router", c.cfg.Addr, "err", err, "retry", wait)
		if !sleep(ctx, wait) {
			return ctx.Err()
		}
		backoff = min(2*backoff, c.cfg.MaxBackoff)
	}
}

// connect gets one session and serves it to its end. The error is never nil.
func (c *Client) connect(ctx context.Context) (up bool, err error) {
	s, err := c.open(ctx)
	if err != nil {
		return false, err
	}
	defer s.close()
	if err := s.handshake(ctx); err != nil {
		return false, err
	}
	c.counters.sessions.Add(1)
	c.cfg.Logger.Info("session with the router", "router", c.cfg.Addr, "session", s.id, "version", s.version)
	c.current.Store(s)
	defer c.current.Store(nil)
	c.handler.SessionUp()
	return true, s.serve(ctx)
}

// final reports whether trying again after err is of no use. A configuration
// that once made a session is not invalid: then the router has not noticed
// yet that the last connection is gone.
func (c *Client) final(err error) bool {
	return errors.Is(err, ErrUnauthorized) || errors.Is(err, ErrInvalidSession) && !c.everUp
}

// sleep waits for d and reports whether ctx is still on.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// InstallLeaseSet gives the router a signed LeaseSet2 and the private keys of
// its encryption keys, asked for or not; nothing comes back. Before anything
// is sent it is checked as a router would, see ErrInvalidLeaseSet, ErrNotNewer
// and ErrTooEarly: each new one has to be published later than all before,
// also those of earlier sessions. The newest may be sent again as it was.
func (c *Client) InstallLeaseSet(leaseSet []byte, keys []PrivateKey) error {
	c.install.Lock()
	defer c.install.Unlock()
	s := c.current.Load()
	switch {
	case s == nil:
		return ErrNoSession
	case !s.requested.Load():
		return ErrTooEarly
	}
	ls, err := checkLeaseSet(leaseSet, keys, s.destination, s.routerNow())
	if err != nil {
		return err
	}
	if !ls.Published.After(c.published) && string(leaseSet) != string(c.installed) {
		return fmt.Errorf("published %v, the last %v: %w", ls.Published.Unix(), c.published.Unix(), ErrNotNewer)
	}
	if err := s.sendFrame(CreateLeaseSet2{Session: s.id, LeaseSet: leaseSet, Keys: keys}); err != nil {
		return fmt.Errorf("install LeaseSet: %w", err)
	}
	c.published, c.installed = ls.Published, append(c.installed[:0], leaseSet...)
	return nil
}

// Reconfigure changes options of the session; signed is what
// BuildSessionConfig made. It waits for the router's answer, at most
// Config.HandshakeTimeout; ErrInvalidSession says that the router refused.
func (c *Client) Reconfigure(ctx context.Context, signed []byte) error {
	s := c.current.Load()
	if s == nil {
		return ErrNoSession
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.cfg.HandshakeTimeout, ErrUnresponsive)
	defer cancel()
	if err := s.reconfigure(ctx, signed); err != nil {
		return fmt.Errorf("reconfigure session: %w", err)
	}
	return nil
}
