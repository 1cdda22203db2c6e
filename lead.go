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
	"github.com/onelease/onelease/internal/way"
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
	control, err := l.listener()
	if err != nil {
		return nil, err
	}
	return control.Dial(ctx)
}

// take has the control service serve conn, and close it in the end.
func (l *lead) take(ctx context.Context, conn net.Conn) error {
	control, err := l.listener()
	if err != nil {
		return err
	}
	return control.Hand(ctx, conn)
}

func (l *lead) listener() (*memconn.Listener, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ctx.Err() != nil {
		return nil, net.ErrClosed
	}
	if l.control == nil {
		l.control, l.server = memconn.Listen("balancer"), grpc.NewServer(way.ServerBuffers()...)
		controlpb.RegisterControlServer(l.server, l.balancer.Control())
		l.Go(func() { l.note("control service", l.server.Serve(l.control)) })
	}
	return l.control, nil
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
