package guest

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/hashicorp/yamux"
)

// A ClientConfig is where a frontend process takes guests.
type ClientConfig struct {
	// Name is the frontend's, for messages.
	Name string
	// Dial connects to its port for guests.
	Dial func(ctx context.Context) (net.Conn, error)
	// TLS is used above the connection, with a client certificate; it must make sure that
	// the other end is that frontend. Only without it what Dial returns is secured already.
	TLS *tls.Config
	// Logger is slog.Default if nil.
	Logger *slog.Logger
}

// Waits between attempts. The first is short since most frontends that go come back
// at once (a restart); a refusal takes a person to mend.
const (
	retryFirst   = 100 * time.Millisecond
	retryMost    = 5 * time.Second
	retryRefused = 30 * time.Second
)

// errNotConnected is why nothing works before the first connection.
var errNotConnected = errors.New("not connected yet")

// A Client is the connection to one frontend process, for all guests there. It makes it
// again whenever it is lost. Its methods may be called by many goroutines.
type Client struct {
	cfg      ClientConfig
	log      *slog.Logger
	instance instance

	mu      sync.Mutex
	guests  map[uint32]*Guest // those that run
	last    uint32            // ID
	session *yamux.Session    // nil while there is no connection
	reason  error             // why there is none
	changed chan struct{}     // closed and replaced when one of the last two is set
}

// NewClient returns a Client that does nothing until Run. The error is ErrConfig.
func NewClient(cfg ClientConfig) (*Client, error) {
	if cfg.Dial == nil {
		return nil, fmt.Errorf("%w: Dial is not set: it connects to the frontend", ErrConfig)
	}
	c := &Client{cfg: cfg, guests: map[uint32]*Guest{}, reason: errNotConnected, changed: make(chan struct{})}
	if cfg.TLS != nil {
		c.cfg.TLS = cfg.TLS.Clone()
		c.cfg.TLS.NextProtos = []string{ALPN}
	}
	c.log = cmp.Or(cfg.Logger, slog.Default()).With("part", "guests", "frontend", cfg.Name)
	_, _ = rand.Read(c.instance[:]) // it never fails
	return c, nil
}

// Run keeps connected until ctx ends. End the guests before: their frontends then end
// with them, and not after ServerConfig.Grace.
func (c *Client) Run(ctx context.Context) {
	said := ""
	for wait := retryFirst; ctx.Err() == nil; wait = min(2*wait, retryMost) {
		connected, err := c.connect(ctx)
		if ctx.Err() != nil {
			break
		}
		if connected {
			wait, said = retryFirst, ""
		}
		if text := err.Error(); text != said {
			c.log.Warn("not connected to a frontend", "err", err)
			said = text
		}
		c.set(nil, err)
		pause(ctx, wait/2+mathrand.N(wait)) // half to one and a half
	}
	c.set(nil, net.ErrClosed)
}

// connect serves one connection to its end.
func (c *Client) connect(ctx context.Context) (connected bool, err error) {
	conn, err := c.dial(ctx)
	if err != nil {
		return false, err
	}
	session, err := yamux.Client(conn, muxConfig())
	if err != nil {
		conn.Close()
		return false, err // only a wrong muxConfig
	}
	defer context.AfterFunc(ctx, func() { session.Close() })()
	// A server that lets nobody in closes the connection: one that answers has let us in.
	if _, err := session.Ping(); err != nil {
		session.Close()
		return false, fmt.Errorf("the frontend does not let this backend in, or went away: %w", err)
	}
	c.log.Info("connected to a frontend")
	c.set(session, nil)
	c.serve(ctx, session)
	return true, errLost
}

// errLost says that a connection was there and is not any more.
var errLost = errors.New("the connection is lost")

func (c *Client) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, shakeTime)
	defer cancel()
	raw, err := c.cfg.Dial(ctx)
	if err != nil || c.cfg.TLS == nil {
		return raw, err
	}
	conn := tls.Client(raw, c.cfg.TLS)
	if err = conn.HandshakeContext(ctx); err == nil && conn.ConnectionState().NegotiatedProtocol != ALPN {
		err = errOtherPort
	}
	if err != nil {
		raw.Close()
		return nil, err
	}
	return conn, nil
}

// errOtherPort says that the frontend is there, but not its guests' port.
var errOtherPort = errors.New("this port of the frontend is not for guests: give that of its --guests")

// set notes how the connection is.
func (c *Client) set(session *yamux.Session, reason error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.session, c.reason = session, reason
	close(c.changed)
	c.changed = make(chan struct{})
}

// now is the connection, or why there is none, until changed is closed.
func (c *Client) now() (session *yamux.Session, changed <-chan struct{}, reason error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session, c.changed, c.reason
}

// serve takes the streams of guests' control links.
func (c *Client) serve(ctx context.Context, session *yamux.Session) {
	var group sync.WaitGroup
	defer group.Wait()
	defer session.Close()
	for {
		st, err := session.AcceptStream()
		if err != nil {
			return
		}
		group.Go(func() { c.control(ctx, stream{st}) })
	}
}

// control hands a guest's line to its balancer.
func (c *Client) control(ctx context.Context, st stream) {
	if err := c.tryControl(ctx, st); err != nil {
		c.log.Debug("a guest does not reach its balancer", "err", err)
		st.Close()
	}
}

func (c *Client) tryControl(ctx context.Context, st stream) error {
	st.SetDeadline(time.Now().Add(shakeTime))
	h, err := readHeader(st)
	if err != nil {
		return err
	}
	if h.kind != kindControl || h.instance != c.instance {
		return errHeader
	}
	c.mu.Lock()
	g := c.guests[h.id]
	c.mu.Unlock()
	if g == nil {
		return errEnded
	}
	st.SetDeadline(time.Time{})
	return g.cfg.Control(ctx, st)
}

// Connected is whether there is a connection.
func (c *Client) Connected() bool {
	session, _, _ := c.now()
	return session != nil
}

// A ClientStatus is a snapshot of a Client.
type ClientStatus struct {
	// Name is the frontend's.
	Name string
	// Connected is whether there is a connection; else Error says why not.
	Connected bool
	Error     error
	// Guests are those that run, Open those that the frontend has.
	Guests, Open int
}

// Status returns a snapshot.
func (c *Client) Status() ClientStatus {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := ClientStatus{Name: c.cfg.Name, Connected: c.session != nil, Error: c.reason, Guests: len(c.guests)}
	for _, g := range c.guests {
		if g.on != nil {
			s.Open++
		}
	}
	return s
}
