package sambridge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/plugins/sambridge"
	"github.com/onelease/onelease/test/i2pd"
	"github.com/onelease/onelease/test/i2pd/samclient"
	"github.com/onelease/onelease/test/streamservice"
)

// The routers' roles: the first are floodfills, one is the far end's, one publishes and
// three serve. The stock bridge is that of the first that serves.
const (
	floodfills = 6
	farRouter  = 6
	publisher  = 7
)

var members = []int{8, 9, 10}

// benchRounds is how often all bridges take turns in one iteration, so that what else
// goes on hits all alike.
const benchRounds = 3

// sessionParams are those of all sessions: short tunnels, which are there soon.
var sessionParams = []string{
	"inbound.length=1", "outbound.length=1", "inbound.quantity=3", "outbound.quantity=3", "i2cp.leaseSetEncType=4",
}

// BenchmarkSAM compares bridges on the same routers at the same time: a stock router's
// own, ours on that router alone, and ours on three. The far end is always a stock
// router's bridge, on another router.
func BenchmarkSAM(b *testing.B) {
	routers := i2pd.Start(b, i2pd.Config{Routers: 11, Floodfills: floodfills})
	far := startFar(b, routers)
	sides := startSides(b, routers)
	sides.openStreams(b, far)
	b.Run("Streams", func(b *testing.B) { sides.benchStreams(b, far) })
	for _, d := range datagramWays {
		b.Run(d.name, func(b *testing.B) { sides.benchDatagrams(b, far, d) })
	}
}

// A side is a bridge that is measured, with what is open on it.
type side struct {
	name    string
	bridge  string // host:port
	udp     string // host:port of its datagrams
	streams *samclient.Streams
	// sessions are one for each round, since tunnels are quick or slow by chance; streams
	// is the one whose turn it is.
	sessions [benchRounds]*samclient.Streams
}

// sides are compared with each other; the first is the yardstick.
type sides []*side

func startSides(b *testing.B, routers *i2pd.Network) sides {
	stock := routers.Router(members[0])
	both := routerAt(routers, members[0], true, true)
	three := []onelease.Router{routerAt(routers, publisher, false, true)}
	for _, i := range members {
		three = append(three, routerAt(routers, i, true, false))
	}
	return sides{
		{name: "i2pd", bridge: stock.SAMAddr(), udp: stock.SAMUDPAddr()},
		startOurs(b, "one", []onelease.Router{both}, 1),
		startOurs(b, "three", three, len(members)),
	}
}

// routerAt is a router of the network for ours.
func routerAt(routers *i2pd.Network, i int, member, publisher bool) onelease.Router {
	r := onelease.Router{
		Name: fmt.Sprintf("i2pd-%d", i), Addr: routers.Router(i).I2CPAddr(), Member: member, Publisher: publisher, DontPublish: frontend.Normal,
	}
	if strings.HasPrefix(routers.Version, "2.58.") {
		r.DontPublish = frontend.Inverted
	}
	return r
}

// startOurs starts our bridge in this process, until the benchmark ends. (The programs that
// use it are in this process whichever bridge they use.)
func startOurs(b *testing.B, name string, routers []onelease.Router, members int) *side {
	b.Helper()
	log := slog.New(slog.NewTextHandler(b.Output(), &slog.HandlerOptions{Level: slog.LevelError}))
	hosting, err := onelease.NewHosting(onelease.HostingConfig{Routers: routers, Members: members, Policy: policy(), Logger: log})
	if err != nil {
		b.Fatal(err)
	}
	cfg, err := processConfig{}.listen(hosting)
	if err != nil {
		b.Fatal(err)
	}
	cfg.Logger = log
	bridge, err := sambridge.New(*cfg)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- bridge.Run(ctx) }()
	b.Cleanup(func() {
		cancel()
		if err := errors.Join(<-ended, hosting.Close()); err != nil {
			b.Error(err)
		}
	})
	return &side{name: name, bridge: cfg.Listeners[0].Addr().String(), udp: cfg.Packets.LocalAddr().String()}
}

// A far is the other end of all: it serves streams, and returns datagrams.
type far struct {
	routers *i2pd.Network
	streams string // I2P base64 of its Destinations
}

func startFar(b *testing.B, routers *i2pd.Network) *far {
	streams, err := openStreams(b, routers.Router(farRouter).SAMAddr())
	if err != nil {
		b.Fatal(err)
	}
	ln, err := streams.Listen(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	server := streamservice.NewServer()
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(ln) })
	b.Cleanup(func() { ln.Close(); serving.Wait() })
	return &far{routers: routers, streams: streams.Destination()}
}

// openStreams opens a session that ends with the test.
func openStreams(tb testing.TB, bridge string) (*samclient.Streams, error) {
	ctx, cancel := context.WithTimeout(tb.Context(), 90*time.Second)
	defer cancel()
	streams, err := samclient.OpenStreams(ctx, bridge, samclient.Options{Params: sessionParams})
	if err == nil {
		tb.Cleanup(func() { streams.Close() })
	}
	return streams, err
}

// openStreams opens each side's sessions, and waits until they have been served once.
func (s sides) openStreams(b *testing.B, f *far) {
	s.each(b, func(side *side) error {
		var group errgroup.Group
		for i := range side.sessions {
			group.Go(func() (err error) {
				if side.sessions[i], err = openStreams(b, side.bridge); err != nil {
					return err
				}
				return samclient.Until(b.Context(), 2*time.Minute, func() error {
					return get(b.Context(), side.sessions[i], f, 1000)
				})
			})
		}
		return group.Wait()
	})
}

// each does something for all sides at once.
func (s sides) each(b *testing.B, do func(*side) error) {
	b.Helper()
	errs := make([]error, len(s))
	var doing sync.WaitGroup
	for i, side := range s {
		doing.Go(func() { errs[i] = do(side) })
	}
	doing.Wait()
	for i, err := range errs {
		if err != nil {
			b.Fatalf("%s: %v", s[i].name, err)
		}
	}
}

// dial opens a stream to the far end that lives a minute at most.
func dial(ctx context.Context, s *samclient.Streams, f *far) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	conn, err := s.Dial(ctx, f.streams)
	if err == nil {
		err = conn.SetDeadline(time.Now().Add(time.Minute))
	}
	return conn, err
}

// A value is what one turn of a side brought.
type value func(*side) (float64, error)

// compare has all sides take turns, and reports the median of each and its ratio to the
// first's. Where less is better the ratio is upside down: above 1 is better than i2pd.
func (s sides) compare(b *testing.B, unit string, less bool, measure value) {
	b.Helper()
	all := make([][]float64, len(s))
	for b.Loop() {
		for round := range benchRounds {
			for i, side := range s {
				side.streams = side.sessions[round]
				v, err := measure(side)
				if err != nil {
					b.Fatalf("%s: %v", side.name, err)
				}
				all[i] = append(all[i], v)
			}
		}
	}
	s.report(b, unit, less, all)
}

func (s sides) report(b *testing.B, unit string, less bool, all [][]float64) {
	b.ReportMetric(0, "ns/op") // of all sides together it says nothing
	for i, side := range s {
		b.Logf("%s: %.4g", side.name, all[i])
		b.ReportMetric(median(all[i]), side.name+"-"+unit)
		if ratio := median(all[i]) / median(all[0]); i > 0 {
			if less {
				ratio = 1 / ratio
			}
			b.ReportMetric(ratio, side.name+"/"+s[0].name)
		}
	}
}

// median sorts values.
func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}
