package sam

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/coalesce"
)

// An endless connection: it reads as one frame over and over, and swallows
// what is written.
type endless struct {
	net.Conn
	frame []byte
	at    int
}

func (e *endless) Read(b []byte) (int, error) {
	n := copy(b, e.frame[e.at:])
	e.at = (e.at + n) % len(e.frame)
	return n, nil
}

func (e *endless) Write(b []byte) (int, error)      { return len(b), nil }
func (e *endless) Close() error                     { return nil }
func (e *endless) SetReadDeadline(time.Time) error  { return nil }
func (e *endless) SetWriteDeadline(time.Time) error { return nil }

// A swallower is a Host that takes everything and reports it sent.
type swallower struct {
	*fakeHost
	s *Server
}

func (h *swallower) Send(p Packet) error {
	h.s.Status(p.ID, nil)
	return nil
}

// hotConn is a connection of s that has an attached session, without a
// goroutine that runs it.
func hotConn(t testing.TB, s *Server, frame []byte) *conn {
	t.Helper()
	c := newConn(s, &endless{frame: frame})
	c.ctx, c.cancel = context.WithCancel(t.Context())
	for _, line := range []string{"HELLO VERSION", "SESSION CREATE STYLE=RAW ID=a DESTINATION=TRANSIENT LISTEN_PROTOCOL=0 SEND_STATUS=true"} {
		if err := c.handle([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { c.shutdown(false) })
	return c
}

func (c *conn) step() error {
	line, err := c.r.Line()
	if err != nil {
		return err
	}
	return c.handle(line)
}

func hotServer(t testing.TB) (*Server, *conn) {
	h := &swallower{fakeHost: newFakeHost(t)}
	s := newTestServer(t, h)
	h.s = s
	p := Packet{Peer: h.peer, FromPort: 1, ToPort: 2, Protocol: 6, ID: 7, Data: make([]byte, 1400)}
	return s, hotConn(t, s, []byte(rawSend(p)))
}

// hotClient is a client that receives packets without end.
func hotClient(t testing.TB) *PacketClient {
	p := Packet{FromPort: 1, ToPort: 2, Protocol: 6, Data: make([]byte, 1400)}
	c := &PacketClient{cfg: ClientConfig{}.withDefaults(), nc: &endless{frame: AppendRawReceived(nil, p, true)}, start: time.Now()}
	c.r = NewReader(heardReader{c})
	c.w = coalesce.New(io.Discard, c.cfg.QueueLimit)
	t.Cleanup(func() { c.w.Close() })
	return c
}

func (c *PacketClient) step(cmd *Command) error {
	line, err := c.r.Line()
	if err == nil {
		err = cmd.Parse(line)
	}
	if err == nil {
		err = c.handle(cmd)
	}
	return err
}

func TestPacketPathAllocatesNothing(t *testing.T) {
	s, conn := hotServer(t)
	client := hotClient(t)
	in := Packet{FromPort: 1, ToPort: 2, Protocol: 6, Data: make([]byte, 1400)}
	out := in
	out.Peer, out.ID = newDestination(t), 9
	var cmd Command
	for name, step := range map[string]func() error{
		"server takes RAW SEND, tells RAW STATUS": conn.step,
		"server delivers":                         func() error { s.Deliver(in); return nil },
		"client sends":                            func() error { return client.Send(out) },
		"client receives":                         func() error { return client.step(&cmd) },
	} {
		var err error
		run := func() { err = step() }
		for range 5000 {
			run() // grow the buffers first
		}
		if n := testing.AllocsPerRun(2000, run); n != 0 || err != nil && err != ErrFull {
			t.Errorf("%s: %v allocations, %v", name, n, err)
		}
	}
}

// The caches are bounded, and keep what is in use.
func TestCacheBounded(t *testing.T) {
	var c cache[int, int]
	for i := range 10 * cacheSize {
		c.put(i, i)
		if v, ok := c.get(0); !ok || v != 0 {
			t.Fatalf("lost the entry in use after %d", i)
		}
	}
	if n := len(c.young) + len(c.old); n > 2*cacheSize {
		t.Errorf("%d entries", n)
	}
	if _, ok := c.get(1); ok {
		t.Error("kept an old entry")
	}
}

func BenchmarkServerRawSend(b *testing.B) {
	_, c := hotServer(b)
	b.SetBytes(1400)
	b.ReportAllocs()
	for b.Loop() {
		if err := c.step(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkServerDeliver(b *testing.B) {
	s, _ := hotServer(b)
	p := Packet{Protocol: 6, Data: make([]byte, 1400)}
	b.SetBytes(1400)
	b.ReportAllocs()
	for b.Loop() {
		s.Deliver(p)
	}
}

func BenchmarkClientReceive(b *testing.B) {
	c := hotClient(b)
	var cmd Command
	b.SetBytes(1400)
	b.ReportAllocs()
	for b.Loop() {
		if err := c.step(&cmd); err != nil {
			b.Fatal(err)
		}
	}
}

// An echoHost delivers what it is sent.
type echoHost struct {
	dest i2p.Destination
	s    *Server
}

func (h *echoHost) Destination() (i2p.Destination, bool) { return h.dest, true }
func (h *echoHost) Send(p Packet) error                  { h.s.Deliver(p); return nil }
func (h *echoHost) Lookup(context.Context, string) (i2p.Destination, error) {
	return h.dest, nil
}

// BenchmarkEcho sends packets of 1,400 bytes through client and server and
// back, a window of 64 at a time; "bare" is the same over the connection
// alone, without SAM.
func BenchmarkEcho(b *testing.B) {
	tcp := func(b *testing.B) (net.Conn, net.Conn) {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		defer ln.Close()
		here := tcpDial(b, ln.Addr().String())
		there, err := ln.Accept()
		if err != nil {
			b.Fatal(err)
		}
		return here, there
	}
	pipe := func(*testing.B) (net.Conn, net.Conn) { return net.Pipe() }
	for name, link := range map[string]func(*testing.B) (net.Conn, net.Conn){"tcp": tcp, "pipe": pipe} {
		b.Run(name+"/sam", func(b *testing.B) { benchmarkSAM(b, link) })
		b.Run(name+"/bare", func(b *testing.B) { benchmarkBare(b, link) })
	}
}

const window = 64

func benchmarkSAM(b *testing.B, link func(*testing.B) (net.Conn, net.Conn)) {
	h := &echoHost{dest: newDestination(b)}
	h.s = newTestServer(b, h)
	back := make(chan struct{}, window)
	here, there := link(b)
	go h.s.ServeConn(there)
	c, err := Dial(b.Context(), ClientConfig{
		Dial:     func(context.Context) (net.Conn, error) { return here, nil },
		OnPacket: func(Packet) { back <- struct{}{} },
	})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	p := Packet{Peer: h.dest, Protocol: 6, Data: make([]byte, 1400)}
	b.SetBytes(1400)
	b.ReportAllocs()
	for range window {
		back <- struct{}{}
	}
	for b.Loop() {
		<-back
		if err := c.Send(p); err != nil {
			b.Fatal(err)
		}
	}
}

func benchmarkBare(b *testing.B, link func(*testing.B) (net.Conn, net.Conn)) {
	here, there := link(b)
	go io.Copy(struct{ io.Writer }{there}, struct{ io.Reader }{there})
	back := make(chan struct{}, window)
	packet := bytes.Repeat([]byte{'x'}, 1400)
	go func() {
		r, in := bufio.NewReaderSize(here, 1<<16), make([]byte, len(packet))
		for {
			if _, err := io.ReadFull(r, in); err != nil {
				return
			}
			back <- struct{}{}
		}
	}()
	b.SetBytes(1400)
	for range window {
		back <- struct{}{}
	}
	w := coalesce.New(here, 4<<20)
	for b.Loop() {
		<-back
		w.Append(func(b []byte) []byte { return append(b, packet...) })
	}
	w.Close()
	here.Close()
	there.Close()
}
