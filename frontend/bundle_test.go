package frontend

import (
	"encoding/binary"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/datagram"
	"github.com/onelease/onelease/i2p/sam"
)

// given counts the LeaseSets that a router gets.
type given struct{ atomic.Int64 }

func (g *given) give(*leaseSet) error { g.Add(1); return nil }
func (*given) poolChanged()           {}
func (*given) installed(*leaseSet)    {}
func (*given) serves()                {}

// Newcomers get the LeaseSet of the router that they came to with its first
// reply, however many they are.
func TestNewcomersGetTheLeaseSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n given
		k := newKeeper(slog.New(slog.DiscardHandler), &n)
		k.newcomer() // there is no LeaseSet yet
		time.Sleep(time.Second)
		k.sessionUp()
		own := &leaseSet{parsed: &i2p.LeaseSet2{Expires: time.Now().Add(time.Minute)}}
		if err := k.install(own); err != nil {
			t.Fatal(err)
		}
		k.newcomer()
		if n := n.Load(); n != 2 {
			t.Errorf("%d LeaseSets given after the first newcomer, want it again", n)
		}
		for range 100 {
			k.newcomer()
		}
		time.Sleep(time.Second)
		if n := n.Load(); n != 3 {
			t.Errorf("%d LeaseSets given after a hundred more, want one more", n)
		}
		if err := k.install(&leaseSet{merged: true, place: fence{Seq: 1}, parsed: own.parsed}); err != nil {
			t.Fatal(err)
		}
		k.newcomer()
		time.Sleep(time.Second)
		if n := n.Load(); n != 4 {
			t.Error("a publisher was given its LeaseSet again, which puts publishing off")
		}
	})
}

func TestOpensStream(t *testing.T) {
	packet := func(to, number uint32, protocol uint8) sam.Packet {
		b := make([]byte, 22)
		binary.BigEndian.PutUint32(b, to)
		binary.BigEndian.PutUint32(b[4:], 77)
		binary.BigEndian.PutUint32(b[8:], number)
		return sam.Packet{Protocol: protocol, Data: b}
	}
	first, reply, second, datagram := packet(0, 0, 6), packet(5, 0, 6), packet(0, 1, 6), packet(0, 0, 17)
	short := sam.Packet{Protocol: 6, Data: make([]byte, 11)}
	if !opensStream(&first) || opensStream(&reply) || opensStream(&second) || opensStream(&datagram) || opensStream(&short) {
		t.Error("a first packet is not told from others")
	}
}

var _ keeperEvents = (*given)(nil)

func TestNewcomersAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNewcomers()
		from := func(i int, protocol uint8) *sam.Packet {
			data := make([]byte, 500)
			binary.BigEndian.PutUint32(data, uint32(i))
			return &sam.Packet{Protocol: protocol, Data: data}
		}
		for _, protocol := range []uint8{datagram.Protocol1, datagram.Protocol2, datagram.Protocol3} {
			first, again := n.are(from(int(protocol), protocol)), n.are(from(int(protocol), protocol))
			if !first || again {
				t.Errorf("protocol %d: first packet %v, second %v", protocol, first, again)
			}
		}
		if n.are(from(1, datagram.ProtocolRaw)) || n.are(&sam.Packet{Protocol: datagram.Protocol1, Data: []byte("x")}) {
			t.Error("what names no sender is a newcomer")
		}
		known := from(2, datagram.Protocol1)
		n.are(known)
		if allocs := testing.AllocsPerRun(100, func() { n.are(known) }); allocs > 0 {
			t.Errorf("%v allocations for a packet of a known sender", allocs)
		}
		for i := range 10 * newcomersMost {
			n.are(from(1000+i, datagram.Protocol1))
		}
		if len(n.young)+len(n.aged) > 2*newcomersMost {
			t.Errorf("%d senders remembered", len(n.young)+len(n.aged))
		}
		n.are(known)
		time.Sleep(newcomersFor + time.Second)
		if n.are(known) {
			t.Error("forgotten too early")
		}
	})
}
