package streaming

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// bubble runs a test of two Stacks, a and b, in virtual time.
func bubble(t *testing.T, cfg Config, test func(t *testing.T, w *wire, a, b *end)) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(7)
		a, b := w.add(t, cfg), w.add(t, cfg)
		test(t, w, a, b)
	})
}

func wantError(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error %v, want %v", err, want)
	}
}

func TestHalfClose(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, w *wire, a, b *end) {
		dialled, accepted := connect(t, a, b)
		dialled.Write([]byte("request"))
		dialled.CloseWrite()
		if _, err := dialled.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("write after CloseWrite: %v", err)
		}
		request, err := io.ReadAll(accepted)
		if err != nil || string(request) != "request" {
			t.Fatalf("request %q, %v", request, err)
		}
		time.Sleep(time.Minute)
		go func() {
			io.Copy(writerOnly{accepted}, noise(1, 100<<10))
			accepted.Close()
		}()
		if n, _, err := sink(dialled); n != 100<<10 || err != nil {
			t.Errorf("answer of %d bytes, %v", n, err)
		}
		dialled.Close()
		time.Sleep(time.Second)
		if open := a.Stats().Open + b.Stats().Open; open != 0 {
			t.Errorf("%d streams are left open", open)
		}
	})
}

func TestCloseSendsTheRest(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, w *wire, a, b *end) {
		w.loss = 0.05
		dialled, accepted := connect(t, a, b)
		go func() {
			io.Copy(writerOnly{dialled}, noise(1, 900<<10))
			dialled.Close() // most of it has not been sent
		}()
		if n, _, err := sink(accepted); n != 900<<10 || err != nil {
			t.Errorf("%d bytes, %v", n, err)
		}
		// The application of b does not close, so a gives it time, and resets.
		time.Sleep(2 * closeWait)
		if n := a.Stats().Open; n != 0 {
			t.Errorf("%d streams are left open", n)
		}
		_, err := accepted.Write([]byte("x"))
		wantError(t, err, ErrReset)
	})
}

func TestReset(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, w *wire, a, b *end) {
		dialled, accepted := connect(t, a, b)
		accepted.Write([]byte("last words"))
		time.Sleep(time.Second)
		accepted.Reset()
		got, err := io.ReadAll(dialled)
		if string(got) != "last words" {
			t.Errorf("read %q before the reset", got)
		}
		wantError(t, err, ErrReset)
		wantError(t, err, syscall.ECONNRESET)
		_, err = dialled.Write([]byte("x"))
		wantError(t, err, ErrReset)
		_, err = accepted.Read(make([]byte, 1))
		wantError(t, err, net.ErrClosed)
		if n := a.Stats().Open + b.Stats().Open; n != 0 {
			t.Errorf("%d streams are left open", n)
		}
	})
}

// A reset that gets lost is sent again when the remote shows that it does not
// know of it.
func TestResetIsRepeated(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, w *wire, a, b *end) {
		dialled, accepted := connect(t, a, b)
		w.set(func() { w.cut = true })
		accepted.Reset()
		w.set(func() { w.cut = false })
		dialled.Write([]byte("x"))
		_, err := dialled.Read(make([]byte, 1))
		wantError(t, err, ErrReset)
	})
}

func TestDeadlines(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, w *wire, a, b *end) {
		dialled, _ := connect(t, a, b)
		start := time.Now()
		dialled.SetReadDeadline(start.Add(time.Second))
		_, err := dialled.Read(make([]byte, 1))
		wantError(t, err, os.ErrDeadlineExceeded)
		if took := time.Since(start); took != time.Second {
			t.Errorf("took %v", took)
		}
		// One that is moved while a call waits counts.
		dialled.SetReadDeadline(time.Time{})
		time.AfterFunc(time.Second, func() { dialled.SetReadDeadline(time.Now()) })
		_, err = dialled.Read(make([]byte, 1))
		wantError(t, err, os.ErrDeadlineExceeded)
		dialled.SetWriteDeadline(time.Now().Add(5 * time.Second))
		n, err := dialled.Write(make([]byte, 10<<20)) // nobody reads
		wantError(t, err, os.ErrDeadlineExceeded)
		if n < 1<<20 {
			t.Errorf("wrote %d bytes", n)
		}
		dialled.Close()
		wantError(t, dialled.SetDeadline(time.Time{}), net.ErrClosed)
	})
}

func TestCloseEndsCalls(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, w *wire, a, b *end) {
		dialled, _ := connect(t, a, b)
		time.AfterFunc(time.Second, func() { dialled.Close() })
		go func() {
			_, err := dialled.Write(make([]byte, 10<<20))
			wantError(t, err, net.ErrClosed)
		}()
		_, err := dialled.Read(make([]byte, 1))
		wantError(t, err, net.ErrClosed)
		wantError(t, dialled.Close(), net.ErrClosed)
	})
}

