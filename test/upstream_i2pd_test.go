package test

import (
	"net/netip"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/sam"
	"github.com/onelease/onelease/test/i2pd"
)

// The routers of checkUpstream, by their number in the network. The first two
// host the same Destination; a remote is on each of the others.
const (
	firstRouter  = 6
	secondRouter = 7
	earlyRouter  = 8
	lateRouter   = 9
)

// baselineTime is how long the remotes ask after the last publisher is killed.
func baselineTime() time.Duration {
	if os.Getenv("ONELEASE_SOAK") == "1" {
		return 5 * time.Minute
	}
	return 10 * time.Second
}

// checkUpstream runs what there is without Onelease: the same keys on two
// routers, through their SAM bridges. Whoever published last gets all remotes
// that come after, and when its router dies nobody takes them over.
func checkUpstream(t *testing.T, routers *i2pd.Network) {
	keys, remoteKeys := newKeys(t), newKeys(t)
	first := startFallback(t, "first", 0, routers.Router(firstRouter), keys)
	early := startFallback(t, "early", 0, routers.Router(earlyRouter), remoteKeys)
	first.attach()
	early.attach()
	took := await(t, time.Minute, "an answer of the first host", func() bool {
		early.ask(keys.Destination)
		return early.answers[0].Load() > 0
	})
	t.Logf("upstream SAM on one router: answered after %.1f s", took.Seconds())

	var old map[tunnel]bool
	await(t, time.Minute, "the first host's LeaseSet", func() bool {
		old = tunnels(t, routers, keys)
		return len(old) > 0
	})
	second := startFallback(t, "second", 1, routers.Router(secondRouter), keys)
	late := startFallback(t, "late", 0, routers.Router(lateRouter), newKeys(t))
	second.attach()
	late.attach()
	took = await(t, time.Minute, "the second host's LeaseSet in place of the first's", func() bool {
		return disjoint(old, tunnels(t, routers, keys))
	})
	t.Logf("all leases in the netDB are the second host's, waited %.1f s for it", took.Seconds())
	c := classic{t, keys.Destination, [2]*fallback{early, late}}
	c.checkLastWins()
	c.checkNoTakeover(routers.Router(secondRouter), second)
}

// tunnels are those that floodfills list for the Destination.
func tunnels(t *testing.T, routers *i2pd.Network, keys *i2p.Keys) map[tunnel]bool {
	found := map[tunnel]bool{}
	for _, ls := range routers.LookupLeaseSet(t.Context(), keys.Destination.Hash()) {
		for _, l := range ls.Leases {
			found[tunnel{l.Gateway, l.TunnelID}] = true
		}
	}
	return found
}

// disjoint says whether both have tunnels, and none in common.
func disjoint(a, b map[tunnel]bool) bool {
	for tunnel := range a {
		if b[tunnel] {
			return false
		}
	}
	return len(a) > 0 && len(b) > 0
}

// A classic is classic multihoming, two hosts of one Destination that know
// nothing of each other, and the remotes of it.
type classic struct {
	t       *testing.T
	dest    i2p.Destination
	remotes [2]*fallback
}

// checkLastWins lets the remotes ask while both hosts are well.
func (c *classic) checkLastWins() {
	c.t.Helper()
	asked, answers := c.ask(5 * time.Second)
	for r, remote := range c.remotes {
		c.t.Logf("the %s remote asked %d times: %d answers of the first host, %d of the second, last to publish",
			remote.name, asked, answers[r][0], answers[r][1])
	}
	if late := answers[1]; late[0] > 0 || late[1] == 0 {
		c.t.Errorf("the late remote has %d answers of the first host and %d of the second; want all of the second", late[0], late[1])
	}
}

// checkNoTakeover kills the router of the last publisher. What the remotes then
// get is what Onelease is measured against, and only logged; the frontend must
// notice.
func (c *classic) checkNoTakeover(router *i2pd.Router, host *fallback) {
	c.t.Helper()
	router.Kill()
	asked, answers := c.ask(baselineTime())
	for r, remote := range c.remotes {
		c.t.Logf("kill -9 of the last publisher's router: %d of %d requests of the %s remote answered in the %v after",
			answers[r][0]+answers[r][1], asked, remote.name, baselineTime())
	}
	await(c.t, 10*time.Second, "the loss in the frontend's status", func() bool { return !host.frontend.Status().RouterUp })
	c.t.Logf("status of the second frontend: %s", host.frontend.Status().RouterError)
}

