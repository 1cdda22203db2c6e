package i2cp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/coalesce"
)

// closeTimeout is how long the end of a session waits for the router.
const closeTimeout = time.Second

// A session is one connection to the router. Its fields are set up to the end
// of handshake and only read after it, but for those that say otherwise.
type session struct {
	client      *Client
	conn        net.Conn
	out         *coalesce.Writer
	in          *FrameReader
	inflater    Inflater // for the reading goroutine
	id          uint16
	destination i2p.Destination
	version     string        // what SetDate said of the router
	ended       chan struct{} // closed by close

	requested atomic.Bool  // the router has asked for a LeaseSet
	alive     atomic.Bool  // there was a sign of life since keepAlive last asked
	silent    atomic.Bool  // keepalive gave the connection up
	skew      atomic.Int64 // the router's clock less ours, in nanoseconds

	changing sync.Mutex        // held by the one Reconfigure
	changed  chan SessionState // its answer
	lookups  lookups
}

func newSession(c *Client, conn net.Conn) *session {
	s := &session{
		client:  c,
		conn:    conn,
		in:      NewFrameReader(conn),
		ended:   make(chan struct{}),
		changed: make(chan SessionState, 1),
		lookups: newLookups(),
	}
	s.out = coalesce.New(lifeWriter{s}, c.cfg.QueueSize)
	return s
}

// close ends the connection first: that frees a write that hangs, for which
// the queue's Close waits.
func (s *session) close() {
	close(s.ended)
	s.conn.Close()
	s.out.Close()
}

// serve reads until the session ends. The error is never nil.
func (s *session) serve(ctx context.Context) error {
	stop := context.AfterFunc(ctx, s.destroy)
	defer stop()
	go s.keepAlive()
	for {
		kind, body, err := s.in.Next()
		if err != nil {
			return s.readError(err)
		}
		s.alive.Store(true)
		if err := s.handle(kind, body); err != nil {
			return err
		}
	}
}

// destroy asks the router to end the session, and sees to it that serve
// returns even if it does not.
func (s *session) destroy() {
	s.sendFrame(DestroySession{s.id})
	s.conn.SetDeadline(time.Now().Add(closeTimeout))
}

// readError says in this package's words why reading ended.
func (s *session) readError(err error) error {
	switch {
	case s.silent.Load():
		return fmt.Errorf("%w: nothing came from %s for %v", ErrUnresponsive, s.client.cfg.Addr, s.client.cfg.KeepAlive)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w without a reason", ErrDisconnected)
	case errors.Is(err, ErrTooBig):
		return fmt.Errorf("%w: %w", ErrProtocol, err)
	}
	return fmt.Errorf("%w: %w", ErrDisconnected, err)
}

func (s *session) getDate() GetDate {
	return GetDate{Version: Version, Options: s.client.cfg.credentials()}
}

// routerNow is the router's time, by which it judges LeaseSets.
func (s *session) routerNow() time.Time {
	return time.Now().Add(time.Duration(s.skew.Load()))
}

// reconfigure sends a configuration and waits for what the router says to it.
func (s *session) reconfigure(ctx context.Context, signed []byte) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	select {
	case <-s.changed: // an answer that came too late for the last
	default:
	}
	if err := s.sendFrame(ReconfigureSession{s.id, signed}); err != nil {
		return err
	}
	select {
	case state := <-s.changed:
		if state == SessionUpdated {
			return nil
		}
		return fmt.Errorf("%w: session %v", ErrInvalidSession, state)
	case <-s.ended:
		return ErrNoSession
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
