package test

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/test/i2pd"
	"github.com/onelease/onelease/test/i2pd/samclient"
	"github.com/onelease/onelease/test/streamservice"
)

// interopSize is what is transferred each way, in bytes.
const interopSize = 20 << 20

// TestStreamInterop has streams between a Destination of ours and stock i2pd's
// own streaming, which its SAM bridge hands to the test.
func TestStreamInterop(t *testing.T) {
	i2pd.Require(t)
	t.Parallel() // with what is as patient
	x := startInterop(t)
	t.Run("from i2pd", x.checkAccept)
	t.Run("to i2pd", x.checkDial)
	t.Run("closed at once", x.checkTail)
	t.Run("half closed", x.checkHalfClose)
	t.Run("refused", x.checkRefused)
	t.Run("reset", x.checkReset)
	t.Run("client gone", x.checkGone)
	t.Run("http from i2pd", x.checkHTTPServer)
	t.Run("http to i2pd", x.checkHTTPClient)
}

// An interop is a Destination of ours, on three routers, and a stock router's,
// which is client and server.
type interop struct {
	routers *i2pd.Network
	ours    *streamHost
	stock   *samclient.Streams
	// conns are the streams that come in at ours, stockConns at the stock router's.
	conns, stockConns chan net.Conn
}

func startInterop(t *testing.T) *interop {
	t.Helper()
	x := &interop{
		routers: i2pd.Start(t, i2pd.Config{Routers: 13, Floodfills: floodfills}),
		conns:   make(chan net.Conn), stockConns: make(chan net.Conn),
	}
	x.ours = startService(t, "ours", threeMembers(x.routers), func(ctx context.Context, node backend.Node) error {
		ln, err := node.Listen(0)
		if err != nil {
			return err
		}
		defer context.AfterFunc(ctx, func() { ln.Close() })()
		acceptInto(ctx, ln, x.conns)
		return nil
	})
	x.stock = openStreams(t, x.routers.Router(remoteRouters[0]), i2pd.StreamOptions{})
	ln, err := x.stock.Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var accepting sync.WaitGroup
	accepting.Go(func() { acceptInto(t.Context(), ln, x.stockConns) })
	t.Cleanup(func() {
		ln.Close()
		accepting.Wait()
	})
	x.awaitFirst(t)
	return x
}

// acceptInto hands out what ln accepts until ctx ends or ln is closed.
func acceptInto(ctx context.Context, ln net.Listener, conns chan<- net.Conn) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		select {
		case conns <- conn:
		case <-ctx.Done():
			conn.Close()
		}
	}
}

// awaitFirst waits until the routers have published and found all there is.
func (x *interop) awaitFirst(t *testing.T) {
	t.Helper()
	server := x.ours.server
	ln := newHandedListener(x.conns)
	go func() { _ = server.Serve(ln) }()
	defer ln.Close()
	streamHosts{x.ours}.await(t, x.stock)
}

// A handedListener is a net.Listener of streams that others accepted, so that
// the tests, one after the other, can serve the same Destination.
type handedListener struct {
	conns  <-chan net.Conn
	closed chan struct{}
	close  sync.Once
}

func newHandedListener(conns <-chan net.Conn) *handedListener {
	return &handedListener{conns: conns, closed: make(chan struct{})}
}

func (l *handedListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *handedListener) Close() error {
	l.close.Do(func() { close(l.closed) })
	return nil
}

func (l *handedListener) Addr() net.Addr { return samclient.Addr("handed out") }

// serve runs the stream service on a channel of streams until the test ends. Dial
// after it, so that the streams are closed before it waits for them.
func serve(t *testing.T, conns <-chan net.Conn) *streamservice.Server {
	server, ln := streamservice.NewServer(), newHandedListener(conns)
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(ln) })
	t.Cleanup(func() {
		ln.Close()
		serving.Wait()
	})
	return server
}

// dialOurs is a stream of the stock router's to ours, dialStock the other way.
func (x *interop) dialOurs(t *testing.T) net.Conn {
	t.Helper()
	return x.dialled(t, func(ctx context.Context) (net.Conn, error) { return x.stock.Dial(ctx, x.ours.dest) })
}

func (x *interop) dialStock(t *testing.T) net.Conn {
	t.Helper()
	return x.dialled(t, func(ctx context.Context) (net.Conn, error) {
		return x.ours.node.Host().DialContext(ctx, "i2p", x.stock.Destination())
	})
}

// dialled gives the stream two minutes, and closes it with the test.
func (x *interop) dialled(t *testing.T, dial func(context.Context) (net.Conn, error)) net.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	conn, err := dial(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(2 * time.Minute))
	return conn
}

func (x *interop) checkAccept(t *testing.T) { checkBothWays(t, serve(t, x.conns), x.dialOurs(t)) }
func (x *interop) checkDial(t *testing.T)   { checkBothWays(t, serve(t, x.stockConns), x.dialStock(t)) }

// checkBothWays moves bytes down and up the same stream.
func checkBothWays(t *testing.T, server *streamservice.Server, conn net.Conn) {
	var down streamservice.Meter
	if err := streamservice.Get(conn, streamservice.Transfer{Size: interopSize, Seed: 1}, &down); err != nil {
		t.Fatalf("download: %v; %v", err, down.Report())
	}
	t.Logf("download: %v", down.Report())
	if err := streamservice.Put(conn, streamservice.Transfer{Size: interopSize, Seed: 2}); err != nil {
		t.Fatalf("upload: %v; %v", err, server.Put(2).Report())
	}
	t.Logf("upload: %v", server.Put(2).Report())
}
