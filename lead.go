package onelease

import (
	"context"
	"net"
	"sync"

	"google.golang.org/grpc"

	"github.com/onelease/onelease/balancer"
	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/internal/memconn"
	"github.com/onelease/onelease/internal/nearrpc"
)

// A lead is a Balancer that runs in this process, and its control service: called
// directly by frontends of the same process, and by gRPC over a connection in memory
// by whoever leads others there. The server for those is made when the first comes.
type lead struct {
	balancer *balancer.Balancer
	near     *nearrpc.Conn
	note     func(part string, err error)
	part

	mu      sync.Mutex
	control *memconn.Listener // nil before the first
	server  *grpc.Server
}

// startLead runs b. What ends by itself is told to note.
func startLead(b *balancer.Balancer, note func(part string, err error)) *lead {
	l := &lead{balancer: b, note: note, near: nearrpc.New(&controlpb.Control_ServiceDesc, b.Control())}
	l.init()
	l.Go(func() { note("balancer", b.Run(l.ctx)) })
	return l
}

// config is how frontends reach l: by Conn here, by Dial for one elsewhere.
func (l *lead) config() frontend.ControlConfig {
	return frontend.ControlConfig{Balancers: []string{"local"}, Conn: l.near, Dial: l.dial}
}

// dial connects to the control service.
func (l *lead) dial(ctx context.Context, _ string) (net.Conn, error) {
	l.mu.Lock()
	if l.ctx.Err() != nil {
		l.mu.Unlock()
		return nil, net.ErrClosed
	}
	if l.control == nil {
		l.control, l.server = memconn.Listen("balancer"), grpc.NewServer()
		controlpb.RegisterControlServer(l.server, l.balancer.Control())
		l.Go(func() { l.note("control service", l.server.Serve(l.control)) })
	}
	control := l.control
	l.mu.Unlock()
	return control.Dial(ctx)
}

func (l *lead) end() {
	l.near.Close()
	l.mu.Lock()
	l.stop() // no server is made any more
	server := l.server
	l.mu.Unlock()
	if server != nil {
		server.Stop()
	}
	l.part.end()
}
