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
