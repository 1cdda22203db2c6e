package test

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onelease/onelease/test/i2pd"
	"github.com/onelease/onelease/test/streamservice"
)

// What the long runs with streams can be told, to look for what is wrong.
const (
	// envStallRuns is how many uploads, and as many downloads, of each host.
	envStallRuns = "ONELEASE_STALL_RUNS"
	// envStallAtOnce is how many of them run at once, of all hosts together.
	envStallAtOnce = "ONELEASE_STALL_AT_ONCE"
	// envStallSeconds is how long each takes if nothing holds it up.
	envStallSeconds = "ONELEASE_STALL_SECONDS"
	// envStallRate is their pace, in bytes a second.
	envStallRate = "ONELEASE_STALL_RATE"
	// envStallParams are the clients' session options, separated by spaces.
	envStallParams = "ONELEASE_STALL_PARAMS"
	// envStallUnpublished, "1": clients publish no LeaseSet.
	envStallUnpublished = "ONELEASE_STALL_UNPUBLISHED"
)

// startEvery is the least time between two transfers' starts: a router takes in
// one new session in 200 ms.
const startEvery = 300 * time.Millisecond

// TestSoakUploadStall looks for transfers of fresh clients that stall: each has a
// session of its own, a few seconds old. Destinations on three routers, on one
// and a stock router's take turns.
func TestSoakUploadStall(t *testing.T) {
	soakOnly(t)
	s := startStalls(t, stallSetup{
		runs: envInt(envStallRuns, 20), atOnce: envInt(envStallAtOnce, 10),
		seconds: envInt(envStallSeconds, 30), rate: envInt(envStallRate, 100_000),
	})
	s.run(t)
	s.summary(t)
}

// TestSoakSteadyStreams has many long transfers at once with nothing killed.
func TestSoakSteadyStreams(t *testing.T) {
	soakOnly(t)
	setup := stallSetup{runs: envInt(envStallRuns, 20), seconds: envInt(envStallSeconds, 600), rate: envInt(envStallRate, 8000)}
	setup.atOnce = envInt(envStallAtOnce, 2*setup.runs*len(hostNames()))
	s := startStalls(t, setup)
	s.run(t)
	if got := s.summary(t); got["three"].stalls > got["one"].stalls+got["stock"].stalls {
		t.Errorf("a Destination on three routers stalled more often than those on one: %+v", got)
	}
}

// soakOnly skips what takes long.
func soakOnly(t *testing.T) {
	t.Helper()
	if os.Getenv("ONELEASE_SOAK") != "1" {
		t.Skip("takes long: set ONELEASE_SOAK=1 to run it")
	}
}

func envInt(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

type stallSetup struct{ runs, atOnce, seconds, rate int }

// stalls are transfers of fresh clients to several hosts.
type stalls struct {
	stallSetup
	net    *i2pd.Network
	hosts  streamHosts
	client i2pd.StreamOptions

	mu   sync.Mutex
	done []*streamRun
}

func startStalls(t *testing.T, setup stallSetup) *stalls {
	t.Helper()
	s := &stalls{stallSetup: setup, net: i2pd.Start(t, i2pd.Config{Routers: 13, Floodfills: floodfills})}
	s.client.Unpublished = os.Getenv(envStallUnpublished) == "1"
	s.client.Params = strings.Fields(os.Getenv(envStallParams))
	s.hosts = startHosts(t, s.net)
	s.hosts.await(t, openStreams(t, s.net.Router(remoteRouters[0]), s.client))
	return s
}

// run does all transfers, hosts and directions taking turns.
func (s *stalls) run(t *testing.T) {
	slots := make(chan struct{}, s.atOnce)
	pace := time.NewTicker(startEvery)
	defer pace.Stop()
	var all sync.WaitGroup
	for n := range 2 * s.runs * len(s.hosts) {
		slots <- struct{}{}
		<-pace.C
		host := s.hosts[n%len(s.hosts)]
		up := n/len(s.hosts)%2 == 0
		all.Go(func() {
			s.one(t, n, host, up)
			<-slots
		})
	}
	all.Wait()
}

// one has a fresh client do one transfer. A session that does not come about
// says nothing about streams, and is only logged. Sessions stay open to the end:
// 2.45.1 has crashed when they came and went.
func (s *stalls) one(t *testing.T, n int, host *streamHost, up bool) {
	// Not n modulo: then each host would be asked from one router only.
	router := s.net.Router(remoteRouters[n/len(s.hosts)/2%len(remoteRouters)])
	client, err := tryStreams(t, router, s.client)
	if err != nil {
		t.Logf("client %d: no session: %v", n, err)
		return
	}
	transfer := streamservice.Transfer{Size: int64(s.seconds) * int64(s.rate), Seed: uint64(n), Rate: int64(s.rate)}
	r := host.start(t.Context(), client, up, transfer, time.Duration(s.seconds)*time.Second+2*time.Minute)
	<-r.done
	t.Logf("client %d on %s: %v", n, router, r)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done = append(s.done, r)
}

// A stallCount sums up the transfers of a host.
type stallCount struct {
	runs, failed, stalls int
	longest              time.Duration // between two bytes
	slowest              time.Duration // until the first byte
}

// summary logs what the hosts did, by direction, and returns it by host.
func (s *stalls) summary(t *testing.T) map[string]stallCount {
	t.Helper()
	all := map[string]stallCount{}
	for _, host := range s.hosts {
		for _, up := range []bool{true, false} {
			var c stallCount
			for _, r := range s.done {
				if r.host == host && r.up == up {
					c.add(r)
				}
			}
			t.Logf("%s, upload %v: %+v", host.name, up, c)
			sum := all[host.name]
			sum.stalls += c.stalls
			sum.failed += c.failed
			all[host.name] = sum
		}
	}
	return all
}

func (c *stallCount) add(r *streamRun) {
	report := r.meter.Report()
	c.runs++
	c.stalls += report.Stalls
	if r.err != nil {
		c.failed++
	}
	c.longest = max(c.longest, report.Gap)
	c.slowest = max(c.slowest, r.first())
}
