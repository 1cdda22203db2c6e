package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/backend/plugin"
	"github.com/onelease/onelease/balancer"
	"github.com/onelease/onelease/balancer/cluster"
	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/simnet"
	"github.com/onelease/onelease/internal/tally"
	"github.com/onelease/onelease/internal/upd"
)

// A world is the embedded network with the Destination on it and the remotes
// that ask it.
type world struct {
	network *simnet.Network
	node    *onelease.Node
	local   *cluster.Local // the balancers, if there are several
	dir     string
	dest    i2p.Destination
	tally   *tally.Tally
	clients []*client
	workers []*worker
	plugins []*plugin.Supervisor // of the backends, if they run one
	probes  *probes              // nil without a plugin

	// What was seen of the balancers: while none leads there is no newer.
	status    *controlpb.Status
	merged    *controlpb.LeaseSetStatus
	publishes uint64
}

// balancers says how things are, as the leader sees them.
func (w *world) balancers() *controlpb.Status {
	if b := w.node.Balancer(); b != nil {
		w.status = b.Status()
	}
	if m := w.status.GetMerged(); m != nil && m.GetSeq() != w.merged.GetSeq() {
		w.merged = m
		w.publishes++
	}
	return w.status
}

// profile is what the routers behave as: what Debian ships.
var profile = simnet.I2PD245

// newWorld builds everything. Remotes are there but do not ask yet.
func newWorld(cfg Config) (*world, error) {
	keys, err := i2p.GenerateKeys()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "onelease-demo-")
	if err != nil {
		return nil, fmt.Errorf("directory for the balancer's state: %w", err)
	}
	quiet := slog.New(slog.DiscardHandler)
	w := &world{
		network: simnet.New(simnet.Config{Seed: cfg.Seed, Tunnels: simnet.TunnelTimes{Opening: cfg.opening}, Logger: quiet}),
		dir:     dir,
		dest:    keys.Destination,
	}
	if err := w.start(cfg, keys, quiet); err != nil {
		return nil, errors.Join(err, w.close())
	}
	w.meet()
	w.addClients(cfg)
	return w, nil
}

// start starts the node, and the balancers before it if there are several.
func (w *world) start(cfg Config, keys *i2p.Keys, quiet *slog.Logger) (err error) {
	policy := balancer.Policy{Tunnels: cfg.Tunnels}
	node := onelease.Config{Keys: keys, Routers: w.routers(cfg), Logger: quiet}
	if err := w.hire(cfg, &node); err != nil {
		return err
	}
	if cfg.Balancers == 1 {
		node.Dir, node.Policy = w.dir, policy
		w.node, err = onelease.Start(node)
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), readyTime)
	defer cancel()
	w.local, err = cluster.StartLocal(ctx, cluster.LocalConfig{
		Dir: w.dir, Balancers: cfg.Balancers, Keys: keys, Policy: policy, Logger: quiet,
	})
	if err != nil {
		return err
	}
	node.Balancers = w.local
	w.node, err = onelease.Start(node)
	return err
}

// publisherName is the router's that only publishes, if there is one.
const publisherName = "publisher"

// routerName is a member's.
func routerName(i int) string { return fmt.Sprintf("router-%d", i+1) }

// routers adds the routers to the network: members, and one that publishes.
// Without stickiness all are both.
func (w *world) routers(cfg Config) []onelease.Router {
	routers := make([]onelease.Router, 0, cfg.Routers+1)
	for i := range cfg.Routers {
		name := routerName(i)
		r := w.network.NewRouter(simnet.RouterConfig{Name: name, Profile: profile})
		routers = append(routers, onelease.Router{
			Name: name, Dial: r.DialI2CP, Member: true, Publisher: cfg.Policy == Merged,
		})
	}
	if cfg.Policy == Merged {
		return routers
	}
	r := w.network.NewRouter(simnet.RouterConfig{Name: publisherName, Profile: profile})
	return append(routers, onelease.Router{Name: publisherName, Dial: r.DialI2CP, Publisher: true})
}

// view is the node as one of "onelease up" is shown.
func (w *world) view(cfg Config) *upd.View {
	v := &upd.View{Node: w.node, Name: "demo", Destination: w.dest.Base32(), Since: time.Now(), Leader: cfg.Leader}
	for i := range cfg.Routers {
		v.Routers = append(v.Routers, routerName(i))
	}
	if cfg.Policy != Merged {
		v.Routers = append(v.Routers, publisherName)
	}
	return v
}

func (w *world) addClients(cfg Config) {
	count := cfg.Routers * remotesPerRouter
	if cfg.Plugin != "" {
		w.probes = newProbes()
	}
	w.tally = tally.New(count)
	w.tally.RecoverWithin(moveTime)
	for number := range count {
		w.clients = append(w.clients, w.newClient(number, cfg))
	}
}

// close ends everything and leaves nothing behind. It may be called once.
func (w *world) close() error {
	var err error
	if w.node != nil {
		err = w.node.Close()
	}
	if w.local != nil {
		err = errors.Join(err, w.local.Close())
	}
	w.network.Close()
	return errors.Join(err, os.RemoveAll(w.dir))
}

// published is the merged LeaseSet as a floodfill returns it.
func (w *world) published() (*i2p.LeaseSet2, []byte) {
	raw, ok := w.network.Lookup(w.dest.Hash())
	if !ok {
		return nil, nil
	}
	ls, _, err := i2p.ParseLeaseSet2(raw)
	if err != nil {
		return nil, nil
	}
	return ls, raw
}

// errNotReady says that the routers did not get ready in time.
var errNotReady = errors.New("the LeaseSet with all tunnels did not get into the netDB in two minutes")

// readyTime is how long the routers have to get ready.
const readyTime = 2 * time.Minute

// waitReady waits until the netDB has a LeaseSet that lists as much as fits,
// every remote can send, and all plugins run.
func (w *world) waitReady(ctx context.Context, cfg Config, tell func(*controlpb.Status)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, readyTime, errNotReady)
	defer cancel()
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	want := min(cfg.Routers*cfg.Tunnels, i2p.MaxLeases)
	for {
		tell(w.balancers())
		if ls, _ := w.published(); ls != nil && len(ls.Leases) >= want && w.clientsReady() && w.pluginsReady() {
			return nil
		}
		select {
		case <-w.node.Done():
			return w.node.Close() // which has the reason
		case <-ctx.Done():
			if errors.Is(context.Cause(ctx), errNotReady) {
				return errNotReady
			}
			return errInterrupted
		case <-ticker.C:
		}
	}
}

func (w *world) clientsReady() bool {
	for _, c := range w.clients {
		if !c.remote.Ready() {
			return false
		}
	}
	return true
}
