package backend

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/onelease/onelease/i2p"
)

// A Service is what an application adds to the framework.
type Service interface {
	// Serve works until ctx ends, then returns; what it returns then is not
	// held against it. Returning earlier ends the host: nil is a service that
	// has done its work. What it opened through node is closed after it.
	Serve(ctx context.Context, node Node) error
}

// A Node is what a Service sees of the framework: one Destination, and ways
// to use it. *Host is one; a plugin gets another that reaches the Host of
// another process.
type Node interface {
	// Destination is the Destination that all frontends serve.
	Destination() i2p.Destination
	// Listen opens a port for streams; see Host.Listen.
	Listen(port uint16) (net.Listener, error)
	// DialContext begins a stream to "name:port"; see Host.DialContext.
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
	// ListenPacket opens a port for datagrams of one kind; see Host.ListenPacket.
	ListenPacket(kind Kind, port uint16) (net.PacketConn, error)
	// Lookup resolves a b32 address or a host name; see Host.Lookup.
	Lookup(ctx context.Context, name string) (i2p.Destination, error)
	// Logger is for the service's own log.
	Logger() *slog.Logger
}

// A ServiceFunc is a function that is a Service.
type ServiceFunc func(ctx context.Context, node Node) error

// Serve calls f.
func (f ServiceFunc) Serve(ctx context.Context, node Node) error { return f(ctx, node) }

// lastWords is how long streams that a service has closed may take to end, if who runs it
// has not given it more time. A response of some 100 KB may wait in a stream's buffer when
// its handler is done.
const lastWords = 5 * time.Second

// Run runs host and, once it knows its Destination, service, until ctx ends
// or either of them returns. It returns nil if ctx ended or the service was
// done, else the first error. Both have ended when it returns, the service
// first: its connections work until its Serve returns, and what it has written to
// streams and closed has until the end of an Ending to arrive, or 5 s.
func Run(ctx context.Context, host *Host, service Service) error {
	hostCtx, stopHost := context.WithCancel(context.WithoutCancel(ctx))
	defer stopHost()
	serveCtx, stopService := context.WithCancelCause(ctx)
	defer stopService(nil)
	told := make(chan time.Time, 1)
	defer context.AfterFunc(ctx, func() { told <- time.Now() })()
	hostDone := make(chan error, 1)
	go func() {
		err := host.Run(hostCtx)
		stopService(err)
		hostDone <- err
	}()
	err := serve(serveCtx, host, service)
	ended := serveCtx.Err() != nil
	host.settle(wordsFor(ctx, told))
	stopHost()
	hostErr := <-hostDone
	if ended {
		err = nil // what Serve returns once it was told to end is not an error
	}
	return errors.Join(err, hostErr)
}

// wordsFor is how long streams may take to end, that a service has closed whose ctx ended
// when told says.
func wordsFor(ctx context.Context, told <-chan time.Time) time.Duration {
	var e *Ending
	if !errors.As(context.Cause(ctx), &e) {
		return lastWords
	}
	return max(lastWords, e.Limit-time.Since(<-told))
}

func serve(ctx context.Context, host *Host, service Service) error {
	if err := host.WaitReady(ctx); err != nil {
		return err
	}
	if err := service.Serve(ctx, host); err != nil {
		return fmt.Errorf("service: %w", err)
	}
	return nil
}

var (
	_ Service = ServiceFunc(nil)
	_ Node    = (*Host)(nil)
)
