package pluginwire

import (
	"context"
	"errors"
	"io"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"

	"github.com/onelease/onelease/internal/coalesce"
)

// A pipe is one way to move chunks to another process: the writer's end and the
// reader's, each over a unix socket.
type pipe struct {
	write func([]byte) error
	read  func([]byte) (int, error)
}

// pipes are what the data socket was chosen from.
var pipes = []struct {
	name string
	open func(testing.TB) (there, back pipe)
}{
	{"bare", func(t testing.TB) (pipe, pipe) {
		h, p := sockets(t)
		return pipeOf(h, p), pipeOf(p, h)
	}},
	{"conn", func(t testing.TB) (pipe, pipe) {
		h, p := conns(t)
		return pipeOf(h, p), pipeOf(p, h)
	}},
	{"grpc", grpcPipes},
}

func pipeOf(w io.Writer, r io.Reader) pipe {
	return pipe{func(b []byte) error { _, err := w.Write(b); return err }, r.Read}
}

// rawCodec has gRPC carry bytes as they are: the least that a message can cost.
type rawCodec struct{}

func (rawCodec) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(*v.(*[]byte))}, nil
}

func (rawCodec) Unmarshal(data mem.BufferSlice, v any) error {
	b := v.(*[]byte)
	*b = (*b)[:data.CopyTo((*b)[:cap(*b)])]
	return nil
}

func (rawCodec) Name() string { return "raw" }

var chunks = grpc.StreamDesc{StreamName: "Chunks", ServerStreams: true, ClientStreams: true}

// grpcPipes is a call with a message for each chunk, both ways.
func grpcPipes(t testing.TB) (there, back pipe) {
	arrived, over := make(chan grpc.ServerStream), make(chan struct{})
	desc := chunks
	desc.Handler = func(_ any, s grpc.ServerStream) error {
		arrived <- s
		<-over
		return nil
	}
	server := grpc.NewServer(grpc.ForceServerCodecV2(rawCodec{}))
	server.RegisterService(&grpc.ServiceDesc{ServiceName: "s", HandlerType: (*any)(nil), Streams: []grpc.StreamDesc{desc}}, nil)
	ln := listen(t)
	go server.Serve(ln)
	client, err := grpc.NewClient("unix://"+ln.Addr().String(),
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultCallOptions(grpc.ForceCodecV2(rawCodec{})))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	call, err := client.NewStream(ctx, &chunks, "/s/Chunks")
	if err != nil {
		t.Fatal(err)
	}
	s := <-arrived
	t.Cleanup(func() { close(over); cancel(); client.Close(); server.Stop() })
	return messagePipe(call, s), messagePipe(s, call)
}

type messenger interface {
	SendMsg(any) error
	RecvMsg(any) error
}

func messagePipe(from, to messenger) pipe {
	return pipe{
		// A message belongs to gRPC from then on, so it is copied, as out of a service's buffer.
		func(b []byte) error { c := append([]byte(nil), b...); return from.SendMsg(&c) },
		func(b []byte) (int, error) { c := b[:0]; err := to.RecvMsg(&c); return len(c), err },
	}
}

const chunk = 32 << 10 // what io.Copy moves

func BenchmarkStream(b *testing.B) {
	for _, p := range pipes {
		b.Run(p.name, func(b *testing.B) {
			there, _ := p.open(b)
			b.SetBytes(chunk)
			b.ReportAllocs()
			done := make(chan error, 1)
			go func() {
				data := make([]byte, chunk)
				for range b.N {
					if err := there.write(data); err != nil {
						done <- err
						return
					}
				}
				done <- nil
			}()
			buffer := make([]byte, chunk)
			for left := b.N * chunk; left > 0; {
				n, err := there.read(buffer)
				if left -= n; err != nil {
					b.Fatal(err)
				}
			}
			if err := <-done; err != nil {
				b.Fatal(err)
			}
		})
	}
}

// BenchmarkRoundTrip is a byte there and back.
func BenchmarkRoundTrip(b *testing.B) {
	for _, p := range pipes {
		b.Run(p.name, func(b *testing.B) {
			there, back := p.open(b)
			go func() {
				buffer := make([]byte, chunk)
				for {
					n, err := there.read(buffer)
					if err != nil || back.write(buffer[:n]) != nil {
						return
					}
				}
			}()
			buffer := make([]byte, chunk)
			for b.Loop() {
				there.write(buffer[:1])
				if _, err := back.read(buffer); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// packetWindow is how many datagrams are on their way: the bound on what waits.
const packetWindow = 256

// BenchmarkPackets echoes datagrams of 1,400 bytes with a Destination each: an
// operation is one datagram there and back.
func BenchmarkPackets(b *testing.B) {
	b.Run("conn", func(b *testing.B) {
		host, plugin := packetConns(b)
		to := newAddr(b, 1)
		go func() {
			buffer := make([]byte, 2000)
			for {
				n, from, err := plugin.ReadPacket(buffer)
				if err != nil {
					return
				}
				for errors.Is(plugin.WritePacket(buffer[:n], from), coalesce.ErrFull) {
				}
			}
		}()
		echoPackets(b, func(p []byte) error { return host.WritePacket(p, to) }, func(p []byte) (int, error) {
			n, _, err := host.ReadPacket(p)
			return n, err
		})
	})
	b.Run("grpc", func(b *testing.B) {
		there, back := grpcPipes(b)
		to := newAddr(b, 1)
		go func() {
			buffer := make([]byte, 4000)
			var addrs addrCache
			for {
				n, err := there.read(buffer)
				if err != nil {
					return
				}
				_, size, _ := addrs.parse(buffer[:n])
				if size == 0 || back.write(buffer[:n]) != nil {
					return
				}
			}
		}()
		var message []byte
		echoPackets(b, func(p []byte) error {
			message = append(AppendAddr(message[:0], to), p...)
			return there.write(message)
		}, back.read)
	})
}

func echoPackets(b *testing.B, write func([]byte) error, read func([]byte) (int, error)) {
	window := make(chan struct{}, packetWindow)
	b.ReportAllocs()
	b.ResetTimer()
	go func() {
		data := make([]byte, 1400)
		for range b.N {
			window <- struct{}{}
			if write(data) != nil {
				return
			}
		}
	}()
	buffer := make([]byte, 4000)
	for range b.N {
		if _, err := read(buffer); err != nil {
			b.Fatal(err)
		}
		<-window
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "packets/s")
}
