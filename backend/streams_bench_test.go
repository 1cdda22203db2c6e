package backend

import (
	"io"
	"log/slog"
	"testing"

	"github.com/onelease/onelease/backend/backendtest"
	"github.com/onelease/onelease/i2p/datagram"
	"github.com/onelease/onelease/i2p/sam"
	"github.com/onelease/onelease/i2p/streaming"
)

// What the Host adds to each packet of a stream: noting where it came in, and
// finding the way of the answer.
func TestStreamPathAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	host, _ := startHost(t)
	path := hostPath(t, host)
	if n := testing.AllocsPerRun(500, path); n > 0 {
		t.Errorf("%v allocations for a packet in and one out", n)
	}
}

// hostPath is one packet in and one out.
func hostPath(t testing.TB, host *Host) func() {
	remote := streaming.NewRemote(newKeys(t).Destination)
	link, packet := streamLink{host}, make([]byte, 1800)
	return func() {
		link.Heard(remote, host.links[0])
		// The queue of the link may be full for a moment, for nobody waits here.
		if err := link.Send(remote, 80, 1, packet); err != nil && host.links[0].dropped.Load() == 0 {
			t.Fatal(err)
		}
	}
}

// A directLink joins a remote's streams to a frontend, without a network.
type directLink struct{ frontend *backendtest.Frontend }

func (l directLink) Send(_ *streaming.Remote, fromPort, toPort uint16, packet []byte) error {
	l.frontend.Deliver(sam.Packet{FromPort: fromPort, ToPort: toPort, Protocol: ProtocolStreaming, Data: packet})
	return nil
}

func (l directLink) Heard(*streaming.Remote, any) {}

// BenchmarkStream moves 64 KiB at a time over one stream, from a Host to a
// remote, by way of SAM; both ends run here.
func BenchmarkStream(b *testing.B) {
	host, frontend := startHost(b)
	keys := newKeys(b)
	stack, err := streaming.New(streaming.Config{
		Origin: datagram.Origin{Destination: keys.Destination, Signer: keys},
		Link:   directLink{frontend}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	defer stack.Close()
	frontend.OnSend(func(p sam.Packet) {
		stack.Receive(streaming.Inbound{Data: p.Data, FromPort: p.FromPort, ToPort: p.ToPort})
	})
	frontend.Name(keys.Destination.Base32(), keys.Destination)
	ln, err := stack.Listen(80)
	if err != nil {
		b.Fatal(err)
	}
	near, err := host.DialContext(b.Context(), "", keys.Destination.Base64()+":80")
	if err != nil {
		b.Fatal(err)
	}
	far, err := ln.Accept()
	if err != nil {
		b.Fatal(err)
	}
	chunk, read := make([]byte, 64<<10), make(chan int64, 1)
	go func() {
		n, _ := io.Copy(io.Discard, far)
		read <- n
	}()
	b.SetBytes(int64(len(chunk)))
	before := packets(host)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := near.Write(chunk); err != nil {
			b.Fatal(err)
		}
	}
	near.Close()
	if n := <-read; n != int64(b.N*len(chunk)) {
		b.Fatalf("%d bytes came, want %d", n, b.N*len(chunk))
	}
	b.ReportMetric(float64(packets(host)-before)/float64(b.N), "packets/op")
}

func packets(host *Host) uint64 {
	s := host.Stats().Streams
	return s.PacketsIn + s.PacketsOut
}
