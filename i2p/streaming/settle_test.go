package streaming

import (
	"context"
	"testing"
	"time"
)

func TestSettle(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, w *wire, a, b *end) {
		dialled, accepted := connect(t, a, b)
		open, _ := connect(t, a, b)
		const size = 50 << 10
		accepted.Write(make([]byte, size))
		accepted.Close()
		got := make(chan int64)
		go func() {
			n, _, _ := sink(dialled)
			dialled.Close()
			got <- n
		}()
		b.Settle(t.Context())
		b.Close()
		if n := <-got; n != size {
			t.Errorf("%d bytes arrived before the Stack was closed, want %d", n, size)
		}
		open.Reset()
	})
}

func TestSettleGivesUp(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, w *wire, a, b *end) {
		_, accepted := connect(t, a, b)
		w.set(func() { w.cut = true })
		accepted.Write([]byte("never arrives"))
		accepted.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		began := time.Now()
		b.Settle(ctx)
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("gave up after %v", took)
		}
	})
}
