package raftstate

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
)

// maxGreeting is how many accepted connections may be at their hello at a time.
// Further ones wait in the listener.
const maxGreeting = 32

// acceptPause is how long an error of the listener, such as too many open
// files, is waited out.
const acceptPause = 100 * time.Millisecond

// A stream makes and accepts the connections of a Transport. Each is tracked,
// so that Close ends all, the idle ones of raft's pool included.
type stream struct {
	config   TransportConfig
	contacts *contacts
	// Of the Store, once there is one.
	nodeAt   atomic.Pointer[func(addr string) string]
	hasState atomic.Pointer[func() bool]

	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
	greeted chan net.Conn
	work    sync.WaitGroup

	mu     sync.Mutex
	closed bool
	conns  map[*streamConn]struct{}
}

func newStream(c TransportConfig, known *contacts) *stream {
	s := &stream{config: c, contacts: known, greeted: make(chan net.Conn), conns: map[*streamConn]struct{}{}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.work.Go(s.listen)
	return s
}

// listen greets connections side by side: one that says nothing does not keep
// the others waiting.
func (s *stream) listen() {
	slots := make(chan struct{}, maxGreeting)
	for s.ctx.Err() == nil {
		conn, err := s.config.Listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return // whoever closed it is ending this node
		}
		if err != nil {
			s.acceptFailed(err)
			continue
		}
		select {
		case slots <- struct{}{}:
		case <-s.ctx.Done():
			conn.Close()
			return
		}
		s.work.Go(func() {
			defer func() { <-slots }()
			s.greet(conn)
		})
	}
}

func (s *stream) acceptFailed(err error) {
	if s.ctx.Err() != nil {
		return
	}
	s.config.Logger.Error("cannot accept connections of other nodes", "error", err)
	select {
	case <-s.ctx.Done():
	case <-time.After(acceptPause):
	}
}

// greet hands an accepted connection to raft once the hellos are said.
func (s *stream) greet(raw net.Conn) {
	conn := s.track(raw)
	if conn == nil {
		return
	}
	peer, err := s.answer(conn)
	if err != nil {
		if s.ctx.Err() == nil {
			s.config.Logger.Warn("refused a connection to the cluster", "node", peer.ID, "remote", raw.RemoteAddr(), "error", err)
		}
		conn.Close()
		return
	}
	select {
	case s.greeted <- conn:
	case <-s.ctx.Done():
		conn.Close()
	}
}

// answer reads the other's hello and tells it whether it is welcome.
func (s *stream) answer(conn net.Conn) (hello, error) {
	conn.SetDeadline(time.Now().Add(s.config.DialTimeout))
	peer, err := readHello(conn)
	if err == nil {
		err = s.check(conn, peer)
	}
	own := s.hello()
	if err != nil {
		own.Refusal = err.Error()
	}
	_, writeErr := conn.Write(own.encode())
	if err = errors.Join(err, writeErr); err != nil {
		return peer, err
	}
	s.know(peer)
	return peer, conn.SetDeadline(time.Time{})
}

func (s *stream) hello() hello {
	has := s.hasState.Load()
	return hello{
		ID: s.config.ID, Cluster: s.config.Cluster, MaxVersion: s.config.MaxVersion,
		HasState: has != nil && (*has)(),
	}
}

// check says why this node will not speak to the other.
func (s *stream) check(conn net.Conn, peer hello) error {
	switch {
	case peer.Cluster != s.config.Cluster:
		return fmt.Errorf("node %q is of cluster %q, and node %q of cluster %q; give it the same cluster, or the address of another node: %w",
			peer.ID, peer.Cluster, s.config.ID, s.config.Cluster, ErrNotMember)
	case peer.ID == s.config.ID:
		return fmt.Errorf("there are two nodes %q; give one another ID: %w", peer.ID, ErrNotMember)
	case s.config.Authorize == nil:
		return nil
	}
	if raw, ok := conn.(*streamConn); ok {
		conn = raw.Conn // what the caller has made, with its TLS state
	}
	if err := s.config.Authorize(conn, peer.ID); err != nil {
		return fmt.Errorf("node %q is not authorized: %w", peer.ID, err)
	}
	return nil
}

