package test

import (
	"context"
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/balancer"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/plugins/echo"
	"github.com/onelease/onelease/test/i2pd"
	"github.com/onelease/onelease/test/i2pd/samclient"
)

const (
	// i2pdPayload is about what streaming sends in a packet, in bytes.
	i2pdPayload = 1024
	// i2pdWindow is how many datagrams are under way, i2pdBatch how many are
	// sent for one iteration.
	i2pdWindow = 64
	i2pdBatch  = 2000
	// i2pdLost is after how long without an answer a datagram counts as lost.
	i2pdLost = 2 * time.Second
)

// BenchmarkI2PD measures through real i2pd routers, tunnels of one hop: a remote
// that is an ordinary SAM program sends datagrams to the echo service of a
// Destination on one other router, and gets them back.
func BenchmarkI2PD(b *testing.B) {
	routers := i2pd.Start(b, i2pd.Config{Routers: 10})
	keys := newKeys(b)
	node, err := onelease.Start(onelease.Config{
		Keys: keys,
		Dir:  b.TempDir(),
		Routers: []onelease.Router{{
			Name: "both", Addr: routers.Router(8).I2CPAddr(), Member: true, Publisher: true, DontPublish: quirkOf(routers.Version),
		}},
		Policy:  balancer.Policy{Tunnels: 3, Hops: 1},
		Service: echo.Service{},
		Logger:  quiet(b),
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { node.Close() })
	remote := openEchoed(b, routers.Router(9), keys.Destination)
	b.Run("RoundTrip", remote.benchRoundTrip)
	b.Run("Window64", remote.benchWindow)
}

// An echoed is a remote of the echo service.
type echoed struct {
	*samclient.Remote
	to     string
	number uint64 // of the last datagram
}

// openEchoed opens a remote and waits until it is answered for the first time.
func openEchoed(b *testing.B, router *i2pd.Router, to i2p.Destination) *echoed {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
	defer cancel()
	// Not Router.OpenRemote, which waits until the LeaseSet is published: with an
	// outbound hop that may take minutes on 2.45.1, and its datagrams carry it.
	remote, err := samclient.Open(ctx, router.SAMAddr(), samclient.Options{Params: []string{
		"inbound.length=1", "outbound.length=1", "inbound.quantity=3", "outbound.quantity=3", "i2cp.leaseSetEncType=4",
	}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { remote.Close() })
	e := &echoed{Remote: remote, to: to.Base64()}
	for began := time.Now(); ; {
		e.send(b)
		if e.receive(i2pdLost) > 0 {
			return e
		}
		if time.Since(began) > 90*time.Second {
			b.Fatal("the remote was never answered")
		}
	}
}

// send sends the next datagram.
func (e *echoed) send(b *testing.B) {
	e.number++
	payload := make([]byte, i2pdPayload)
	binary.BigEndian.PutUint64(payload, e.number)
	if err := e.Send(e.to, payload); err != nil {
		b.Fatal(err)
	}
}

// receive returns the number of the next datagram that comes back, 0 if none
// does within that time.
func (e *echoed) receive(within time.Duration) uint64 {
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case d := <-e.Datagrams():
		if len(d.Payload) == i2pdPayload {
			return binary.BigEndian.Uint64(d.Payload)
		}
	case <-timer.C:
	}
	return 0
}

// benchRoundTrip sends one datagram at a time.
func (e *echoed) benchRoundTrip(b *testing.B) {
	var took []time.Duration
	lost := 0
	for b.Loop() {
		began := time.Now()
		e.send(b)
		got := e.receive(i2pdLost)
		for got != 0 && got != e.number {
			got = e.receive(i2pdLost) // one that was given up before
		}
		if got == 0 {
			lost++
			continue
		}
		took = append(took, time.Since(began))
	}
	if len(took) == 0 {
		b.Fatal("nothing came back")
	}
	slices.Sort(took)
	b.ReportMetric(milliseconds(took[len(took)/2]), "p50-ms")
	b.ReportMetric(milliseconds(took[len(took)*99/100]), "p99-ms")
	b.ReportMetric(float64(lost), "lost")
}

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1000 }

// benchWindow keeps a window of datagrams under way. When nothing comes back
// for a while, the whole window counts as lost.
func (e *echoed) benchWindow(b *testing.B) {
	b.SetBytes(i2pdPayload * i2pdBatch)
	returned, lost := 0, 0
	for b.Loop() {
		first := e.number + 1
		for settled, sent := 0, 0; settled < i2pdBatch; {
			if sent < i2pdBatch && sent-settled < i2pdWindow {
				e.send(b)
				sent++
				continue
			}
			switch got := e.receive(i2pdLost); {
			case got == 0:
				lost += sent - settled
				settled, first = sent, e.number+1
			case got >= first:
				settled++
				returned++
			}
		}
	}
	b.ReportMetric(float64(returned)/b.Elapsed().Seconds(), "packets/s")
	b.ReportMetric(float64(lost), "lost")
}
