package test

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/onelease/onelease/balancer"
	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/memconn"
	"github.com/onelease/onelease/raftstate"
	"github.com/onelease/onelease/test/i2pd"
)

// TestStockRouters asks stock routers two things that the rest takes for
// granted: that a frontend can tell how its router reads
// i2cp.dontPublishLeaseSet, and what multihoming is worth without Onelease. Both
// are on one network and at the same time, since they mostly wait.
func TestStockRouters(t *testing.T) {
	i2pd.Require(t)
	t.Parallel() // with what is as patient
	routers := i2pd.Start(t, i2pd.Config{Routers: 12, Killable: []int{secondRouter}})
	t.Run("dontPublish", func(t *testing.T) {
		t.Parallel()
		checkQuirk(t, routers)
	})
	t.Run("upstream SAM", func(t *testing.T) {
		t.Parallel()
		checkUpstream(t, routers)
	})
}

// The routers of checkQuirk, by their number in the network.
const (
	toldRouter = 10
	autoRouter = 11
)

// quirkOf is how that version of i2pd reads i2cp.dontPublishLeaseSet.
func quirkOf(version string) frontend.Quirk {
	if strings.HasPrefix(version, "2.58.") {
		return frontend.Inverted
	}
	return frontend.Normal
}

// probeOptions make throwaway sessions that 2.45.1 publishes at once. With an
// outbound hop it may try in vain at first, and each lookup that comes too early
// costs 40 s. (Not for the real network: it tells floodfills who asks.)
var probeOptions = i2p.Mapping{"inbound.length": "1", "outbound.length": "0"}

// checkQuirk has one frontend find out by itself how its router reads the
// option, and a balancer probe another, which is told: both must find what is
// known of this version. The probe must find the Destination as well, which is
// in the netDB only if the frontend makes of the option what its router does.
func checkQuirk(t *testing.T, routers *i2pd.Network) {
	want, keys := quirkOf(routers.Version), newKeys(t)
	leader, control := startBalancer(t, keys)
	began := time.Now()
	auto := startFrontend(t, frontend.Config{
		Name: "auto", Member: true, DontPublish: frontend.Auto, ProbeOptions: probeOptions, Control: control,
		Router: frontend.RouterConfig{Addr: routers.Router(autoRouter).I2CPAddr()},
	})
	startFrontend(t, frontend.Config{
		Name: "told", Member: true, Publisher: true, DontPublish: want, ProbeOptions: probeOptions, Control: control,
		Router: frontend.RouterConfig{Addr: routers.Router(toldRouter).I2CPAddr()},
	})
	var status frontend.Status
	await(t, 2*time.Minute, "the self-test's end", func() bool {
		status = auto.Status()
		return status.Quirk != frontend.Auto
	})
	t.Logf("i2pd %s reads i2cp.dontPublishLeaseSet as %q, found out in %.1f s", routers.Version, status.Quirk, time.Since(began).Seconds())
	if status.Quirk != want || !status.QuirkProbed {
		t.Errorf("quirk %q, found out %v; want %q, true", status.Quirk, status.QuirkProbed, want)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := routers.AwaitLeaseSet(ctx, keys.Destination.Hash()); err != nil {
		t.Fatal(err)
	}
	began = time.Now()
	reply, err := leader.Probe(t.Context(), "told")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the probe took %.1f s: %v", time.Since(began).Seconds(), reply)
	if reply.GetDontPublishInverted() != (want == frontend.Inverted) || !reply.GetDestinationFound() {
		t.Errorf("the probe found inverted %v, Destination in the netDB %v", reply.GetDontPublishInverted(), reply.GetDestinationFound())
	}
}

// startBalancer starts a cluster of one, which ends with the test, and returns
// the way to it.
func startBalancer(t *testing.T, keys *i2p.Keys) (*balancer.Balancer, frontend.ControlConfig) {
	t.Helper()
	store, err := raftstate.Open(raftstate.Config{ID: "local", Dir: t.TempDir(), Logger: quiet(t)})
	if err != nil {
		t.Fatal(err)
	}
	b, err := balancer.New(balancer.Config{
		Keys: keys, Store: store, Policy: balancer.Policy{Tunnels: 3, Hops: 1}, Expect: 1, Logger: quiet(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	listener, server := memconn.Listen("balancer"), grpc.NewServer()
	controlpb.RegisterControlServer(server, b.Control())
	ctx, cancel := context.WithCancel(context.Background())
	var parts sync.WaitGroup
	parts.Go(func() { _ = server.Serve(listener) })
	parts.Go(func() { _ = b.Run(ctx) })
	t.Cleanup(func() {
		server.Stop()
		cancel()
		parts.Wait()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	dial := func(ctx context.Context, _ string) (net.Conn, error) { return listener.Dial(ctx) }
	return b, frontend.ControlConfig{Balancers: []string{"local"}, Dial: dial}
}

// startFrontend runs a frontend until the test ends.
func startFrontend(t *testing.T, cfg frontend.Config) *frontend.Frontend {
	t.Helper()
	cfg.Logger = quiet(t)
	f, err := frontend.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("frontend %s: %v", cfg.Name, err)
		}
	})
	return f
}

// quiet logs errors only: much is tried in vain until routers are ready.
func quiet(tb testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(tb.Output(), &slog.HandlerOptions{Level: slog.LevelError}))
}

func newKeys(tb testing.TB) *i2p.Keys {
	tb.Helper()
	keys, err := i2p.GenerateKeys()
	if err != nil {
		tb.Fatal(err)
	}
	return keys
}

// await looks again and again until it is so, and returns how long that took:
// real routers announce nothing. After limit it fails the test.
func await(tb testing.TB, limit time.Duration, what string, so func() bool) time.Duration {
	tb.Helper()
	began := time.Now()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for !so() {
		if time.Since(began) > limit {
			tb.Fatalf("no sign of %s in %v", what, limit)
		}
		<-ticker.C
	}
	return time.Since(began)
}
