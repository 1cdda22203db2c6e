package streaming

import (
	"context"
	"errors"
	"net"
	"syscall"
	"testing"
	"time"
)

func TestRefused(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, w *wire, a, b *end) {
		start := time.Now()
		_, err := a.Dial(context.Background(), b.remote, 0, 81)
		wantError(t, err, ErrRefused)
		wantError(t, err, syscall.ECONNREFUSED)
		if took := time.Since(start); took > time.Second {
			t.Errorf("took %v", took)
		}
		if s := b.Stats(); s.Refused != 1 || s.Open != 0 || a.Stats().Open != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestDialTimesOut(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, w *wire, a, b *end) {
		w.cut = true
		start := time.Now()
		_, err := a.Dial(context.Background(), b.remote, 0, 80)
		var timeout net.Error
		if !errors.Is(err, ErrTimeout) || !errors.As(err, &timeout) || !timeout.Timeout() || time.Since(start) != time.Minute {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, err = a.Dial(ctx, b.remote, 0, 80)
		wantError(t, err, context.DeadlineExceeded)
	})
}

// The remote of a Dial that was given up learns it when its answer comes.
func TestDialGivenUpIsReset(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, w *wire, a, b *end) {
		ln, _ := b.Listen(80)
		w.delay = time.Second
		ctx, cancel := context.WithTimeout(context.Background(), 1500*time.Millisecond)
		defer cancel()
		a.Dial(ctx, b.remote, 0, 80)
		conn, _ := ln.Accept()
		_, err := conn.Read(make([]byte, 1))
		wantError(t, err, ErrReset)
	})
}
