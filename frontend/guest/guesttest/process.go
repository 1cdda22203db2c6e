// Package guesttest has frontend processes for tests and benchmarks, without the process: a
// guest.Server for one router, reached through memory, that can be cut off, killed, and
// started again.
package guesttest

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/frontend/guest"
	"github.com/onelease/onelease/internal/memconn"
)

// Backend is the name of the backend that connects.
const Backend = "sam-1"

// A Process is one router's. Its methods may be called by many goroutines.
type Process struct {
	cfg   guest.ServerConfig
	dials atomic.Int64

	mu     sync.Mutex
	server *guest.Server // nil while it is dead
	lines  []*memconn.Conn
	group  sync.WaitGroup
}

// New returns a Process that is dead until Start. What cfg lacks is the Frontend: that is of
// the router.
func New(cfg guest.ServerConfig, router frontend.RouterConfig, quirk frontend.Quirk) *Process {
	p := &Process{cfg: cfg}
	dial := router.Dial
	if dial == nil {
		dial = func(ctx context.Context) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", router.Addr)
		}
	}
	router.Dial = func(ctx context.Context) (net.Conn, error) {
		p.dials.Add(1)
		return dial(ctx)
	}
	p.cfg.Frontend = func() (frontend.Config, error) {
		return frontend.Config{Router: router, DontPublish: quirk}, nil
	}
	return p
}

// Start starts it. It panics if its configuration cannot work: that is the test's.
func (p *Process) Start() {
	server, err := guest.NewServer(p.cfg)
	if err != nil {
		panic(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.server = server
}

// Dial connects as Backend, for guest.ClientConfig.Dial.
func (p *Process) Dial(context.Context) (net.Conn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.server == nil {
		return nil, syscall.ECONNREFUSED
	}
	client, server := memconn.Pair(p.cfg.Name)
	p.lines = append(p.lines, client)
	host := p.server
	p.group.Go(func() { host.ServeConn(context.Background(), server, Backend) })
	return client, nil
}

// Cut breaks the connections, as something between may.
func (p *Process) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, line := range p.lines {
		line.Reset()
	}
	p.lines = nil
}

// Kill ends it at once, and waits until nothing is left of it.
func (p *Process) Kill() {
	p.mu.Lock()
	server := p.server
	p.server = nil
	p.mu.Unlock()
	p.Cut()
	if server != nil {
		server.Close()
	}
	p.group.Wait()
}

// Status is that of the Server, zero while it is dead.
func (p *Process) Status() guest.Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.server == nil {
		return guest.Status{}
	}
	return p.server.Status()
}

// Dials is how many connections to the router there were.
func (p *Process) Dials() int64 { return p.dials.Load() }
