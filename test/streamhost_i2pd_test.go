package test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/balancer"
	"github.com/onelease/onelease/test/i2pd"
	"github.com/onelease/onelease/test/i2pd/samclient"
	"github.com/onelease/onelease/test/streamservice"
)

// A streamHost is a Destination that runs the stream service: ours, or one
// whose streams a stock router terminates, to compare.
type streamHost struct {
	name   string
	dest   string // I2P base64
	server *streamservice.Server
	node   *onelease.Node // nil of a stock router's
}

// startStock runs the service on a SAM session of a stock router.
func startStock(tb testing.TB, router *i2pd.Router, params ...string) *streamHost {
	tb.Helper()
	streams := openStreams(tb, router, i2pd.StreamOptions{Params: params})
	ln, err := streams.Listen(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	server := streamservice.NewServer()
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(ln) })
	tb.Cleanup(func() {
		ln.Close()
		streams.Close()
		serving.Wait()
	})
	return &streamHost{name: "stock", dest: streams.Destination(), server: server}
}

// startHost runs the stream service on a Destination of ours, on those routers.
func startHost(tb testing.TB, name string, routers []onelease.Router) *streamHost {
	tb.Helper()
	server := streamservice.NewServer()
	h := startService(tb, name, routers, func(ctx context.Context, node backend.Node) error {
		return serveStreams(ctx, node, server)
	})
	h.server = server
	return h
}

// startService runs a service on a Destination of ours, on those routers.
func startService(tb testing.TB, name string, routers []onelease.Router, service backend.ServiceFunc) *streamHost {
	tb.Helper()
	keys := newKeys(tb)
	node, err := onelease.Start(onelease.Config{
		Keys:    keys,
		Dir:     tb.TempDir(),
		Routers: routers,
		Policy:  testPolicy(),
		Service: service,
		Logger:  quiet(tb),
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := node.Close(); err != nil {
			tb.Error(err)
		}
	})
	return &streamHost{name: name, dest: keys.Destination.Base64(), server: streamservice.NewServer(), node: node}
}

// What the policy can be told, to compare: see balancer.Policy.
const envOwnLife = "ONELEASE_TEST_OWN_LIFE"

// testPolicy is the default one for networks with short tunnels, unless the
// environment says otherwise.
func testPolicy() balancer.Policy {
	life, _ := time.ParseDuration(os.Getenv(envOwnLife))
	return balancer.Policy{Tunnels: 3, Hops: 1, Rotation: balancer.Rotation(os.Getenv(envRotation)), OwnLife: life}
}

// serveStreams runs the server on all ports until ctx ends.
func serveStreams(ctx context.Context, node backend.Node, server *streamservice.Server) error {
	ln, err := node.Listen(0)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { ln.Close() })()
	return server.Serve(ln)
}

// openStreams opens a session that ends with the test.
func openStreams(tb testing.TB, router *i2pd.Router, o i2pd.StreamOptions) *samclient.Streams {
	tb.Helper()
	streams, err := tryStreams(tb, router, o)
	if err != nil {
		tb.Fatal(err)
	}
	return streams
}

// tryStreams is openStreams for other goroutines.
func tryStreams(tb testing.TB, router *i2pd.Router, o i2pd.StreamOptions) (*samclient.Streams, error) {
	ctx, cancel := context.WithTimeout(tb.Context(), 90*time.Second)
	defer cancel()
	streams, err := router.OpenStreams(ctx, o)
	if err == nil {
		tb.Cleanup(func() { streams.Close() })
	}
	return streams, err
}

// A streamRun is one transfer between a client and a host, and what came of it.
type streamRun struct {
	host     *streamHost
	client   *samclient.Streams
	up       bool
	transfer streamservice.Transfer

	begun   time.Time     // before the connection was asked for
	dialled time.Duration // until STREAM CONNECT said OK: the LeaseSet is known
	meter   *streamservice.Meter
	err     error
	done    chan struct{}
}

// start begins a transfer; it is over when done is closed, at the latest when
// limit has passed.
func (h *streamHost) start(ctx context.Context, client *samclient.Streams, up bool, t streamservice.Transfer, limit time.Duration) *streamRun {
	r := &streamRun{host: h, client: client, up: up, transfer: t, begun: time.Now(), meter: &streamservice.Meter{}, done: make(chan struct{})}
	if up {
		r.meter = h.server.Put(t.Seed)
	}
	go func() {
		defer close(r.done)
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		r.err = r.run(ctx)
	}()
	return r
}

func (r *streamRun) run(ctx context.Context) error {
	conn, err := r.client.Dial(ctx, r.host.dest)
	if err != nil {
		return err
	}
	r.dialled = time.Since(r.begun)
	defer conn.Close()
	if until, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(until)
	}
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if r.up {
		return streamservice.Put(conn, r.transfer)
	}
	return streamservice.Get(conn, r.transfer, r.meter)
}

// first is how long the first byte took from the beginning, connecting included.
func (r *streamRun) first() time.Duration {
	report := r.meter.Lasting()
	if report.Bytes == 0 {
		return time.Since(r.begun)
	}
	return report.Begun.Add(report.First).Sub(r.begun)
}

// String is for logs.
func (r *streamRun) String() string {
	direction := "download"
	if r.up {
		direction = "upload"
	}
	outcome := "ok"
	if r.err != nil {
		outcome = r.err.Error()
	}
	return fmt.Sprintf("%s of %s: connected after %.2f s, first byte after %.2f s; %v; %s",
		direction, r.host.name, r.dialled.Seconds(), r.first().Seconds(), r.meter.Report(), outcome)
}
