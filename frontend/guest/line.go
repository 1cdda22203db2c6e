package guest

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/yamux"

	"github.com/onelease/onelease/frontend"
)

// maxLines is how many connections one backend may have: one, and those that it has
// lost and that are not known to be. The oldest makes room.
const maxLines = 4

// A line is a backend's connection.
type line struct {
	server  *Server
	backend string
	session *yamux.Session
	streams sync.WaitGroup
}

// ServeConn serves a backend of that name, whose identity the caller has checked, until
// the connection, ctx or the Server ends.
func (s *Server) ServeConn(ctx context.Context, nc net.Conn, backend string) {
	defer nc.Close()
	if len(s.cfg.Backends) > 0 && !slices.Contains(s.cfg.Backends, backend) {
		s.noteRefused()
		s.log.Warn("a backend is not let in: it is not among those that may have guests", "backend", backend)
		return
	}
	session, err := yamux.Server(nc, muxConfig())
	if err != nil {
		return // only a wrong muxConfig
	}
	l := &line{server: s, backend: backend, session: session}
	if !s.enter(l) {
		session.Close()
		return
	}
	s.log.Info("a backend is connected, which may have guests", "backend", backend)
	stop := context.AfterFunc(ctx, func() { session.Close() })
	stopped := context.AfterFunc(s.ctx, func() { session.Close() })
	l.serve()
	stop()
	stopped()
	session.Close()
	l.streams.Wait()
	s.leave(l)
	s.log.Info("the connection of a backend has ended", "backend", backend)
}

func (s *Server) enter(l *line) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.running.Add(1)
	s.lines = append(s.lines, l)
	of := func(o *line) bool { return o.backend == l.backend }
	if n := len(slices.DeleteFunc(slices.Clone(s.lines), func(o *line) bool { return !of(o) })); n > maxLines {
		go s.lines[slices.IndexFunc(s.lines, of)].session.Close() // it waits for the line's reader
	}
	return true
}

func (s *Server) leave(l *line) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = slices.DeleteFunc(s.lines, func(o *line) bool { return o == l })
	s.running.Done()
}

// serve takes the backend's streams. A guest has three, and some more for moments.
func (l *line) serve() {
	most := 64 + 4*l.server.cfg.MaxPerBackend
	for {
		st, err := l.session.AcceptStream()
		if err != nil {
			return
		}
		if l.session.NumStreams() > most {
			st.Close()
			continue
		}
		l.streams.Go(func() { l.take(stream{st}) })
	}
}

// take serves one stream to its end.
func (l *line) take(st stream) {
	defer st.Close()
	st.SetDeadline(time.Now().Add(shakeTime))
	h, err := readHeader(st)
	if err == nil {
		err = l.dispatch(st, h)
	}
	if err != nil {
		l.refuse(st, err)
	}
}

func (l *line) dispatch(st stream, h header) error {
	switch h.kind {
	case kindOpen:
		return l.open(st, h)
	case kindSAM:
		return l.sam(st, h)
	case kindLookup:
		return l.lookup(st)
	}
	return refuse(resultRefused, "a backend opens no stream of kind %d", h.kind)
}

func (l *line) refuse(st stream, err error) {
	code, text := resultFailed, err.Error()
	if r, ok := err.(*Refusal); ok {
		code = r.code
	}
	l.server.log.Debug("a stream is refused", "backend", l.backend, "err", err)
	_, _ = st.Write(appendReply(nil, code, text)) // what fails has ended
}

// accepted answers, and takes the deadline of the handshake away.
func (l *line) accepted(st stream, text []byte) error {
	_, err := st.Write(appendReply(nil, resultOK, string(text)))
	st.SetDeadline(time.Time{})
	return err
}

// sam has the guest's frontend serve SAM on st.
func (l *line) sam(st stream, h header) error {
	g := l.server.find(l.key(h))
	switch {
	case g == nil:
		return refuse(resultUnknown, "no such guest: open it first")
	case g.roles&(roleMember|roleRefuge) == 0:
		return refuse(resultRefused, "%v", frontend.ErrPublisherOnly)
	}
	if err := l.accepted(st, nil); err != nil {
		return nil
	}
	return g.frontend.ServeSAM(st)
}

// key is the guest's. No backend can name one of another.
func (l *line) key(h header) key { return key{l.backend, h.instance, h.id} }

// dial opens a stream to the backend, for the guest's line to its balancer.
func (l *line) dial(k key) (net.Conn, error) {
	st, err := l.session.OpenStream()
	if err != nil {
		return nil, fmt.Errorf("to backend %s: %w", l.backend, err)
	}
	if _, err := st.Write(header{kind: kindControl, id: k.id, instance: k.instance}.append(nil)); err != nil {
		st.Close()
		return nil, fmt.Errorf("to backend %s: %w", l.backend, err)
	}
	return stream{st}, nil
}
