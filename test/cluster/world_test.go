package cluster_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/simnet"
	"github.com/onelease/onelease/internal/pki"
)

// What a world has, besides members.
const (
	balancers   = 3
	publisher   = "publisher"
	operator    = "operator"
	backendName = "service"
)

// A world is a service on an embedded network, with its balancers in processes
// of their own, and the history of what happens to it.
type world struct {
	t         *testing.T
	members   int
	dir       string
	keys      *i2p.Keys
	history   *history
	balancers []*process
	network   *simnet.Network
	node      *onelease.Node
	traffic   *traffic
}

// newWorld starts a service with three balancers and that many members, and waits
// until the netDB has the LeaseSet of all.
func newWorld(t *testing.T, g ground, members int) *world {
	t.Helper()
	keys, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, members: members, dir: t.TempDir(), keys: keys, history: newHistory(keys.Destination.Hash())}
	t.Cleanup(w.showLogs)
	identity := w.identity()
	for i := range balancers {
		name := fmt.Sprintf("b%d", i+1)
		w.balancers = append(w.balancers, &process{
			t: t, number: i, name: name, ground: g,
			cfg: nodeConfig{Dir: w.dirOf(name), Identity: identity},
		})
	}
	w.form(identity)
	w.serve()
	return w
}

// identity writes one that opens the keys in no time, unlike a passphrase.
func (w *world) identity() string {
	const identity = "AGE-SECRET-KEY-184JMZMVQH3E6U0PSL869004Y3U2NYV7R30EU99CSEDNPH02YUVFSZW44VU\n"
	path := filepath.Join(w.dir, "identity")
	if err := os.WriteFile(path, []byte(identity), 0o600); err != nil {
		w.t.Fatal(err)
	}
	return path
}

func (w *world) dirOf(name string) string { return filepath.Join(w.dir, name) }

// serve starts the network and all that is not a balancer.
func (w *world) serve() {
	w.t.Helper()
	w.network = simnet.New(simnet.Config{
		Seed:    1,
		Tunnels: simnet.TunnelTimes{First: 200 * time.Millisecond, Rest: 2 * time.Second},
		Observe: w.history.observe,
		Logger:  slog.New(slog.DiscardHandler),
	})
	w.t.Cleanup(w.network.Close)
	cfg := onelease.Config{
		Cluster: &onelease.Cluster{Dir: w.dirOf(backendName), Balancers: w.addresses()},
		Service: service{},
		Logger:  slog.New(observer{Handler: w.logHandler(), history: w.history}),
	}
	for _, name := range w.frontends() {
		cfg.Routers = append(cfg.Routers, w.router(name, name != publisher))
	}
	w.join(pki.Backend, backendName)
	node, err := onelease.Start(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	w.node = node
	w.t.Cleanup(func() {
		if err := node.Close(); err != nil {
			w.t.Errorf("Close: %v", err)
		}
	})
	w.until(time.Minute, "the netDB has all members' tunnels", w.published)
}

// router adds a router to the network and has a frontend join for it.
func (w *world) router(name string, member bool) onelease.Router {
	w.t.Helper()
	r := w.network.NewRouter(simnet.RouterConfig{Name: name, Profile: simnet.I2PD245})
	w.join(pki.Frontend, name)
	return onelease.Router{Name: name, Dial: r.DialI2CP, Member: member, Publisher: !member, Dir: w.dirOf(name)}
}

// frontends are the names of all, which are those of their routers.
func (w *world) frontends() (names []string) {
	for i := range w.members {
		names = append(names, fmt.Sprintf("m%d", i+1))
	}
	return append(names, publisher)
}

// published reports whether the netDB has what the members' routers have, which
// may be fewer tunnels than they are to have: while one waits for a LeaseSet it
// does not ask for another, as i2pd does not.
func (w *world) published() bool {
	raw, ok := w.network.Lookup(w.keys.Destination.Hash())
	if !ok {
		return false
	}
	ls, _, err := i2p.ParseLeaseSet2(raw)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, name := range w.frontends() {
		pool := w.node.Frontend(name).Status().Pool
		if name != publisher && (len(pool) == 0 || !listsAll(ls, pool)) {
			return false
		}
	}
	return true
}

func listsAll(ls *i2p.LeaseSet2, pool []i2p.Lease) bool {
	for _, own := range pool {
		if !slices.ContainsFunc(ls.Leases, own.SameTunnel) {
			return false
		}
	}
	return true
}

func (w *world) logHandler() slog.Handler {
	file, err := os.Create(filepath.Join(w.dir, "service.log"))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { file.Close() })
	return slog.NewTextHandler(file, nil)
}

// showLogs shows the ends of all logs if the test has failed.
func (w *world) showLogs() {
	if !w.t.Failed() {
		return
	}
	for _, p := range w.balancers {
		w.t.Log(p.tail())
	}
	if b, err := os.ReadFile(filepath.Join(w.dir, "service.log")); err == nil {
		w.t.Logf("--- service.log\n%s", b[max(0, len(b)-6000):])
	}
}

// until polls, since what is waited for happens in other processes.
func (w *world) until(within time.Duration, what string, ok func() bool) time.Duration {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), within)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for began := time.Now(); ; {
		if ok() {
			return time.Since(began)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			w.t.Fatalf("not within %v: %s", within, what)
		}
	}
}

// each calls do for all balancers at once.
func (w *world) each(do func(*process)) {
	var group sync.WaitGroup
	for _, p := range w.balancers {
		group.Go(func() { do(p) })
	}
	group.Wait()
}
