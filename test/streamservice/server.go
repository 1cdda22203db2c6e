package streamservice

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
)

// A Server answers requests. Make one with NewServer.
type Server struct {
	mu   sync.Mutex
	puts map[uint64]*Meter
}

// NewServer returns a Server that has no connections yet.
func NewServer() *Server { return &Server{puts: map[uint64]*Meter{}} }

// Put is the Meter of what the server is sent with that seed: uploads are
// measured where they arrive.
func (s *Server) Put(seed uint64) *Meter {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.puts[seed] == nil {
		s.puts[seed] = &Meter{}
	}
	return s.puts[seed]
}

// Serve answers all connections of ln until ln is closed, and then closes those
// that are left.
func (s *Server) Serve(ln net.Listener) error {
	var conns sync.WaitGroup
	defer conns.Wait()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	for {
		conn, err := ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		conns.Go(func() {
			defer context.AfterFunc(ctx, func() { conn.Close() })()
			s.ServeConn(conn)
		})
	}
}

// ServeConn answers requests until the connection ends, or asks for nothing
// that is known, and closes it.
func (s *Server) ServeConn(conn net.Conn) {
	defer conn.Close()
	lines := bufio.NewReader(conn)
	for {
		line, err := lines.ReadString('\n')
		if err != nil || s.answer(conn, lines, strings.TrimSpace(line)) != nil {
			return
		}
	}
}

// errLast says that a connection is to be closed after this request.
var errLast = errors.New("last request")

func (s *Server) answer(conn io.Writer, lines *bufio.Reader, line string) error {
	var t Transfer
	var verb string
	// What is not there stays zero.
	_, _ = fmt.Sscan(line, &verb, &t.Size, &t.Seed, &t.Rate)
	switch verb {
	case "get":
		return t.send(conn)
	case "last":
		return errors.Join(t.send(conn), errLast)
	case "put":
		meter := s.Put(t.Seed)
		meter.begin()
		return reply(conn, t.receive(lines, meter))
	case "echo":
		_, err := io.Copy(conn, lines)
		return errors.Join(err, errLast)
	}
	return fmt.Errorf("unknown request %.20q", line)
}

// reply tells the other end what became of its bytes.
func reply(conn io.Writer, result error) error {
	answer := "ok"
	if result != nil {
		answer = result.Error()
	}
	_, err := fmt.Fprintln(conn, answer)
	return errors.Join(result, err)
}
