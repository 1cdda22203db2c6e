package onelease_test

import (
	"context"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/balancer/cluster"
	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/i2p/simnet"
	"github.com/onelease/onelease/internal/memconn"
	"github.com/onelease/onelease/internal/owner"
	"github.com/onelease/onelease/internal/pki"
)

// A site is a Destination whose parts are all by themselves: balancers,
// frontends, and a backend that holds no key.
type site struct {
	w         *world
	dir       string
	balancers *cluster.Local
	sam       map[string]*memconn.Listener // by address
	stopping  []func()
}

// startSite starts three balancers, a frontend for each router, and the backend.
func (w *world) startSite(service backend.Service) *site {
	w.t.Helper()
	dir, log := w.t.TempDir(), w.logger()
	balancers, err := cluster.StartLocal(w.ctx, cluster.LocalConfig{Dir: dir, Balancers: 3, Keys: w.keys, Logger: log})
	if err != nil {
		w.t.Fatal(err)
	}
	s := &site{w: w, dir: dir, balancers: balancers, sam: map[string]*memconn.Listener{}}
	s.frontend("127.0.0.1:1", frontend.Config{Name: memberA, Member: true, Logger: log})
	s.frontend("127.0.0.1:2", frontend.Config{Name: memberB, Member: true, Logger: log})
	s.frontend("", frontend.Config{Name: publish, Publisher: true, Logger: log})
	s.backend("web", service)
	return s
}

// backend starts one with a certificate of that name.
func (s *site) backend(name string, service backend.Service) *onelease.Node {
	s.w.t.Helper()
	if _, err := s.balancers.Join(s.w.ctx, pki.Backend, name); err != nil {
		s.w.t.Fatal(err)
	}
	s.stopping = append(s.stopping, s.w.start(onelease.Config{
		Cluster:   &onelease.Cluster{Dir: filepath.Join(s.dir, "backend-"+name), Balancers: s.balancers.Addresses(), Dial: s.dial},
		Frontends: []string{"127.0.0.1:1", "127.0.0.1:2"},
		Service:   service,
		Logger:    s.w.logger(),
	}))
	return s.w.node
}

// frontend runs one beside the router of its name, with backends at addr.
func (s *site) frontend(addr string, cfg frontend.Config) {
	s.w.t.Helper()
	creds, err := s.balancers.Join(s.w.ctx, pki.Frontend, cfg.Name)
	if err != nil {
		s.w.t.Fatal(err)
	}
	cfg.Router.Dial, cfg.DontPublish = s.w.network.Router(cfg.Name).DialI2CP, quirkOf(s.w.profile)
	cfg.Control = frontend.ControlConfig{
		Balancers: s.balancers.Addresses(), Dial: s.balancers.Dial, TLS: pki.ClientTLS(creds, pki.Balancer, ""),
	}
	if addr != "" {
		s.sam[addr] = memconn.Listen(addr)
		cfg.SAM = []net.Listener{s.sam[addr]}
	}
	f, err := frontend.New(cfg)
	if err != nil {
		s.w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(s.w.ctx)
	var running sync.WaitGroup
	running.Go(func() {
		if err := f.Run(ctx); err != nil {
			s.w.t.Error(err)
		}
	})
	s.stopping = append(s.stopping, func() {
		cancel()
		running.Wait()
	})
}

// dial connects to balancers and frontends.
func (s *site) dial(ctx context.Context, addr string) (net.Conn, error) {
	if ln := s.sam[addr]; ln != nil {
		return ln.Dial(ctx)
	}
	return s.balancers.Dial(ctx, addr)
}

// untilListed waits until the netDB has all tunnels of both members.
func (s *site) untilListed() {
	s.w.t.Helper()
	s.w.until(2*time.Minute, "all tunnels are in the netDB", func() bool {
		ls := s.w.leaseSet()
		return ls != nil && len(ls.Leases) == 6
	})
}

// stop ends the backend first and the balancers last.
func (s *site) stop() {
	for i := range s.stopping {
		s.stopping[len(s.stopping)-1-i]()
	}
	if err := s.balancers.Close(); err != nil {
		s.w.t.Error(err)
	}
}

// TestBackendWithoutKey has streams signed by a permission of the leader, whose
// death in their midst they do not notice.
func TestBackendWithoutKey(t *testing.T) {
	inWorld(t, simnet.Config{Seed: 1}, simnet.I2PD258, func(w *world) {
		runs := &streamRuns{w: w}
		s := w.startSite(runs)
		defer s.stop()
		s.untilListed()
		w.addStreamRemotes(3, w.profile, true)
		for i, remote := range w.remotes {
			runs.add(remote, i%2 == 1, askersApart*time.Duration(i), 300, 200*time.Millisecond)
		}
		time.Sleep(20 * time.Second)
		w.until(time.Minute, "a balancer leads", func() bool { return s.balancers.Leader() != nil })
		s.balancers.Leader().Kill()
		runs.finish(5 * time.Minute)
		if stats := w.node.Host().Stats(); stats.SignsUntil.IsZero() || time.Until(stats.SignsUntil) > 25*time.Hour {
			t.Errorf("the backend signs until %v: it should have a permission for a day", stats.SignsUntil)
		}
	})
}

// TestTwoBackendsOfACluster: backends that know nothing of each other share the
// visitors by the names in their certificates, and sign with keys of their own.
func TestTwoBackendsOfACluster(t *testing.T) {
	inWorld(t, simnet.Config{Seed: 1}, simnet.I2PD245, func(w *world) {
		runs := &streamRuns{w: w}
		s := w.startSite(runs.on(webOne))
		defer s.stop()
		first := w.node.Host() // whose name, "web", is not that of its service
		second := s.backend(webTwo, runs.on(webTwo)).Host()
		s.untilListed()
		w.until(time.Minute, "both backends are at work", func() bool { return first.Stats().Weight == 1 && second.Stats().Weight == 1 })
		one, two := owner.Tag("web"), owner.Tag(webTwo)
		w.addStreamRemotes(8, w.profile, true)
		for i, remote := range w.remotes {
			runs.add(remote, i%2 == 1, askersApart*time.Duration(i), 20, 100*time.Millisecond)
		}
		runs.finish(2 * time.Minute)
		for i, r := range runs.all() {
			key := owner.KeyOf(r.remote.Destination().Hash())
			want := webOne
			if owner.Score(key, two, 1) > owner.Score(key, one, 1) {
				want = webTwo
			}
			if r.server() != want {
				t.Errorf("stream %d was served by %q, want %q", i, r.server(), want)
			}
		}
		if name := first.Stats().Name; name != "web" || !first.Stats().Frontends[0].TellsApart {
			t.Errorf("the first is %q: %+v", name, first.Stats().Frontends[0])
		}
	})
}
