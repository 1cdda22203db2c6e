package onelease_test

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/simnet"
	"github.com/onelease/onelease/internal/logtest"
	"github.com/onelease/onelease/internal/tally"
	"github.com/onelease/onelease/plugins/echo"
)

// Routers of most tests: two members and a publisher.
const (
	memberA = "a"
	memberB = "b"
	publish = "publisher"
)

// A world is an embedded network with routers and remotes, in one bubble of
// virtual time. It outlives the nodes that a test starts on it.
type world struct {
	t       *testing.T
	network *simnet.Network
	keys    *i2p.Keys
	profile simnet.Profile
	node    *onelease.Node // the last that was started
	log     logBuffer      // which names no remote above debug level
	level   slog.Level     // of the log

	remotes []*simnet.Remote
	ctx     context.Context // ends with the test
	askers  sync.WaitGroup

	mu    sync.Mutex
	tally *tally.Tally // nil while nobody has asked
}

// inWorld runs test in a bubble, in which nothing may be left when it ends.
func inWorld(t *testing.T, cfg simnet.Config, profile simnet.Profile, test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		keys, err := i2p.GenerateKeys()
		if err != nil {
			t.Fatal(err)
		}
		w := &world{t: t, keys: keys, profile: profile}
		cfg.Logger = slog.New(slog.DiscardHandler)
		w.network = simnet.New(cfg)
		defer w.network.Close()
		ctx, cancel := context.WithCancel(t.Context())
		w.ctx = ctx
		defer w.askers.Wait()
		defer cancel()
		for _, name := range []string{memberA, memberB, publish} {
			w.network.NewRouter(simnet.RouterConfig{Name: name, Profile: profile})
		}
		test(w)
		for _, r := range w.remotes {
			w.log.KeepsQuiet(t, r.Destination())
		}
	})
}

// logger is for all parts.
func (w *world) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(&w.log, &slog.HandlerOptions{Level: w.level}))
}

// config is what a user would write for the routers of the world.
func (w *world) config() onelease.Config {
	return onelease.Config{
		Keys: w.keys,
		Dir:  w.t.TempDir(),
		Routers: []onelease.Router{
			{Name: memberA, Dial: w.network.Router(memberA).DialI2CP, Member: true},
			{Name: memberB, Dial: w.network.Router(memberB).DialI2CP, Member: true},
			{Name: publish, Dial: w.network.Router(publish).DialI2CP, Publisher: true},
		},
		Service: echo.Service{},
		Logger:  w.logger(),
	}
}

// start starts a node. What it returns closes it and checks that nothing had
// failed before.
func (w *world) start(cfg onelease.Config) (stop func()) {
	w.t.Helper()
	node, err := onelease.Start(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	w.node = node
	return sync.OnceFunc(func() {
		if err := node.Close(); err != nil {
			w.t.Errorf("Close: %v", err)
		}
	})
}

// until waits in virtual time until ok, and returns how long that took.
func (w *world) until(limit time.Duration, what string, ok func() bool) time.Duration {
	w.t.Helper()
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		if ok() {
			return time.Since(began)
		}
		if time.Since(began) > limit {
			w.t.Fatalf("not within %v: %s\n%s", limit, what, w.log.tail())
		}
	}
}

// leaseSet is what the netDB has, nil if nothing. It must be valid, for it got
// past a floodfill.
func (w *world) leaseSet() *i2p.LeaseSet2 {
	w.t.Helper()
	raw, ok := w.network.Lookup(w.keys.Destination.Hash())
	if !ok {
		return nil
	}
	ls, _, err := i2p.ParseLeaseSet2(raw)
	if err == nil {
		err = ls.Verify()
	}
	if err != nil {
		w.t.Fatalf("the netDB has %x: %v", raw, err)
	}
	return ls
}

// lists counts the leases of the netDB's LeaseSet that are of this router now.
func (w *world) lists(router string) int {
	n := 0
	if ls := w.leaseSet(); ls != nil {
		for _, own := range w.node.Frontend(router).Status().Pool {
			if lists(ls, own) {
				n++
			}
		}
	}
	return n
}

func lists(ls *i2p.LeaseSet2, lease i2p.Lease) bool {
	for _, l := range ls.Leases {
		if l.SameTunnel(lease) {
			return true
		}
	}
	return false
}

// untilPublished waits until the netDB has all tunnels of those members.
func (w *world) untilPublished(members ...string) {
	w.t.Helper()
	took := w.until(2*time.Minute, "all tunnels are in the netDB", func() bool {
		for _, m := range members {
			if w.lists(m) < 3 {
				return false
			}
		}
		return true
	})
	w.t.Logf("%s: in the netDB after %.1f s", members, took.Seconds())
}

// refused is a router that is not there, hangs one behind a firewall.
func refused(context.Context) (net.Conn, error) { return nil, syscall.ECONNREFUSED }

func hangs(ctx context.Context) (net.Conn, error) {
	<-ctx.Done()
	return nil, context.Cause(ctx)
}

// A logBuffer keeps the log for when a test fails.
type logBuffer struct{ logtest.Buffer }

// tail is the end of it.
func (l *logBuffer) tail() string {
	text := l.String()
	return text[max(0, len(text)-4000):]
}
