package cluster

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/simnet"
	"github.com/onelease/onelease/raftstate"
)

// A site is a cluster with real frontends: members "a" and "b", and a
// publisher, each with a router of an embedded network; and a tap.
type site struct {
	*rig
	network *simnet.Network
	routers map[string]*siteRouter
	tap     *tap
}

// A siteRouter is a frontend and its router.
type siteRouter struct {
	*frontend.Frontend
	sessions atomic.Int32 // that its frontend has begun
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{rig: newRig(t), routers: map[string]*siteRouter{}}
	s.preset = raftstate.LAN()
	s.policy.Tunnels = 1 // so that nobody waits for a router's second request
	s.form(3)
	s.network = simnet.New(simnet.Config{
		Seed: 1, Logger: slog.New(slog.DiscardHandler),
		Tunnels: simnet.TunnelTimes{First: 20 * time.Millisecond, Rest: 60 * time.Millisecond},
	})
	t.Cleanup(s.network.Close)
	for _, name := range []string{"a", "b", "publisher"} {
		s.serve(name)
	}
	s.startTap()
	s.until("all serve", func() bool {
		for _, r := range s.routers {
			if !r.Status().Serving {
				return false
			}
		}
		return s.tap.last().term > 0
	})
	return s
}

// serve runs a frontend until the test ends.
func (s *site) serve(name string) {
	s.t.Helper()
	r := &siteRouter{}
	router := s.network.NewRouter(simnet.RouterConfig{Name: name, Profile: simnet.I2PD245})
	f, err := frontend.New(frontend.Config{
		Name: name, Member: name != "publisher", Publisher: name == "publisher",
		Router: frontend.RouterConfig{Dial: func(ctx context.Context) (net.Conn, error) {
			r.sessions.Add(1)
			return router.DialI2CP(ctx)
		}},
		Control: frontend.ControlConfig{Balancers: s.addrs(), TLS: s.tlsOf(s.join("frontend", name))},
		Logger:  s.logger,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	r.Frontend = f
	s.routers[name] = r
	s.background(func(ctx context.Context) {
		if err := f.Run(ctx); err != nil {
			s.t.Errorf("frontend %s: %v", name, err)
		}
	})
}

// background runs f until the test ends, and waits for it then.
func (s *site) background(f func(ctx context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { f(ctx) })
	s.t.Cleanup(func() {
		cancel()
		running.Wait()
	})
}

// A place is where a LeaseSet stands in the order of all.
type place struct {
	generation, term, seq uint64
	published             int64
	life                  time.Duration
}

// before reports whether p comes before o, in both orders that there are.
func (p place) before(o place) bool {
	if p.published >= o.published || p.generation > o.generation {
		return false
	}
	return p.generation < o.generation || p.term < o.term || p.term == o.term && p.seq < o.seq
}

// A tap is a member that notes the LeaseSets that it is given.
type tap struct {
	site *site
	tls  *tls.Config

	mu     sync.Mutex
	places []place
}

func (s *site) startTap() {
	s.tap = &tap{site: s, tls: s.tlsOf(s.join("frontend", "tap"))}
	s.background(s.tap.run)
}

// run goes round the balancers, as fast as they answer.
func (p *tap) run(ctx context.Context) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for ctx.Err() == nil {
		for _, n := range p.site.nodes {
			p.visit(ctx, n.Address())
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// visit stays while that balancer leads.
func (p *tap) visit(ctx context.Context, addr string) {
	conn, err := connect(addr, dialTCP, p.tls)
	if err != nil {
		return
	}
	defer conn.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	line, first, err := attach(ctx, conn.Control, "tap")
	if err != nil || first.GetWelcome() == nil {
		return
	}
	beating := make(chan struct{})
	go func() {
		defer close(beating)
		beat(ctx, line)
	}()
	defer func() { <-beating }()
	defer cancel()
	for {
		m, err := line.Recv()
		if err != nil {
			return
		}
		if install := m.GetInstall(); install != nil {
			p.note(install)
		}
	}
}

// beat reports a pool and says that it lives.
func beat(ctx context.Context, line controlpb.Control_AttachClient) {
	pool := &controlpb.Pool{Up: true, Requested: true}
	for i := range byte(3) {
		gateway := i2p.Hash{9, i}
		pool.Leases = append(pool.Leases, &controlpb.Lease{
			Gateway: gateway[:], TunnelId: uint32(i) + 1, EndMs: time.Now().Add(10 * time.Minute).UnixMilli(),
		})
	}
	_ = line.Send(&controlpb.FrontendMessage{Kind: &controlpb.FrontendMessage_Pool{Pool: pool}})
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			_ = line.Send(&controlpb.FrontendMessage{Kind: &controlpb.FrontendMessage_Heartbeat{Heartbeat: &controlpb.Heartbeat{}}})
		}
	}
}

func (p *tap) note(m *controlpb.Install) {
	ls, _, err := i2p.ParseLeaseSet2(m.GetLeaseSet())
	if err == nil {
		err = ls.Verify()
	}
	if err != nil {
		p.site.t.Errorf("the tap got a LeaseSet that is none: %v", err)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.places = append(p.places, place{m.GetGeneration(), m.GetTerm(), m.GetSeq(), ls.Published.Unix(), ls.Expires.Sub(ls.Published)})
}

func (p *tap) all() []place {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]place(nil), p.places...)
}

func (p *tap) last() place {
	if all := p.all(); len(all) > 0 {
		return all[len(all)-1]
	}
	return place{}
}

// term is that of the newest LeaseSet of a member.
func (s *site) term(name string) uint64 { return s.routers[name].Status().Term }

// awaitLater returns how long it takes until the first member has a LeaseSet of a
// later term, and until both have.
func (s *site) awaitLater(began time.Time, than uint64) (first, both time.Duration) {
	s.t.Helper()
	s.until("the members have LeaseSets of the next leader", func() bool {
		a, b := s.term("a") > than, s.term("b") > than
		if (a || b) && first == 0 {
			first = time.Since(began)
		}
		return a && b
	})
	return first, time.Since(began)
}

// checkSessions fails the test if a router has lost its session.
func (s *site) checkSessions() {
	s.t.Helper()
	for name, r := range s.routers {
		if n := r.sessions.Load(); n != 1 || !r.Status().RouterUp {
			s.t.Errorf("router %s: %d sessions, up %v; want the one that it began with", name, n, r.Status().RouterUp)
		}
	}
}

// checkOrder fails the test unless what the tap was given strictly rises, over
// at least so many terms.
func (s *site) checkOrder(terms int) {
	s.t.Helper()
	seen, all := map[uint64]bool{}, s.tap.all()
	for i, p := range all {
		seen[p.term] = true
		if i > 0 && !all[i-1].before(p) {
			s.t.Errorf("%+v, then %+v", all[i-1], p)
		}
	}
	if len(seen) < terms {
		s.t.Errorf("LeaseSets of %d terms, want %d: %+v", len(seen), terms, all)
	}
}
