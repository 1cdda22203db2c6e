package guest

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/onelease/onelease/internal/accept"
	"github.com/onelease/onelease/internal/lobby"
)

// A Server has guests: frontends of other processes' Destinations on its router. Its
// methods may be called by many goroutines.
type Server struct {
	cfg   ServerConfig
	log   *slog.Logger
	lobby lobby.Lobby // of those who shake hands

	ctx    context.Context // ends with Close
	cancel context.CancelFunc

	mu      sync.Mutex
	guests  map[key]*guest
	lines   []*line // the oldest first
	refused uint64
	closed  bool
	running sync.WaitGroup // guests and lines; no Add once closed
}

// NewServer returns a Server without guests. The error is ErrConfig.
func NewServer(cfg ServerConfig) (*Server, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, log: cfg.Logger.With("part", "guests"), guests: map[key]*guest{}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s, nil
}

// Serve serves backends that connect to ln, by TLS, until ctx or the Server ends, and
// closes ln. It returns nil then.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	if s.cfg.TLS == nil || s.cfg.BackendName == nil || s.cfg.TLS.ClientAuth != tls.RequireAndVerifyClientCert || !slices.Contains(s.cfg.TLS.NextProtos, ALPN) {
		ln.Close()
		return fmt.Errorf("%w: Serve needs BackendName, and TLS with RequireAndVerifyClientCert and the protocol %q", ErrConfig, ALPN)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	return accept.Each(ctx, ln, "accept backends with guests", s.greet)
}

// pause waits for d or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// greet shakes hands with who comes, and serves it if it may have guests.
func (s *Server) greet(ctx context.Context, nc net.Conn) {
	secured := tls.Server(nc, s.cfg.TLS)
	backend, err := s.shake(ctx, nc, secured)
	if err != nil {
		nc.Close()
		s.noteRefused()
		s.log.Debug("a backend is not let in", "from", nc.RemoteAddr(), "err", err) // strangers may be many
		return
	}
	s.ServeConn(ctx, secured, backend)
}

func (s *Server) shake(ctx context.Context, nc net.Conn, secured *tls.Conn) (backend string, err error) {
	s.lobby.Enter(nc)
	defer s.lobby.Leave(nc)
	ctx, cancel := context.WithTimeout(ctx, shakeTime)
	defer cancel()
	if err := secured.HandshakeContext(ctx); err != nil {
		return "", err
	}
	state := secured.ConnectionState()
	if state.NegotiatedProtocol != ALPN {
		return "", fmt.Errorf("it does not speak %s: this port is for guests, those of --sam are for backends of this Destination", ALPN)
	}
	return s.cfg.BackendName(state.PeerCertificates[0]) // TLS demands one
}

func (s *Server) noteRefused() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused++
}

// Status is a snapshot of a Server.
type Status struct {
	// Guests are all, Lingering those of them whose backend is not connected.
	Guests, Lingering int
	// Backends has how many guests each backend has that is connected or has any.
	Backends map[string]int
	// Refused counts connections and guests that were not let in.
	Refused uint64
}

// Status returns a snapshot.
func (s *Server) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	status := Status{Guests: len(s.guests), Backends: map[string]int{}, Refused: s.refused}
	for _, l := range s.lines {
		status.Backends[l.backend] += 0
	}
	for k, g := range s.guests {
		status.Backends[k.backend]++
		if g.line == nil {
			status.Lingering++
		}
	}
	return status
}

// Close ends all guests and connections, and waits until they have ended.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	s.running.Wait()
	return nil
}
