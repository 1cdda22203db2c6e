package streaming

import (
	"testing"
	"time"
)

// A CLOSE must not overtake the client of i2pd's SAM bridge, which has to read
// what the router acked before.
func TestCloseWaitsUntilAllIsAcked(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, w *wire, a, b *end) {
		dialled, accepted := connect(t, a, b)
		accepted.Write(make([]byte, 100<<10))
		accepted.Close()
		began := time.Now()
		if n, _, err := sink(dialled); n != 100<<10 || err != nil {
			t.Errorf("%d bytes, %v", n, err)
		}
		if took := time.Since(began); took < closeDelay || took > closeDelay+2*time.Second {
			t.Errorf("the end came after %v, want %v after the last byte", took, closeDelay)
		}
		dialled.Close()
		time.Sleep(time.Second)
		if open := a.Stats().Open + b.Stats().Open; open != 0 {
			t.Errorf("%d streams are left open", open)
		}
	})
}

// i2pd's client is gone in the midst of a download: it closes, and takes no
// more.
func TestWriteToARemoteThatClosed(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, w *wire, a, b *end) {
		dialled, accepted := connect(t, a, b)
		dialled.CloseWrite()
		time.Sleep(time.Second)
		w.set(func() { w.loss = 1 })
		began := time.Now()
		_, err := accepted.Write(make([]byte, 10<<20))
		wantError(t, err, ErrReset)
		if took := time.Since(began); took > closedGiveUp+time.Second {
			t.Errorf("the writer was told after %v", took)
		}
	})
}
