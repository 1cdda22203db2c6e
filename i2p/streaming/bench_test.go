package streaming

import (
	"log/slog"
	"testing"

	"github.com/onelease/onelease/i2p"
)

// A pipe is a Link to one other Stack in this process, without delay or loss. A
// full one blocks nobody: it drops.
type pipe struct {
	to   *Stack
	full chan []byte
	free chan []byte
}

func (p *pipe) Heard(*Remote, any) {}

func (p *pipe) Send(_ *Remote, _, _ uint16, packet []byte) error {
	select {
	case b := <-p.free:
		p.full <- append(b[:0], packet...)
		return nil
	default:
		return errCut
	}
}

func (p *pipe) run() {
	for b := range p.full {
		p.to.Receive(Inbound{Data: b, ToPort: 80})
		p.free <- b
	}
}

// piped is two Stacks with pipes between them.
func piped(b *testing.B) (x, y *Stack) {
	links := [2]*pipe{}
	stacks := [2]*Stack{}
	for i := range links {
		links[i] = &pipe{full: make(chan []byte, 1024), free: make(chan []byte, 1024)}
		for range 1024 {
			links[i].free <- make([]byte, 0, 4096)
		}
		stack, err := New(Config{Origin: newOrigin(b, i2p.SigEd25519), Link: links[i], Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			b.Fatal(err)
		}
		stacks[i] = stack
	}
	for i, link := range links {
		link.to = stacks[1-i]
		go link.run()
	}
	b.Cleanup(func() {
		for i, stack := range stacks {
			stack.Close()
			close(links[i].full)
		}
	})
	return stacks[0], stacks[1]
}

func BenchmarkStream(b *testing.B) {
	x, y := piped(b)
	ln, err := y.Listen(80)
	if err != nil {
		b.Fatal(err)
	}
	out, err := x.Dial(b.Context(), y.self, 0, 80)
	if err != nil {
		b.Fatal(err)
	}
	in, err := ln.Accept()
	if err != nil {
		b.Fatal(err)
	}
	chunk, buf := make([]byte, 64<<10), make([]byte, 64<<10)
	b.SetBytes(int64(len(chunk)))
	b.ReportAllocs()
	go func() {
		for {
			if _, err := out.Write(chunk); err != nil {
				return
			}
		}
	}()
	total := 0
	for b.Loop() {
		for want := len(chunk); want > 0; {
			n, err := in.Read(buf[:min(want, len(buf))])
			if err != nil {
				b.Fatal(err)
			}
			want -= n
			total += n
		}
	}
	b.ReportMetric(float64(y.Stats().PacketsIn)/float64(b.N), "packets/op")
}
