package sambridge

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"runtime"
	"testing"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/datagram"
	"github.com/onelease/onelease/i2p/streaming"
)

// A pipe is a Link to one other Stack in this process, without delay or loss.
type pipe struct {
	to         *streaming.Stack
	full, free chan []byte
}

func (p *pipe) Heard(*streaming.Remote, any) {}

func (p *pipe) Send(_ *streaming.Remote, _, _ uint16, packet []byte) error {
	select {
	case b := <-p.free:
		p.full <- append(b[:0], packet...)
		return nil
	default:
		return errors.New("the pipe is full")
	}
}

func (p *pipe) run() {
	for b := range p.full {
		p.to.Receive(streaming.Inbound{Data: b, ToPort: 80})
		p.free <- b
	}
}

// A pair is two Stacks with pipes between them.
type pair struct {
	stacks [2]*streaming.Stack
	remote *streaming.Remote // the second one
	ln     net.Listener
}

func newPair(t testing.TB) *pair {
	t.Helper()
	p := &pair{}
	var links [2]*pipe
	for i := range links {
		keys, err := i2p.GenerateKeys()
		if err != nil {
			t.Fatal(err)
		}
		links[i] = &pipe{full: make(chan []byte, 1024), free: make(chan []byte, 1024)}
		for range 1024 {
			links[i].free <- make([]byte, 0, 4096)
		}
		p.stacks[i], err = streaming.New(streaming.Config{
			Origin: datagram.Origin{Destination: keys.Destination, Signer: keys}, Link: links[i], Logger: slog.New(slog.DiscardHandler),
			Limits: streaming.Limits{Streams: -1, StreamsPerRemote: -1},
		})
		if err != nil {
			t.Fatal(err)
		}
		p.remote = streaming.NewRemote(keys.Destination)
	}
	for i, link := range links {
		link.to = p.stacks[1-i]
		go link.run()
	}
	var err error
	if p.ln, err = p.stacks[1].Listen(80); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for i := range links {
			p.stacks[i].Close()
			close(links[i].full)
		}
	})
	return p
}

// stream makes one, and returns its ends.
func (p *pair) stream(t testing.TB) (out *streaming.Stream, in net.Conn) {
	t.Helper()
	out, err := p.stacks[0].Dial(t.Context(), p.remote, 0, 80)
	if err != nil {
		t.Fatal(err)
	}
	if in, err = p.ln.Accept(); err != nil {
		t.Fatal(err)
	}
	return out, in
}

// joined has a client's connection stand for a stream. The session has limits only.
func joined(t testing.TB, s *session, st *streaming.Stream) (client net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	client, err = net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	nc, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		newJoint(s, nc, st).run(nil)
		nc.Close()
	}()
	t.Cleanup(func() { client.Close() })
	return client
}

func bareSession() *session {
	b := &Bridge{cfg: Config{Limits: Limits{}.withDefaults()}}
	return newSession(context.Background(), &conn{b: b})
}

// BenchmarkJoint is what a stream carries, bare and through the bridge in each direction.
func BenchmarkJoint(b *testing.B) {
	b.Run("bare", func(b *testing.B) {
		out, in := newPair(b).stream(b)
		carry(b, out, in)
	})
	b.Run("out", func(b *testing.B) {
		out, in := newPair(b).stream(b)
		carry(b, joined(b, bareSession(), out), in)
	})
	b.Run("in", func(b *testing.B) {
		out, in := newPair(b).stream(b)
		carry(b, in, joined(b, bareSession(), out))
	})
}

// carry measures how long 64 KiB take from one end to the other.
func carry(b *testing.B, from io.Writer, to io.Reader) {
	chunk, buf := make([]byte, 64<<10), make([]byte, 64<<10)
	go func() {
		for {
			if _, err := from.Write(chunk); err != nil {
				return
			}
		}
	}()
	b.SetBytes(int64(len(chunk)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := io.ReadFull(to, buf); err != nil {
			b.Fatal(err)
		}
	}
}

// An idle stream costs the bridge no buffer.
func TestIdleJoints(t *testing.T) {
	const streams, limit = 500, 20 << 10
	p, s := newPair(t), bareSession()
	var outs []*streaming.Stream
	for range streams {
		out, _ := p.stream(t)
		outs = append(outs, out)
	}
	before := memoryInUse()
	for _, out := range outs {
		joined(t, s, out)
	}
	each := (memoryInUse() - before) / streams
	t.Logf("%d bytes for each idle stream", each)
	if each > limit && !raceEnabled {
		t.Errorf("an idle stream takes %d bytes, want at most %d", each, limit)
	}
}

// memoryInUse is what objects and stacks take, in bytes.
func memoryInUse() int {
	var m runtime.MemStats
	for range 3 { // stacks shrink at each collection
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc + m.StackInuse)
}
