package onelease_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/frontend/guest"
	"github.com/onelease/onelease/internal/memconn"
	"github.com/onelease/onelease/test/embedded"
)

// A process is what a frontend process has for guests, of one router. It can be killed and
// started again.
type process struct {
	t      testing.TB
	router onelease.Router
	log    *slog.Logger
	dials  atomic.Int64 // to the router

	mu     sync.Mutex
	server *guest.Server // nil while it is dead
	lines  []*memconn.Conn
	group  sync.WaitGroup
}

// startProcesses starts one for each router of the network, and says how to reach them.
func startProcesses(t testing.TB, network *embedded.Network, log *slog.Logger) (map[string]*process, onelease.HostingConfig) {
	processes, cfg := map[string]*process{}, onelease.HostingConfig{Logger: log}
	for _, r := range network.Routers() {
		p := &process{t: t, router: r, log: log}
		p.start()
		processes[r.Name] = p
		cfg.Frontends = append(cfg.Frontends, onelease.RemoteFrontend{Name: r.Name, Dial: p.dial, Member: r.Member, Publisher: r.Publisher})
	}
	return processes, cfg
}

func (p *process) start() {
	p.t.Helper()
	server, err := guest.NewServer(guest.ServerConfig{
		Name: p.router.Name, Member: p.router.Member, Publisher: p.router.Publisher, Logger: p.log,
		Frontend: func() (frontend.Config, error) {
			dial := func(ctx context.Context) (net.Conn, error) {
				p.dials.Add(1)
				return p.router.Dial(ctx)
			}
			return frontend.Config{Router: frontend.RouterConfig{Addr: p.router.Addr, Dial: dial}, DontPublish: p.router.DontPublish}, nil
		},
	})
	if err != nil {
		p.t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.server = server
}

func (p *process) dial(context.Context) (net.Conn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.server == nil {
		return nil, syscall.ECONNREFUSED
	}
	client, server := memconn.Pair(p.router.Name)
	p.lines = append(p.lines, client)
	host := p.server
	p.group.Go(func() { host.ServeConn(context.Background(), server, "sam-1") })
	return client, nil
}

// cut breaks the connections, as a router between may.
func (p *process) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, line := range p.lines {
		line.Reset()
	}
	p.lines = nil
}

// kill ends it at once.
func (p *process) kill() {
	p.mu.Lock()
	server := p.server
	p.server = nil
	p.mu.Unlock()
	p.cut()
	if server != nil {
		server.Close()
	}
	p.group.Wait()
}

func (p *process) status() guest.Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.server.Status()
}

// withoutPools runs test after what sync.Pools hold is gone: yamux shares timers between
// its sessions, and those of a bubble must not be used in another.
func withoutPools(test func()) {
	for range 2 {
		runtime.GC()
	}
	test()
}

// TestHostingElsewhere: Destinations whose frontends run beside their routers, in other
// processes. One such process is killed, and comes back; then the other is. Streams
// survive, and in the end nothing is left anywhere.
func TestHostingElsewhere(t *testing.T) {
	withoutPools(func() { synctest.Test(t, hostElsewhere) })
}

