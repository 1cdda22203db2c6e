package guest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/internal/quietlog"
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
	refused  chan error    // what its router says, to be told to the backend
	done     chan struct{} // closed when the frontend has ended

	// Guarded by Server.mu.
	line   *line       // nil while it waits for its backend to come back
	grace  *time.Timer // runs while line is nil
	ending bool
}

// errAway says that the guest's backend is not connected.
var errAway = errors.New("the backend is not connected")

// open has a guest run, and stays until the backend or the frontend ends it. The
// backend is told what keeps the router from serving it.
func (l *line) open(st stream, h header) error {
	g, err := l.server.admit(l, h)
	if err != nil {
		return err
	}
	if l.accepted(st, nil) != nil {
		l.server.abandon(g, l)
		return nil
	}
	defer g.watch(st)()
	var farewell [1]byte
	if n, _ := st.Read(farewell[:]); n == 0 {
		l.server.abandon(g, l)
		return nil
	}
	l.server.end(g)
	<-g.done // the backend learns by the stream's end that the router has none of it
	return nil
}

// watch tells st what there is to tell, and closes it when the guest has ended, until stop
// is called.
func (g *guest) watch(st stream) (stop func()) {
	stopped := make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		for {
			select {
			case err := <-g.refused:
				_, _ = st.Write(appendReply(nil, resultRefused, err.Error()))
			case <-g.done:
				st.Close()
				return
			case <-stopped:
				return
			}
		}
	})
	return func() {
		close(stopped)
		group.Wait()
	}
}

// startLocked runs a new guest.
func (s *Server) startLocked(l *line, h header) (*guest, error) {
	g := &guest{key: l.key(h), roles: h.roles, line: l, refused: make(chan error, 1), done: make(chan struct{})}
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
	cfg.Refused = g.tell
	cfg.Logger = quietlog.New(s.cfg.Logger).With("guest", h.id, "backend", l.backend)
	if g.frontend, err = frontend.New(cfg); err != nil {
		return nil, fmt.Errorf("frontend of a guest: %w", err)
	}
	ctx, stop := context.WithCancel(s.ctx)
	g.stop = stop
	s.guests[g.key] = g
	s.running.Go(func() { s.run(ctx, g) })
	return g, nil
}

// tell keeps the first of what is not told yet.
func (g *guest) tell(err error) {
	select {
	case g.refused <- err:
	default:
	}
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
