package guest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/onelease/onelease/frontend"
)

// A key tells guests apart. The backend's name is that in its certificate.
type key struct {
	backend  string
	instance instance
	id       uint32
}

// A guest is one frontend that runs for a backend.
type guest struct {
	key
	roles    roles
	frontend *frontend.Frontend
	stop     context.CancelFunc
	done     chan struct{} // closed when the frontend has ended

	// Guarded by Server.mu.
	line   *line       // nil while it waits for its backend to come back
	grace  *time.Timer // runs while line is nil
	ending bool
}

// errAway says that the guest's backend is not connected.
var errAway = errors.New("the backend is not connected")

// open has a guest run, and stays until the backend or the frontend ends it.
func (l *line) open(st stream, h header) error {
	g, err := l.server.admit(l, h)
	if err != nil {
		return err
	}
	if l.accepted(st, nil) != nil {
		l.server.abandon(g, l)
		return nil
	}
	defer g.whenOver(func() { st.Close() })()
	var farewell [1]byte
	if n, _ := st.Read(farewell[:]); n == 0 {
		l.server.abandon(g, l)
		return nil
	}
	l.server.end(g)
	<-g.done // the backend learns by the stream's end that the router has none of it
	return nil
}

// whenOver calls f when the guest has ended, unless stop is called before.
func (g *guest) whenOver(f func()) (stop func()) {
	stopped := make(chan struct{})
	go func() {
		select {
		case <-g.done:
			f()
		case <-stopped:
		}
	}()
	return func() { close(stopped) }
}

// admit returns the guest that h asks for: a new one, or one that waited for l's backend.
func (s *Server) admit(l *line, h header) (*guest, error) {
	if wrong := h.roles &^ s.cfg.roles(); wrong != 0 {
		return nil, refuse(resultRefused, "this frontend's router is a %v, and takes no guest that is a %v", s.cfg.roles(), wrong)
	}
	for {
		g, wait, err := s.tryAdmit(l, h)
		if wait == nil {
			return g, err
		}
		select {
		case <-wait:
		case <-s.ctx.Done():
			return nil, refuse(resultFailed, "the frontend is shutting down")
		}
	}
}

// tryAdmit returns what has to end before it can be tried again, nil if nothing has.
func (s *Server) tryAdmit(l *line, h header) (_ *guest, wait <-chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, nil, refuse(resultFailed, "the frontend is shutting down")
	}
	k := l.key(h)
	if old := s.guests[k]; old != nil && old.ending {
		return nil, old.done, nil
	} else if old != nil {
		return old, nil, s.adoptLocked(old, l, h)
	}
	if g := s.leftoverLocked(k); g != nil {
		s.endLocked(g)
		return nil, g.done, nil
	}
	if err := s.quotaLocked(k.backend); err != nil {
		s.refused++
		return nil, nil, err
	}
	g, err := s.startLocked(l, h)
	return g, nil, err
}

// adoptLocked gives g back to its backend, which comes by another connection.
func (s *Server) adoptLocked(g *guest, l *line, h header) error {
	if g.roles != h.roles {
		return refuse(resultFailed, "the guest is a %v: close it first", g.roles)
	}
	if g.grace != nil {
		g.grace.Stop()
	}
	g.line = l
	return nil
}

// leftoverLocked finds a guest of an earlier life of k's backend: it may hold the
// session of the same Destination, which a router has once only.
func (s *Server) leftoverLocked(k key) *guest {
	for other, g := range s.guests {
		if other.backend == k.backend && other.instance != k.instance && g.line == nil {
			return g
		}
	}
	return nil
}

func (s *Server) quotaLocked(backend string) error {
	own := 0
	for k := range s.guests {
		if k.backend == backend {
			own++
		}
	}
	switch {
	case len(s.guests) >= s.cfg.MaxGuests:
		return refuse(resultQuota, "the frontend has %d guests, which is all that it takes: see its --guests-max", len(s.guests))
	case own >= s.cfg.MaxPerBackend:
		return refuse(resultQuota, "the frontend has %d guests of backend %s, which is all that it takes of one: see its --guests-per-backend", own, backend)
	}
	return nil
}

// startLocked runs a new guest.
func (s *Server) startLocked(l *line, h header) (*guest, error) {
	g := &guest{key: l.key(h), roles: h.roles, line: l, done: make(chan struct{})}
	cfg, err := s.cfg.Frontend()
	if err != nil {
		return nil, err
	}
	cfg.Name, cfg.Dir, cfg.SAM, cfg.SAMTLS, cfg.BackendName = s.cfg.Name, "", nil, nil, nil
	cfg.Member, cfg.Publisher, cfg.Refuge = h.roles&roleMember != 0, h.roles&rolePublisher != 0, h.roles&roleRefuge != 0
	cfg.Control = frontend.ControlConfig{
		Balancers: []string{"backend-" + l.backend},
		Dial:      func(context.Context, string) (net.Conn, error) { return s.dial(g) },
	}
	cfg.Logger = slog.New(quiet{s.cfg.Logger.Handler()}).With("guest", h.id, "backend", l.backend)
	if g.frontend, err = frontend.New(cfg); err != nil {
		return nil, fmt.Errorf("frontend of a guest: %w", err)
	}
	ctx, stop := context.WithCancel(s.ctx)
	g.stop = stop
	s.guests[g.key] = g
	s.running.Go(func() { s.run(ctx, g) })
	return g, nil
}

func (s *Server) run(ctx context.Context, g *guest) {
	defer g.stop()
	if err := g.frontend.Run(ctx); err != nil {
		s.log.Warn("the frontend of a guest has failed", "backend", g.backend, "err", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if g.grace != nil {
		g.grace.Stop()
	}
	delete(s.guests, g.key)
	close(g.done)
}

// dial connects a guest's frontend to its balancer.
func (s *Server) dial(g *guest) (net.Conn, error) {
	s.mu.Lock()
	l := g.line
	s.mu.Unlock()
	if l == nil {
		return nil, errAway
	}
	return l.dial(g.key)
}

// find returns nil if there is no such guest.
func (s *Server) find(k key) *guest {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.guests[k]
}

// abandon notes that l's stream of g has broken: g waits for its backend, unless that
// has come by another line.
func (s *Server) abandon(g *guest, l *line) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g.line != l || g.ending {
		return
	}
	g.line = nil
	g.grace = time.AfterFunc(s.cfg.Grace, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if g.line == nil {
			s.endLocked(g)
		}
	})
}

func (s *Server) end(g *guest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endLocked(g)
}

func (s *Server) endLocked(g *guest) {
	g.ending = true
	g.stop()
}
