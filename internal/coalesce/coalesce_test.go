package coalesce

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// gate is a connection whose writes wait until something is sent on open.
type gate struct {
	open    chan error
	batches [][]byte
}

func (g *gate) Write(b []byte) (int, error) {
	if err := <-g.open; err != nil {
		return 0, err
	}
	g.batches = append(g.batches, bytes.Clone(b))
	return len(b), nil
}

func put(s string) func([]byte) []byte {
	return func(b []byte) []byte { return append(b, s...) }
}

func TestBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{open: make(chan error, 3)}
		w := New(g, 100)
		w.Append(put("first"))
		synctest.Wait() // the first alone is in Write
		w.Append(put("second"))
		w.Append(put("third"))
		g.open <- nil
		g.open <- nil
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		if len(g.batches) != 2 || string(g.batches[0]) != "first" || string(g.batches[1]) != "secondthird" {
			t.Errorf("batches %q", g.batches)
		}
		if err := w.Append(put("late")); err != ErrClosed {
			t.Errorf("append after close: %v", err)
		}
	})
}

func TestFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{open: make(chan error, 3)}
		w := New(g, 10)
		w.Append(put("0"))
		synctest.Wait()
		if err := w.Append(put("12345678")); err != nil {
			t.Error(err)
		}
		if err := w.Append(put("abc")); err != ErrFull {
			t.Errorf("11 bytes of 10: %v", err)
		}
		if err := w.Append(put("9a")); err != nil {
			t.Errorf("what still fits: %v", err)
		}
		g.open <- nil
		g.open <- nil
		w.Close()
		if len(g.batches) != 2 || string(g.batches[1]) != "123456789a" {
			t.Errorf("batches %q", g.batches)
		}
	})
}

// What a burst has made large is given back after it, and kept during it.
func TestBurstIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{open: make(chan error)}
		w := New(g, 1<<20)
		held := func() int { return cap(w.pending) + cap(w.spare) }
		write := func(size int) {
			w.Append(put(string(make([]byte, size)))) // goes out while the next gathers
			synctest.Wait()
			w.Append(put(string(make([]byte, size))))
			g.open <- nil
			g.open <- nil
			synctest.Wait()
		}
		for range 3 {
			write(500 << 10)
			for range 100 {
				write(100)
			}
		}
		if n := held(); n < 1000<<10 {
			t.Errorf("%d bytes are held during a burst", n)
		}
		time.Sleep(burstTime)
		for range 2 {
			write(100)
		}
		if n := held(); n > 2*alwaysKept {
			t.Errorf("%d bytes are held after it", n)
		}
		w.Close()
	})
}

func TestWriteFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{open: make(chan error, 1)}
		broken := errors.New("broken")
		g.open <- broken
		w := New(g, 10)
		w.Append(put("x"))
		synctest.Wait()
		if err := w.Append(put("y")); !errors.Is(err, ErrClosed) || !errors.Is(err, broken) {
			t.Errorf("append: %v", err)
		}
		if err := w.Close(); err != broken {
			t.Errorf("close: %v", err)
		}
	})
}

func TestCloseHonoursDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		defer there.Close()
		w := New(here, 10)
		w.Append(put("nobody reads"[:10]))
		here.SetWriteDeadline(time.Now().Add(time.Second))
		if err := w.Close(); err == nil {
			t.Error("close did not report the frame that was lost")
		}
		here.Close()
	})
}

// Frames of many goroutines arrive whole, and each goroutine's in order.
func TestConcurrent(t *testing.T) {
	const writers, frames = 8, 500
	here, there := net.Pipe()
	w := New(here, 1<<20)
	var group sync.WaitGroup
	for i := range writers {
		group.Go(func() {
			for n := range frames {
				w.Append(func(b []byte) []byte {
					return binary.BigEndian.AppendUint32(append(b, byte(i)), uint32(n))
				})
			}
		})
	}
	go func() { group.Wait(); w.Close(); here.Close() }()
	var next [writers]uint32
	var frame [5]byte
	for {
		if _, err := io.ReadFull(there, frame[:]); err != nil {
			break
		}
		i, n := frame[0], binary.BigEndian.Uint32(frame[1:])
		if n != next[i] {
			t.Fatalf("writer %d: frame %d, want %d", i, n, next[i])
		}
		next[i]++
	}
	for i, n := range next {
		if n != frames {
			t.Errorf("writer %d: %d frames, want %d", i, n, frames)
		}
	}
}

func TestAppendDoesNotAllocate(t *testing.T) {
	w := New(io.Discard, 1<<16)
	defer w.Close()
	packet := make([]byte, 1000)
	append1 := func() {
		for w.Append(func(b []byte) []byte { return append(b, packet...) }) == ErrFull {
		}
	}
	for range 1000 { // lets both buffers grow to the limit
		append1()
	}
	if n := testing.AllocsPerRun(1000, append1); n > 0 {
		t.Errorf("%v allocations per frame", n)
	}
}

func BenchmarkAppend(b *testing.B) {
	w := New(io.Discard, 1<<18)
	defer w.Close()
	packet := make([]byte, 1000)
	b.SetBytes(int64(len(packet)))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			w.Append(func(b []byte) []byte { return append(b, packet...) })
		}
	})
}
