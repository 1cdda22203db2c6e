package onelease_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/frontend/guest"
	"github.com/onelease/onelease/frontend/guest/guesttest"
	"github.com/onelease/onelease/test/embedded"
)

// startProcesses starts one for each router of the network, and says how to reach them.
func startProcesses(network *embedded.Network, log *slog.Logger) (map[string]*guesttest.Process, onelease.HostingConfig) {
	processes, cfg := map[string]*guesttest.Process{}, onelease.HostingConfig{Logger: log}
	for _, r := range network.Routers() {
		server := guest.ServerConfig{Name: r.Name, Member: r.Member, Publisher: r.Publisher, Logger: log}
		p := guesttest.New(server, frontend.RouterConfig{Addr: r.Addr, Dial: r.Dial}, r.DontPublish)
		p.Start()
		processes[r.Name] = p
		cfg.Frontends = append(cfg.Frontends, onelease.RemoteFrontend{Name: r.Name, Dial: p.Dial, Member: r.Member, Publisher: r.Publisher})
	}
	return processes, cfg
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
	processes, cfg := startProcesses(w.network, log)
	for _, p := range processes {
		defer p.Kill()
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
		processes[name].Kill()
		w.askAll(streams, name+" is killed")
		processes[name].Start()
		w.until("its guests are back", func() bool { return processes[name].Status().Guests == 3 })
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
		if n := p.Status().Guests; n != 0 {
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
func (w *hostingWorld) checkCut(p *guesttest.Process, streams []net.Conn) {
	w.t.Helper()
	before := p.Dials()
	time.Sleep(130 * time.Second)
	p.Cut()
	w.askAll(streams, "the connection is cut")
	time.Sleep(20 * time.Second) // longer than the grace
	if after := p.Dials(); after != before {
		w.t.Errorf("%d connections to the router more", after-before)
	}
	if s := p.Status(); s.Guests != 3 || s.Lingering != 0 {
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
