package delegate

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"

	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/memconn"
)

// A cluster is fake balancers by address, on memory.
type cluster struct {
	mu        sync.Mutex
	balancers map[string]*fake
}

func (c *cluster) dial(ctx context.Context, addr string) (net.Conn, error) {
	c.mu.Lock()
	b := c.balancers[addr]
	c.mu.Unlock()
	if b == nil {
		return nil, errors.New("nobody is there")
	}
	return b.dial(ctx)
}

// A fake is a balancer that delegates.
type fake struct {
	controlpb.UnimplementedControlServer
	t    *testing.T
	keys *i2p.Keys

	mu       sync.Mutex
	listener *memconn.Listener // nil while it is down
	server   *grpc.Server
	redirect *controlpb.Redirect // set if it does not lead
	fails    error
	mute     bool // it does not answer
	life     time.Duration
	handOver bool                           // the operator allows it
	spoil    func(*controlpb.DelegateReply) // changes the reply
	asked    []asked
}

type asked struct {
	at      time.Time
	request *controlpb.DelegateRequest
}

// add starts a fake that leads and gives permissions for 24 h.
func (c *cluster) add(t *testing.T, addr string, keys *i2p.Keys) *fake {
	b := &fake{t: t, keys: keys, life: 24 * time.Hour}
	b.start()
	t.Cleanup(b.stop)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.balancers == nil {
		c.balancers = map[string]*fake{}
	}
	c.balancers[addr] = b
	return b
}

func (b *fake) start(options ...grpc.ServerOption) {
	ln, server := memconn.Listen("balancer"), grpc.NewServer(options...)
	controlpb.RegisterControlServer(server, b)
	b.mu.Lock()
	b.listener, b.server = ln, server
	b.mu.Unlock()
	go server.Serve(ln)
}

// stop ends it as a crash does.
func (b *fake) stop() {
	b.mu.Lock()
	server := b.server
	b.listener, b.server = nil, nil
	b.mu.Unlock()
	if server != nil {
		server.Stop()
	}
}

func (b *fake) dial(ctx context.Context) (net.Conn, error) {
	b.mu.Lock()
	ln := b.listener
	b.mu.Unlock()
	if ln == nil {
		return nil, errors.New("connection refused")
	}
	return ln.Dial(ctx)
}

// set changes what it does.
func (b *fake) set(change func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change()
}

// requests are those so far.
func (b *fake) requests() []asked {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]asked(nil), b.asked...)
}

// Delegate implements controlpb.ControlServer.
func (b *fake) Delegate(ctx context.Context, r *controlpb.DelegateRequest) (*controlpb.DelegateReply, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.mute {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	b.asked = append(b.asked, asked{time.Now(), r})
	if b.fails != nil {
		return nil, b.fails
	}
	if b.redirect != nil {
		return &controlpb.DelegateReply{Redirect: b.redirect}, nil
	}
	reply := &controlpb.DelegateReply{Destination: b.keys.Destination.Bytes()}
	if r.GetHandOver() && b.handOver {
		reply.PrivateKeys = b.keys.Bytes()
	} else {
		key := i2p.SigningPublicKey{Type: i2p.SigType(r.GetSigType()), Key: r.GetTransientKey()}
		reply.OfflineSignature = signOffline(b.t, b.keys, key, time.Now().Add(b.life))
	}
	if b.spoil != nil {
		b.spoil(reply)
	}
	return reply, nil
}

func signOffline(t *testing.T, keys *i2p.Keys, key i2p.SigningPublicKey, until time.Time) []byte {
	o, err := i2p.SignOffline(keys, key, until)
	if err != nil {
		t.Error(err)
		return nil
	}
	return o.AppendTo(nil)
}

// A running Client, with one balancer at "b1".
type running struct {
	*Client
	t       *testing.T
	keys    *i2p.Keys
	cluster cluster
	leader  *fake
	log     *strings.Builder
}

// inBubble runs a test of a Client in virtual time.
func inBubble(t *testing.T, change func(*Config), test func(t *testing.T, r *running)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &running{t: t, keys: newKeys(t), log: &strings.Builder{}}
		r.leader = r.cluster.add(t, "b1", r.keys)
		cfg := Config{Name: "web-1", Balancers: []string{"b1"}, Dial: r.cluster.dial, Logger: logger(r.log)}
		if change != nil {
			change(&cfg)
		}
		client, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		r.Client = client
		test(t, r)
	})
}

// run runs the Client until the test's part ends.
func (r *running) run(part func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	part()
	cancel()
	if err := <-done; err != nil {
		r.t.Errorf("Run: %v", err)
	}
	r.leader.stop()
}

// within waits until so is true, for that long at most.
func (r *running) within(limit time.Duration, what string, so func() bool) {
	r.t.Helper()
	for began := time.Now(); !so(); time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > limit {
			r.t.Fatalf("no sign of %s in %v: %+v", what, limit, r.Status())
		}
	}
}

func newKeys(t *testing.T) *i2p.Keys {
	t.Helper()
	keys, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// A lockedWriter may be written to by many goroutines.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

func logger(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(&lockedWriter{w: w}, nil)) }
