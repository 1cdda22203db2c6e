package streaming

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p"
)

// A wire is a network between Stacks, which delays, loses, repeats and reorders
// packets. Its fields may be changed while it is up, with the lock.
type wire struct {
	mu     sync.Mutex
	random *rand.Rand
	ends   map[i2p.Hash]*end

	delay, jitter time.Duration
	loss, twice   float64
	cut           bool
	// rate, if set, is how many bytes a second an end can send; what would wait
	// for longer than queue is dropped.
	rate  int
	queue time.Duration
	via   any
	// drop, if set, is asked for each packet; see drops.
	drop func(from *end, p *Packet) bool
}

// An end is a Stack on a wire, and its Link.
type end struct {
	*Stack
	wire   *wire
	remote *Remote
	sent   int       // bytes
	count  int       // packets
	busy   time.Time // until when it sends, at the wire's rate
	heard  []any
}

func newWire(seed uint64) *wire {
	return &wire{random: rand.New(rand.NewPCG(seed, 1)), ends: make(map[i2p.Hash]*end), delay: 20 * time.Millisecond}
}

func (w *wire) add(t testing.TB, cfg Config) *end {
	t.Helper()
	if cfg.Origin.Destination.IsZero() {
		cfg.Origin = newOrigin(t, i2p.SigEd25519)
	}
	e := &end{wire: w, remote: NewRemote(cfg.Origin.Destination)}
	cfg.Link, cfg.Logger = e, slog.New(slog.DiscardHandler)
	stack, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	e.Stack = stack
	w.ends[e.remote.Hash] = e
	t.Cleanup(func() { stack.Close() })
	return e
}

func (e *end) Heard(from *Remote, via any) {
	e.wire.mu.Lock()
	defer e.wire.mu.Unlock()
	if len(e.heard) < 100 {
		e.heard = append(e.heard, via)
	}
}

var errCut = errors.New("the wire is cut")

func (e *end) Send(to *Remote, fromPort, toPort uint16, packet []byte) error {
	w := e.wire
	w.mu.Lock()
	defer w.mu.Unlock()
	e.sent += len(packet)
	e.count++
	target := w.ends[to.Hash]
	var p Packet
	if p.Parse(packet) != nil {
		return ErrPacket
	}
	if target == nil || w.cut || w.drop != nil && w.drop(e, &p) {
		return errCut
	}
	copies := 1
	if w.random.Float64() < w.twice {
		copies++
	}
	for range copies {
		if w.random.Float64() < w.loss {
			continue
		}
		in := Inbound{Data: append([]byte(nil), packet...), FromPort: fromPort, ToPort: toPort, Via: w.via}
		delay := w.delay
		if w.rate > 0 {
			if e.busy.Before(time.Now()) {
				e.busy = time.Now()
			}
			waits := time.Until(e.busy)
			if waits > w.queue {
				continue
			}
			e.busy = e.busy.Add(time.Duration(len(packet)) * time.Second / time.Duration(w.rate))
			delay += waits
		}
		if w.jitter > 0 {
			delay += time.Duration(w.random.Int64N(int64(w.jitter)))
		}
		time.AfterFunc(delay, func() { target.Receive(in) })
	}
	return nil
}

// sentBytes is how much the Stack has sent.
func (e *end) sentBytes() int {
	e.wire.mu.Lock()
	defer e.wire.mu.Unlock()
	return e.sent
}

// packets is how many packets the Stack has sent.
func (e *end) packets() int {
	e.wire.mu.Lock()
	defer e.wire.mu.Unlock()
	return e.count
}

// set changes the wire.
func (w *wire) set(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}

// connect is a stream from a to port 80 of b, both ends.
func connect(t testing.TB, a, b *end) (dialled, accepted *Stream) {
	t.Helper()
	ln, err := b.Listen(80)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	dialled, err = a.Dial(context.Background(), b.remote, 7, 80)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return dialled, conn.(*Stream)
}

// noise is size bytes that depend on seed.
func noise(seed byte, size int) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{seed}), int64(size))
}

// sink reads all and returns its size and hash.
func sink(r io.Reader) (int64, [32]byte, error) {
	h := sha256.New()
	n, err := io.Copy(h, r)
	return n, [32]byte(h.Sum(nil)), err
}

// transfer sends size bytes from one end of a stream to the other, closes that
// direction, and checks what arrives.
func transfer(t testing.TB, from, to net.Conn, seed byte, size int) {
	t.Helper()
	_, want, _ := sink(noise(seed, size))
	go func() {
		if _, err := io.Copy(writerOnly{from}, noise(seed, size)); err != nil {
			t.Errorf("write: %v", err)
		}
		from.(*Stream).CloseWrite()
	}()
	n, got, err := sink(to)
	if err != nil || n != int64(size) || got != want {
		t.Errorf("%d of %d bytes arrived, %v", n, size, err)
	}
}

type writerOnly struct{ io.Writer }