// ask lets the remotes ask for a while. It returns how often each did and who
// answered: answers[remote][host].
func (c *classic) ask(during time.Duration) (asked int, answers [2][2]int) {
	before := c.answers()
	ticker := time.NewTicker(askEvery)
	defer ticker.Stop()
	for began := time.Now(); time.Since(began) < during; asked++ {
		for _, remote := range c.remotes {
			remote.ask(c.dest)
		}
		<-ticker.C
	}
	<-time.After(time.Second) // for the last answers
	answers = c.answers()
	for r := range answers {
		for h := range answers[r] {
			answers[r][h] -= before[r][h]
		}
	}
	return asked, answers
}

func (c *classic) answers() (n [2][2]int) {
	for r, remote := range c.remotes {
		for h := range remote.answers {
			n[r][h] = int(remote.answers[h].Load())
		}
	}
	return n
}

// A fallback is a frontend on a router's SAM bridge, with a backend. Its
// requests are its Destination, since a raw datagram does not say who sent it.
// An answer is the request and the number of the host: the number by itself
// would not arrive, since i2pd drops what its gzip makes shorter than 23 bytes.
type fallback struct {
	t        *testing.T
	name     string
	number   byte
	keys     *i2p.Keys
	frontend *frontend.Frontend
	client   atomic.Pointer[sam.PacketClient]
	answers  [2]atomic.Int64 // by the number of who answered
}

// startFallback starts one that ends with the test.
func startFallback(t *testing.T, name string, number byte, router *i2pd.Router, keys *i2p.Keys) *fallback {
	t.Helper()
	f := startFrontend(t, frontend.Config{
		Name: name,
		Router: frontend.RouterConfig{SAM: &frontend.UpstreamConfig{
			Addr:    router.SAMAddr(),
			UDPPort: int(netip.MustParseAddrPort(router.SAMUDPAddr()).Port()),
			Keys:    keys,
			// 2.45.1 publishes a session with no outbound hop at once, and
			// others now and then only at a later tunnel.
			Options: []string{"inbound.length=1", "outbound.length=0", "inbound.quantity=2", "outbound.quantity=1"},
		}},
	})
	return &fallback{t: t, name: name, number: number, keys: keys, frontend: f}
}

// attach waits for the session on the router and attaches the backend.
func (f *fallback) attach() {
	f.t.Helper()
	took := await(f.t, time.Minute, "a SAM session of "+f.name, func() bool { return f.frontend.Status().RouterUp })
	client, err := sam.Dial(f.t.Context(), sam.ClientConfig{Dial: f.frontend.DialSAM, OnPacket: f.take})
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { client.Close() })
	f.client.Store(client)
	f.t.Logf("%s: SAM session, waited %.1f s for it", f.name, took.Seconds())
}

// take answers requests and counts answers.
func (f *fallback) take(p sam.Packet) {
	from, n, err := i2p.ParseDestination(p.Data)
	switch rest := p.Data[n:]; {
	case err == nil && len(rest) == 0:
		f.send(from, append(from.Bytes(), f.number))
	case err == nil && len(rest) == 1 && int(rest[0]) < len(f.answers):
		f.answers[rest[0]].Add(1)
	default:
		f.t.Errorf("%s received what is neither request nor answer: %d bytes, %v", f.name, len(p.Data), err)
	}
}

func (f *fallback) ask(host i2p.Destination) { f.send(host, f.keys.Destination.Bytes()) }

// send loses the packet if the router is gone, as datagrams are lost.
func (f *fallback) send(to i2p.Destination, data []byte) {
	if client := f.client.Load(); client != nil {
		_ = client.Send(sam.Packet{Peer: to, Protocol: sam.ProtocolRaw, Data: data})
	}
}