func hostElsewhere(t *testing.T) {
	w := &hostingWorld{t: t, network: embedded.Start(embedded.Config{})}
	defer w.network.Close()
	log := slog.New(slog.NewTextHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	processes, cfg := startProcesses(t, w.network, log)
	for _, p := range processes {
		defer p.kill()
	}
	var err error
	if w.hosting, err = onelease.NewHosting(cfg); err != nil {
		t.Fatal(err)
	}
	defer w.hosting.Close()
	hosted := []*onelease.Hosted{w.open(onelease.Opening{Publish: true}), w.open(onelease.Opening{}), w.open(onelease.Opening{Publish: true})}
	streams := w.begin(hosted)
	w.askAll(streams, "begun")
	for _, name := range []string{"member-1", "member-2"} {
		time.Sleep(130 * time.Second) // sessions that are younger cannot be taken over
		processes[name].kill()
		w.askAll(streams, name+" is killed")
		processes[name].start()
		w.until("its guests are back", func() bool { return processes[name].status().Guests == 3 })
	}
	w.checkCut(processes["member-1"], streams)
	for _, c := range streams {
		c.Close()
	}
	for _, d := range hosted {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
	for name, p := range processes {
		if n := p.status().Guests; n != 0 {
			t.Errorf("%s has %d guests after their end", name, n)
		}
	}
}

// begin has each dial, and is dialled by, a remote of its own. Their routers are not the
// Destinations': those would lose both ends at once. And a router takes in one new session
// in 200 ms, so one remote for all would miss most of what they say when they lose theirs.
func (w *hostingWorld) begin(hosted []*onelease.Hosted) (streams []net.Conn) {
	w.t.Helper()
	for _, d := range hosted {
		remote := w.network.Remote()
		ln, err := remote.Stack().Listen(7)
		if err != nil {
			w.t.Fatal(err)
		}
		go echoOn(ln)
		w.until("the remote can be found", func() bool {
			_, published := w.network.Lookup(remote.Destination().Hash())
			return published && remote.Ready()
		})
		ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
		defer cancel()
		out, err := d.Host().DialContext(ctx, "i2p", remote.Destination().Base32()+":7")
		if err != nil {
			w.t.Fatalf("%v\n%s", err, w.log.tail())
		}
		streams = append(streams, out)
	}
	for _, d := range []*onelease.Hosted{hosted[0], hosted[2]} {
		serveEcho(w.t, d, 7)
		in, err := w.network.Remote().DialContext(w.t.Context(), "i2p", d.Keys().Destination.Base32()+":7")
		if err != nil {
			w.t.Fatalf("%v\n%s", err, w.log.tail())
		}
		streams = append(streams, in)
	}
	if dest, err := w.hosting.Lookup(w.t.Context(), hosted[0].Keys().Destination.Base32()); err != nil || dest.Hash() != hosted[0].Keys().Destination.Hash() {
		w.t.Errorf("lookup: %v, %v", dest, err)
	}
	return streams
}

// checkCut breaks the connection: the frontends keep their sessions with the router.
func (w *hostingWorld) checkCut(p *process, streams []net.Conn) {
	w.t.Helper()
	before := p.dials.Load()
	time.Sleep(130 * time.Second)
	p.cut()
	w.askAll(streams, "the connection is cut")
	time.Sleep(20 * time.Second) // longer than the grace
	if after := p.dials.Load(); after != before {
		w.t.Errorf("%d connections to the router more", after-before)
	}
	if s := p.status(); s.Guests != 3 || s.Lingering != 0 {
		w.t.Errorf("after the cut: %+v", s)
	}
}

// askAll sends a line by each stream and waits until all are back.
func (w *hostingWorld) askAll(streams []net.Conn, when string) {
	w.t.Helper()
	began := time.Now()
	answers := make(chan error)
	for _, c := range streams {
		go func() { answers <- ask(c, when+"\n") }()
	}
	for range streams {
		if err := <-answers; err != nil {
			w.t.Errorf("%s: %v", when, err)
		}
	}
	if w.t.Failed() {
		w.t.Fatal(w.log.tail())
	}
	w.t.Logf("%s: all streams answered after %v", when, time.Since(began))
}

func (w *hostingWorld) until(what string, ok func() bool) {
	w.t.Helper()
	for began := time.Now(); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Since(began) > time.Minute {
			w.t.Fatalf("not within a minute: %s\n%s", what, w.log.tail())
		}
	}
}

// TestHostingFrontendsConfig: what cannot work is named.
func TestHostingFrontendsConfig(t *testing.T) {
	good := onelease.RemoteFrontend{Name: "router-1", Addr: "127.0.0.1:1", Member: true, Publisher: true}
	for want, change := range map[string]func(*onelease.HostingConfig){
		"no Addr":           func(c *onelease.HostingConfig) { c.Frontends[0].Addr = "" },
		"no TLS, and Dir":   func(*onelease.HostingConfig) {},
		"not the directory": func(c *onelease.HostingConfig) { c.Dir = t.TempDir() },
		"Dir without": func(c *onelease.HostingConfig) {
			c.Dir, c.Frontends = t.TempDir(), nil
			c.Routers = []onelease.Router{{Name: "a", Member: true, Publisher: true}}
		},
		`two Routers are named "r`:  func(c *onelease.HostingConfig) { c.Frontends = slices.Repeat(c.Frontends, 2) },
		"neither Member nor Publis": func(c *onelease.HostingConfig) { c.Frontends[0].Member, c.Frontends[0].Publisher = false, false },
	} {
		cfg := onelease.HostingConfig{Frontends: []onelease.RemoteFrontend{good}}
		change(&cfg)
		if _, err := onelease.NewHosting(cfg); !errors.Is(err, onelease.ErrConfig) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want one that says %q", err, want)
		}
	}
}
