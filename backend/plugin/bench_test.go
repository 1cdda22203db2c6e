package plugin

import (
	"io"
	"log/slog"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p/datagram"
)

// inProcess is what a fake that is good does, without a process.
func inProcess(b *testing.B) *memNode {
	node := newMemNode(b, slog.New(slog.DiscardHandler))
	ln, err := node.Listen(echoPort)
	if err != nil {
		b.Fatal(err)
	}
	conn, err := node.ListenPacket(18, echoPort)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { ln.Close(); conn.Close() })
	go func() {
		buffer := make([]byte, datagram.MaxSize)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			conn.WriteTo(buffer[:n], from)
		}
	}()
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() { io.Copy(c, c); c.Close() }()
		}
	}()
	return node
}

func bothWays(b *testing.B, f func(*testing.B, *memNode)) {
	b.Run("in-process", func(b *testing.B) { f(b, inProcess(b)) })
	b.Run("plugin", func(b *testing.B) {
		r := start(b, Config{Path: program(b, "good")})
		r.packets()
		f(b, r.node)
		b.StopTimer()
	})
}

// BenchmarkStream echoes 64 KiB at a time over one stream: MB/s are of one direction,
// while the other has as many.
func BenchmarkStream(b *testing.B) {
	bothWays(b, func(b *testing.B, node *memNode) {
		c := node.await(b, echoPort)
		defer c.Close()
		chunk := make([]byte, 64<<10)
		b.SetBytes(int64(len(chunk)))
		b.ResetTimer()
		go func() {
			for range b.N {
				c.Write(chunk)
			}
		}()
		if _, err := io.CopyN(io.Discard, c, int64(b.N*len(chunk))); err != nil {
			b.Fatal(err)
		}
	})
}

// BenchmarkConnection makes a stream, gets a byte back, and ends it.
func BenchmarkConnection(b *testing.B) {
	bothWays(b, func(b *testing.B, node *memNode) {
		b.ReportAllocs()
		var took []time.Duration
		for b.Loop() {
			began := time.Now()
			c := node.await(b, echoPort)
			echo(b, c, "x")
			took = append(took, time.Since(began))
			c.Close()
		}
		percentiles(b, took)
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "conn/s")
	})
}

// BenchmarkRoundTrip sends a byte back and forth on a stream that is open.
func BenchmarkRoundTrip(b *testing.B) {
	bothWays(b, func(b *testing.B, node *memNode) {
		c := node.await(b, echoPort)
		defer c.Close()
		var took []time.Duration
		for b.Loop() {
			began := time.Now()
			echo(b, c, "x")
			took = append(took, time.Since(began))
		}
		percentiles(b, took)
	})
}

// BenchmarkPacket echoes datagrams of 1,400 bytes, 256 on their way at once.
func BenchmarkPacket(b *testing.B) {
	bothWays(b, func(b *testing.B, node *memNode) {
		node.mu.Lock()
		p := node.packets[portKey{18, echoPort}]
		node.mu.Unlock()
		packet, slots := make([]byte, 1400), make(chan struct{}, 256)
		b.SetBytes(int64(len(packet)))
		b.ReportAllocs()
		b.ResetTimer()
		go func() {
			for range b.N {
				slots <- struct{}{}
				p.in <- packet
			}
		}()
		for range b.N {
			<-p.out
			<-slots
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "packets/s")
	})
}

// BenchmarkLaunch is from Serve to the first byte of a stream, without the checksum's
// time at New.
func BenchmarkLaunch(b *testing.B) {
	for name, noTLS := range map[string]bool{"tls": false, "plain": true} {
		b.Run(name, func(b *testing.B) {
			path := program(b, "good")
			var took []time.Duration
			for b.Loop() {
				r := start(b, Config{Path: path, NoTLS: noTLS})
				firstByte(b, r.node)
				took = append(took, time.Since(r.began))
				b.StopTimer()
				r.stop()
				b.StartTimer()
			}
			percentiles(b, took)
		})
	}
}

// BenchmarkRestart is from the kill of a plugin to the first byte of a stream through
// the next one.
func BenchmarkRestart(b *testing.B) {
	r := start(b, Config{Path: program(b, "good")}, func(s *Supervisor) { s.timing.backoff.stable = 0 })
	var took []time.Duration
	for b.Loop() {
		b.StopTimer()
		firstByte(b, r.node)
		open := r.node.await(b, echoPort)
		echo(b, open, "x")
		b.StartTimer()
		began := time.Now()
		r.sup.killAll()
		if _, err := io.ReadAll(open); err == nil {
			b.Fatal("no reset")
		}
		firstByte(b, r.node)
		took = append(took, time.Since(began))
	}
	percentiles(b, took)
}

func firstByte(b *testing.B, node *memNode) {
	var c net.Conn
	for c == nil {
		c, _ = node.dial(b.Context(), echoPort)
		if c == nil {
			time.Sleep(time.Millisecond)
		}
	}
	echo(b, c, "x")
	c.Close()
}

func percentiles(b *testing.B, took []time.Duration) {
	slices.Sort(took)
	for _, p := range []struct {
		name string
		at   int
	}{{"p50-µs", len(took) / 2}, {"p99-µs", len(took) * 99 / 100}} {
		b.ReportMetric(float64(took[p.at].Microseconds()), p.name)
	}
}
