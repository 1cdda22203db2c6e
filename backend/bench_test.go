package backend

import (
	"context"
	"log/slog"
	"net"
	"testing"

	"github.com/onelease/onelease/backend/backendtest"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/sam"
)

// A live Host outside synctest, with one frontend; sent packets are dropped.
func startHost(t testing.TB) (*Host, *backendtest.Frontend) {
	t.Helper()
	keys := newKeys(t)
	f := backendtest.NewFrontend(keys.Destination)
	f.OnSend(func(sam.Packet) {})
	host, err := NewHost(Config{
		Frontends: []Frontend{{Name: "f", Dial: f.Dial}},
		Signer:    keys,
		Logger:    slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- host.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done; f.Close() })
	if err := host.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	return host, f
}

// receiveAndAnswer takes one packet through the whole of this package: from
// the link to a reader, and back to the link.
func receiveAndAnswer(t testing.TB, host *Host, conn net.PacketConn, p sam.Packet, to *Addr, buffer []byte) {
	host.links[0].receive(p)
	n, from, err := conn.ReadFrom(buffer)
	if err != nil {
		t.Fatal(err)
	}
	if to == nil {
		to = from.(*Addr)
	}
	// The queue of the link may be full for a moment, for nobody waits here.
	if _, err := conn.WriteTo(buffer[:n], to); err != nil && host.links[0].dropped.Load() == 0 {
		t.Fatal(err)
	}
}

// scenarios are a packet of each kind, and whom to write to.
func scenarios(t testing.TB, host *Host) map[Kind]struct {
	packet sam.Packet
	to     *Addr
} {
	remote := backendtest.NewRemote(t, host.Destination())
	payload := string(make([]byte, 1024))
	to := i2p.NewAddr(remote.Destination, 1)
	return map[Kind]struct {
		packet sam.Packet
		to     *Addr
	}{
		Raw:       {sam.Packet{FromPort: 1, ToPort: 7, Protocol: 18, Data: []byte(payload)}, to},
		Datagram:  {remote.Datagram(7, payload), nil},
		Datagram2: {remote.Datagram2(7, payload), nil},
		Datagram3: {remote.Datagram3(7, payload), to},
	}
}

func TestPacketPathAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	host, _ := startHost(t)
	// Signing returns a new slice; nothing else allocates.
	want := map[Kind]float64{Raw: 0, Datagram: 1, Datagram2: 1, Datagram3: 0}
	for kind, s := range scenarios(t, host) {
		conn, err := host.ListenPacket(kind, 7)
		if err != nil {
			t.Fatal(err)
		}
		buffer := make([]byte, 2048)
		got := testing.AllocsPerRun(500, func() { receiveAndAnswer(t, host, conn, s.packet, s.to, buffer) })
		if got > want[kind] {
			t.Errorf("%v: %v allocations per packet in and out, want %v", kind, got, want[kind])
		}
	}
}

func BenchmarkPacket(b *testing.B) {
	host, _ := startHost(b)
	for kind, s := range scenarios(b, host) {
		b.Run(kind.String(), func(b *testing.B) {
			conn, err := host.ListenPacket(kind, 7)
			if err != nil {
				b.Fatal(err)
			}
			defer conn.Close()
			buffer := make([]byte, 2048)
			b.ReportAllocs()
			for b.Loop() {
				receiveAndAnswer(b, host, conn, s.packet, s.to, buffer)
			}
		})
	}
}

// tapAndAnswer takes one packet from the link to a Tap, and back to the link.
func tapAndAnswer(t testing.TB, host *Host, in sam.Packet, out Message) func() {
	stop, err := host.Tap(Match{Kind: out.Kind, Protocol: out.Protocol, Port: in.ToPort}, func(m Message) {
		out.FromPort, out.ToPort, out.Data = m.ToPort, m.FromPort, m.Data
		if err := host.SendMessage(out, SendOptions{}); err != nil && host.links[0].dropped.Load() == 0 {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return func() { host.links[0].receive(in) }
}

func TestTapAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	host, _ := startHost(t)
	remote := i2p.NewAddr(backendtest.NewRemote(t, host.Destination()).Destination, 1)
	for kind, s := range scenarios(t, host) {
		echo := tapAndAnswer(t, host, s.packet, Message{Kind: kind, Protocol: s.packet.Protocol, Peer: remote})
		want := 0.0
		if kind == Datagram || kind == Datagram2 {
			want = 1 // signing returns a new slice
		}
		if got := testing.AllocsPerRun(500, echo); got > want {
			t.Errorf("%v: %v allocations per message in and out, want %v", kind, got, want)
		}
	}
}

func BenchmarkTap(b *testing.B) {
	host, _ := startHost(b)
	remote := i2p.NewAddr(backendtest.NewRemote(b, host.Destination()).Destination, 1)
	for kind, s := range scenarios(b, host) {
		b.Run(kind.String(), func(b *testing.B) {
			echo := tapAndAnswer(b, host, s.packet, Message{Kind: kind, Protocol: s.packet.Protocol, Peer: remote})
			b.ReportAllocs()
			for b.Loop() {
				echo()
			}
		})
	}
}
