package sam

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/accept"
	"github.com/onelease/onelease/internal/owner"
)

// A Host is what a Server works for: the holder of one I2CP session.
type Host interface {
	// Destination is the hosted Destination; false says that the router
	// behind it is down, so that no session may begin. Server.HostUp is owed a
	// call when it becomes true.
	Destination() (i2p.Destination, bool)
	// Send hands a packet to the router. It must not block, nor keep p.Data.
	// An error says that the packet was not taken; it may wrap a Result. If
	// p.ID is not 0 and Send succeeds, Server.Status is owed a call with it.
	Send(p Packet) error
	// Lookup resolves a b32 address or a host name. An error may wrap a
	// Result: ResultKeyNotFound if there is no such name. It returns when
	// ctx ends, or it holds up the end of its connection.
	Lookup(ctx context.Context, name string) (i2p.Destination, error)
}

// A ServerConfig says how to serve. Only Host must be set.
type ServerConfig struct {
	Host Host
	// Logger takes what goes wrong; nil is slog.Default().
	Logger *slog.Logger
	// QueueLimit is how many bytes may wait for one backend; what comes then
	// is dropped and counted. Default 4 MiB: about a second of a fast router.
	QueueLimit int
	// WriteTimeout ends the connection of a backend that takes nothing in
	// for so long. Default 10 s.
	WriteTimeout time.Duration
	// HelloTimeout is how long a client may take for HELLO, and again for
	// the command after it. Default 1 min.
	HelloTimeout time.Duration
	// MaxConns is how many connections are served at once. Default 256.
	MaxConns int
	// Name is the frontend's own, for backends that have names: by it they choose
	// alike among frontends. Empty: they go by what they call it themselves.
	Name string
	// BackendName, if set, is asked for the name that the backend at the other end
	// of a connection must have, if it is to have one; empty is any.
	BackendName func(net.Conn) (string, error)
	// Refuge says that the router takes in what no other can serve: sessions
	// that want to know of drains are told, for it is no choice for others.
	Refuge bool
}

func (c ServerConfig) withDefaults() ServerConfig {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	c.QueueLimit = defaultTo(c.QueueLimit, 4<<20)
	c.WriteTimeout = defaultTo(c.WriteTimeout, 10*time.Second)
	c.HelloTimeout = defaultTo(c.HelloTimeout, time.Minute)
	c.MaxConns = defaultTo(c.MaxConns, 256)
	return c
}

func defaultTo[T int | time.Duration](v, fallback T) T {
	if v == 0 {
		return fallback
	}
	return v
}

// A Server lets backends attach to the Destination of its Host. Its methods
// may be called by many goroutines.
type Server struct {
	cfg    ServerConfig
	log    *slog.Logger
	ctx    context.Context // ends with Close
	cancel context.CancelFunc

	// live are the sessions that packets go to, replaced whole by add and
	// remove so that Deliver takes no lock.
	live      atomic.Pointer[roster]
	ids       atomic.Pointer[owner.IDs] // nil: no backend has a name
	udp       atomic.Pointer[udpBridge]
	pending   pending
	pings     pings
	began     began
	waiting   waiters
	stats     counters
	started   time.Time
	published atomic.Uint32 // see SetPublished; 0: not known

	mu       sync.Mutex
	conns    map[*conn]struct{}
	sessions map[string]*session // by ID
	draining bool                // see SetDraining
	serving  sync.WaitGroup      // no Add once ctx has ended
}

// NewServer returns a Server without a connection yet.
func NewServer(cfg ServerConfig) *Server {
	cfg = cfg.withDefaults()
	s := &Server{
		cfg:      cfg,
		log:      cfg.Logger.With("part", "sam"),
		conns:    make(map[*conn]struct{}),
		sessions: make(map[string]*session),
		started:  time.Now(),
		waiting:  waiters{conns: make(map[*conn]struct{})},
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.live.Store(new(roster))
	return s
}

// Serve serves the connections of ln until ctx or the Server ends, and then
// closes ln and them; that is no error.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	return accept.Each(ctx, ln, "accept SAM clients", s.serve)
}

// ServeConn serves one connection until it or the Server ends. The connection
// is the Server's and is closed then.
func (s *Server) ServeConn(nc net.Conn) { s.serve(s.ctx, nc) }

func (s *Server) serve(ctx context.Context, nc net.Conn) {
	c := newConn(s, nc)
	if err := s.admit(c); err != nil {
		c.refuse(err)
	}
	stop := context.AfterFunc(ctx, func() { c.end("the server is shutting down; use another") })
	c.run(ctx)
	stop()
	s.forget(c)
}

func (s *Server) admit(c *conn) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.conns) >= s.cfg.MaxConns {
		return Refusef(ResultI2PError, "all %d connections are taken; close some", s.cfg.MaxConns)
	}
	if s.ctx.Err() != nil {
		return Refusef(ResultI2PError, "the server is shutting down; use another")
	}
	s.conns[c] = struct{}{}
	s.serving.Add(1)
	return nil
}

func (s *Server) forget(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.conns[c]; ok {
		delete(s.conns, c)
		s.serving.Done()
	}
}

// Close ends all sessions and connections, and waits for them.
func (s *Server) Close() error {
	s.mu.Lock()
	s.cancel()
	s.mu.Unlock()
	s.serving.Wait()
	return nil
}
