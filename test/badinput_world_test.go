package test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/simnet"
	"github.com/onelease/onelease/internal/memconn"
	"github.com/onelease/onelease/internal/tally"
	"github.com/onelease/onelease/plugins/echo"
)

// A target is a node that serves two remotes on an embedded network, while
// somebody gives it bad input. All is in virtual time.
type target struct {
	t       *testing.T
	network *simnet.Network
	keys    *i2p.Keys
	node    *onelease.Node
	control *memconn.Listener // the balancer, for frontends of the test's own
	tally   *tally.Tally
	log     textLog
}

// Memory that may be in use more after bad input than before, and that may
// have been asked of the system for it.
const (
	heapGrowth   = 16 << 20
	systemGrowth = 128 << 20
)

// whileServing does mischief to a target, during which no request of its
// remotes may be lost, and after which nothing may be left.
func whileServing(t *testing.T, mischief func(v *target)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		v := &target{t: t, keys: newKeys(t), control: memconn.Listen("balancer")}
		v.network = simnet.New(simnet.Config{Seed: 1, Logger: v.logger()})
		defer v.network.Close()
		defer v.start()()
		ctx, cancel := context.WithCancel(t.Context())
		var asking sync.WaitGroup
		defer asking.Wait()
		defer cancel()
		v.ask(ctx, &asking)
		v.until("the remotes are answered", func() bool { return v.requests().Answered >= 20 })

		before := memory()
		mischief(v)
		time.Sleep(5 * time.Second)
		cancel()
		asking.Wait()
		time.Sleep(5 * time.Second)
		v.check(before)
	})
}

func (v *target) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(&v.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// start starts the node with two members and a publisher, and a second way to
// its balancer.
func (v *target) start() (stop func()) {
	v.t.Helper()
	cfg := onelease.Config{Keys: v.keys, Dir: v.t.TempDir(), Service: echo.Service{}, Logger: v.logger()}
	for _, name := range []string{"a", "b", "publisher"} {
		r := v.network.NewRouter(simnet.RouterConfig{Name: name, Profile: simnet.I2PD245})
		cfg.Routers = append(cfg.Routers, onelease.Router{
			Name: name, Dial: r.DialI2CP, Member: name != "publisher", Publisher: name == "publisher",
		})
	}
	node, err := onelease.Start(cfg)
	if err != nil {
		v.t.Fatal(err)
	}
	v.node = node
	server := grpc.NewServer()
	controlpb.RegisterControlServer(server, node.Balancer().Control())
	var serving sync.WaitGroup
	serving.Go(func() { server.Serve(v.control) })
	return func() {
		server.Stop()
		serving.Wait()
		if err := node.Close(); err != nil {
			v.t.Errorf("Close: %v", err)
		}
	}
}

// listed is how many leases of the two members the netDB has; anybody else's
// fail the test.
func (v *target) listed() int {
	v.t.Helper()
	raw, ok := v.network.Lookup(v.keys.Destination.Hash())
	if !ok {
		return 0
	}
	ls, _, err := i2p.ParseLeaseSet2(raw)
	if err == nil {
		err = ls.Verify()
	}
	if err != nil {
		v.t.Fatalf("LeaseSet in the netDB: %v", err)
	}
	n := 0
	for _, name := range []string{"a", "b"} {
		for _, own := range v.node.Frontend(name).Status().Pool {
			for _, l := range ls.Leases {
				if l.SameTunnel(own) {
					n++
				}
			}
		}
	}
	if n < len(ls.Leases) {
		v.t.Errorf("the netDB has %d leases, %d of them the members'", len(ls.Leases), n)
	}
	return n
}

// check is what must hold after the mischief.
func (v *target) check(before runtime.MemStats) {
	v.t.Helper()
	after, q := memory(), v.requests()
	grown, asked := int64(after.HeapAlloc)-int64(before.HeapAlloc), int64(after.Sys)-int64(before.Sys)
	v.t.Logf("%+v; heap grew by %d KB, %d KB were asked of the system", q, grown>>10, asked>>10)
	if q.Lost > 0 || q.Sent < 50 {
		v.t.Errorf("%d of %d requests lost", q.Lost, q.Sent)
	}
	if grown > heapGrowth || asked > systemGrowth {
		v.t.Errorf("the heap grew by %d bytes, and %d were asked of the system", grown, asked)
	}
	if n := v.listed(); n != 6 {
		v.t.Errorf("the netDB lists %d leases of the members, want 6", n)
	}
}

func memory() runtime.MemStats {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m
}

// until waits in virtual time until ok.
func (v *target) until(what string, ok func() bool) {
	v.t.Helper()
	for began := time.Now(); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Since(began) > 2*time.Minute {
			v.t.Fatalf("not within 2 min: %s", what)
		}
	}
}

// expect checks that text has all words.
func (v *target) expect(what, text string, words ...string) {
	v.t.Helper()
	for _, word := range words {
		if !strings.Contains(text, word) {
			v.t.Errorf("%s: %.400q does not say %q", what, text, word)
		}
	}
}

// dialBalancer is for frontends of the test's own.
func (v *target) dialBalancer(ctx context.Context, _ string) (net.Conn, error) {
	return v.control.Dial(ctx)
}

// A textLog is a log to look things up in.
type textLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *textLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *textLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