func TestListener(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, w *wire, a, b *end) {
		ln, err := b.Listen(80)
		if err != nil {
			t.Fatal(err)
		}
		_, err = b.Listen(80)
		wantError(t, err, ErrPortInUse)
		waiting, err := a.Dial(context.Background(), b.remote, 7, 80)
		if err != nil {
			t.Fatal(err)
		}
		if want := b.remote.Hash.Base32() + ":80"; waiting.RemoteAddr().String() != want || ln.Addr().String() != want {
			t.Errorf("addresses %v and %v, want %v", waiting.RemoteAddr(), ln.Addr(), want)
		}
		ln.Close()
		_, err = ln.Accept()
		wantError(t, err, net.ErrClosed)
		_, err = waiting.Read(make([]byte, 1)) // nobody will accept it
		wantError(t, err, ErrReset)
		if again, err := b.Listen(80); err != nil {
			t.Error(err)
		} else {
			again.Close()
		}
	})
}

// A remote that is silent on an idle stream is asked, and given up.
func TestIdleTimeout(t *testing.T) {
	cfg := Config{IdleTimeout: 5 * time.Minute}
	bubble(t, cfg, func(t *testing.T, w *wire, a, b *end) {
		dialled, _ := connect(t, a, b)
		time.Sleep(time.Hour)
		if n := a.Stats().Open; n != 1 {
			t.Fatal("an idle stream whose remote is alive was ended")
		}
		w.set(func() { w.cut = true })
		_, err := dialled.Read(make([]byte, 1))
		wantError(t, err, ErrTimeout)
		if n := a.Stats().Open + b.Stats().Open; n != 0 {
			time.Sleep(5 * time.Minute)
		}
		if n := a.Stats().Open + b.Stats().Open; n != 0 {
			t.Errorf("%d streams are left open", n)
		}
	})
}

func TestGiveUp(t *testing.T) {
	bubble(t, Config{GiveUp: 3 * time.Minute}, func(t *testing.T, w *wire, a, b *end) {
		dialled, _ := connect(t, a, b)
		w.set(func() { w.cut = true })
		start := time.Now()
		dialled.Write([]byte("x"))
		_, err := dialled.Read(make([]byte, 1))
		wantError(t, err, ErrTimeout)
		if took := time.Since(start); took != 3*time.Minute {
			t.Errorf("took %v", took)
		}
	})
}

// The time to give up begins anew when the way to the remote was lost once more.
func TestWaitAnew(t *testing.T) {
	bubble(t, Config{GiveUp: 3 * time.Minute}, func(t *testing.T, w *wire, a, b *end) {
		dialled, _ := connect(t, a, b)
		w.set(func() { w.cut = true })
		start := time.Now()
		dialled.Write([]byte("x"))
		time.Sleep(2 * time.Minute)
		a.WaitAnew(dialled.Remote().Hash)
		_, err := dialled.Read(make([]byte, 1))
		wantError(t, err, ErrTimeout)
		if took := time.Since(start); took != 5*time.Minute {
			t.Errorf("took %v", took)
		}
	})
}

// A slow reader chokes its remote, and does not lose it.
func TestSlowReader(t *testing.T) {
	cfg := Config{ReceiveBuffer: 64 << 10, GiveUp: time.Minute}
	bubble(t, cfg, func(t *testing.T, w *wire, a, b *end) {
		w.loss = 0.02
		dialled, accepted := connect(t, a, b)
		const size = 1 << 20
		go func() {
			io.Copy(writerOnly{dialled}, noise(5, size))
			dialled.CloseWrite()
		}()
		time.Sleep(10 * time.Minute)
		if s := a.Stats(); s.PacketsOut > 600 {
			t.Errorf("%d packets were sent to a remote that reads nothing in 10 min", s.PacketsOut)
		}
		accepted.mu.Lock()
		held := accepted.receiver.unread + accepted.receiver.ahead
		accepted.mu.Unlock()
		if held > 2*cfg.ReceiveBuffer {
			t.Errorf("%d bytes are held", held)
		}
		start := time.Now()
		_, want, _ := sink(noise(5, size))
		if n, got, err := sink(accepted); n != size || got != want || err != nil {
			t.Errorf("%d bytes, %v", n, err)
		}
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("took %v from the first read on", took)
		}
	})
}

func TestStackCloseLeavesNothing(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, w *wire, a, b *end) {
		dialled, accepted := connect(t, a, b)
		ln, _ := b.Listen(90)
		a.Dial(context.Background(), b.remote, 0, 90)
		go dialled.Write(make([]byte, 4<<20))
		time.Sleep(time.Second)
		b.Close()
		_, err := ln.Accept()
		wantError(t, err, net.ErrClosed)
		_, err = accepted.Read(make([]byte, 1))
		wantError(t, err, net.ErrClosed)
		a.Close()
		_, err = a.Dial(context.Background(), b.remote, 0, 90)
		wantError(t, err, net.ErrClosed)
		time.Sleep(time.Second) // what is on the wire
		start := time.Now()
		synctest.Wait()
		buf := make([]byte, 1<<20)
		if stacks := string(buf[:runtime.Stack(buf, true)]); strings.Contains(stacks, "onTimer") {
			t.Errorf("a timer runs:\n%s", stacks)
		}
		if time.Since(start) != 0 {
			t.Error("a timer is left")
		}
		for _, st := range []*Stream{dialled, accepted} {
			if st.timer != nil && st.timer.Stop() {
				t.Error("a stream's timer is left")
			}
		}
	})
}
