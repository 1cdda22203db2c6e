package guest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/internal/logtest"
	"github.com/onelease/onelease/internal/memconn"
)

// A site is a Server and what connects to it. Its clock is the real one: yamux shares
// timers between its sessions, which those of a bubble must not be.
type site struct {
	t      *testing.T
	server *Server
	log    logtest.Buffer
	ctx    context.Context
	stop   context.CancelFunc
	group  sync.WaitGroup

	mu    sync.Mutex
	conns map[string][]*memconn.Conn // by backend
	shut  bool                       // nobody gets in
}

// newSite has a Server whose router is not there; the test's end checks that nothing
// is left of it.
func newSite(t *testing.T, change func(*ServerConfig)) *site {
	t.Helper()
	before := runtime.NumGoroutine()
	s := &site{t: t, conns: map[string][]*memconn.Conn{}}
	s.ctx, s.stop = context.WithCancel(t.Context())
	cfg := ServerConfig{
		Name: "router-1", Member: true, Publisher: true, Logger: s.logger(),
		Frontend: func() (frontend.Config, error) {
			return frontend.Config{Router: frontend.RouterConfig{Dial: func(context.Context) (net.Conn, error) { return nil, syscall.ECONNREFUSED }}}, nil
		},
	}
	if change != nil {
		change(&cfg)
	}
	var err error
	if s.server, err = NewServer(cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.stop()
		s.server.Close()
		s.group.Wait()
		until(t, "all goroutines have ended", func() bool { return runtime.NumGoroutine() <= before })
		if t.Failed() {
			t.Log(s.log.String())
		}
	})
	return s
}

func (s *site) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(&s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// until polls, since what it waits for tells nobody.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for began := time.Now(); !ok(); time.Sleep(time.Millisecond) {
		if time.Since(began) > 20*time.Second {
			buf := make([]byte, 1<<20)
			t.Fatalf("not within 20 s: %s\n%s", what, buf[:runtime.Stack(buf, true)])
		}
	}
}

// dial connects a backend, as whom the server is to take it.
func (s *site) dial(backend string) (net.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shut {
		return nil, syscall.ECONNREFUSED
	}
	client, server := memconn.Pair("guests")
	s.conns[backend] = append(s.conns[backend], client)
	s.group.Go(func() { s.server.ServeConn(s.ctx, server, backend) })
	return client, nil
}

// cut resets a backend's connections; shut says whether new ones are refused.
func (s *site) cut(backend string, shut bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shut = shut
	for _, c := range s.conns[backend] {
		c.Reset()
	}
	s.conns[backend] = nil
}

// client runs one of that backend until stop is called.
func (s *site) client(backend string) (c *Client, stop func()) {
	s.t.Helper()
	c, err := NewClient(ClientConfig{
		Name: "router-1", Dial: func(context.Context) (net.Conn, error) { return s.dial(backend) }, Logger: s.logger(),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return c, s.running(func(ctx context.Context) { c.Run(ctx) })
}

// running has f run until stop is called, which waits.
func (s *site) running(f func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(s.ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(ctx)
	}()
	return func() {
		cancel()
		<-done
	}
}

// A visit is a Guest that runs, and the calls of its frontend for a balancer.
type visit struct {
	*Guest
	stop  func()
	calls chan net.Conn
}

func (s *site) visit(c *Client, cfg Config) *visit {
	v := &visit{calls: make(chan net.Conn, 16)}
	if cfg.Control == nil {
		cfg.Control = func(ctx context.Context, conn net.Conn) error {
			select {
			case v.calls <- conn:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	v.Guest = c.NewGuest(cfg)
	v.stop = s.running(func(ctx context.Context) { _ = v.Run(ctx) })
	return v
}

func (v *visit) isOpen() bool {
	open, _ := v.Open()
	return open
}

// greets says HELLO to the guest's SAM server.
func (v *visit) greets(t *testing.T) {
	t.Helper()
	if err := v.hello(); err != nil {
		t.Error(err)
	}
}

func (v *visit) hello() error {
	conn, err := v.DialSAM(context.Background())
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprintln(conn, "HELLO VERSION MIN=3.3 MAX=3.3")
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err == nil && !strings.Contains(line, "RESULT=OK") {
		err = errors.New(line)
	}
	return err
}