func (s *stream) know(peer hello) {
	s.contacts.update(peer.ID, func(c *contact) { c.version = peer.MaxVersion })
}

// Dial connects raft to the node at addr.
func (s *stream) Dial(addr raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	conn, peer, err := s.connect(s.ctx, string(addr))
	if err != nil {
		return nil, err
	}
	nodeAt := s.nodeAt.Load()
	if nodeAt == nil {
		return conn, nil
	}
	if want := (*nodeAt)(string(addr)); want != "" && want != peer.ID {
		conn.Close()
		return nil, fmt.Errorf("at %s is node %q, and not the member %q: %w", addr, peer.ID, want, ErrNotMember)
	}
	return conn, nil
}

// connect dials and says hello.
func (s *stream) connect(ctx context.Context, addr string) (net.Conn, hello, error) {
	ctx, cancel := context.WithTimeout(ctx, s.config.DialTimeout)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	raw, err := s.config.Dial(ctx, addr)
	if err != nil {
		return nil, hello{}, err
	}
	conn := s.track(raw)
	if conn == nil {
		return nil, hello{}, raft.ErrTransportShutdown
	}
	peer, err := s.introduce(ctx, conn)
	if err != nil {
		conn.Close()
		return nil, hello{}, fmt.Errorf("node at %s: %w", addr, err)
	}
	s.know(peer)
	return conn, peer, nil
}

// introduce says hello and hears whether this node is welcome.
func (s *stream) introduce(ctx context.Context, conn *streamConn) (hello, error) {
	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })()
	if _, err := conn.Write(s.hello().encode()); err != nil {
		return hello{}, err
	}
	peer, err := readHello(conn)
	switch {
	case err != nil:
		return peer, err
	case peer.Refusal != "":
		return peer, fmt.Errorf("node %q refuses this one: %s: %w", peer.ID, quote(peer.Refusal), ErrNotMember)
	}
	return peer, s.check(conn, peer)
}

// quote shows a text of another node in one line.
func quote(text string) string { return fmt.Sprintf("%q", text) }

// track returns nil, and closes the connection, if the stream is closed.
func (s *stream) track(raw net.Conn) *streamConn {
	conn := &streamConn{Conn: raw, stream: s}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		raw.Close()
		return nil
	}
	s.conns[conn] = struct{}{}
	return conn
}

// Accept returns the next connection that has been greeted.
func (s *stream) Accept() (net.Conn, error) {
	select {
	case conn := <-s.greeted:
		return conn, nil
	case <-s.ctx.Done():
		return nil, net.ErrClosed
	}
}

// Close ends all connections, and waits for those that are being greeted.
func (s *stream) Close() error {
	s.mu.Lock()
	s.closed = true
	conns := s.conns
	s.conns = nil
	s.mu.Unlock()
	s.cancel()
	err := s.config.Listener.Close()
	for conn := range conns {
		conn.Conn.Close()
	}
	s.work.Wait()
	return err
}

// Addr is what the others reach this node by.
func (s *stream) Addr() net.Addr { return advertised(s.config.Advertise) }

type advertised string

func (advertised) Network() string  { return "tcp" }
func (a advertised) String() string { return string(a) }

// A streamConn is a connection that is forgotten when it is closed.
type streamConn struct {
	net.Conn
	stream *stream
}

// Close closes the connection.
func (c *streamConn) Close() error {
	c.stream.mu.Lock()
	delete(c.stream.conns, c)
	c.stream.mu.Unlock()
	return c.Conn.Close()
}

var (
	_ raft.StreamLayer = (*stream)(nil)
	_ net.Conn         = (*streamConn)(nil)
)
