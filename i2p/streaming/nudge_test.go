package streaming

import (
	"io"
	"testing"
	"time"
)

// outage cuts the wire in the middle of a transfer for a minute, nudges, and
// returns how long the stream takes from then on until bytes flow again.
func outage(t *testing.T, w *wire, nudger *end, remote *end, reader io.Reader) time.Duration {
	io.CopyN(io.Discard, reader, 2<<20)
	w.set(func() { w.cut = true })
	time.Sleep(10 * time.Second)
	io.CopyN(io.Discard, reader, 0)
	time.Sleep(50 * time.Second)
	drained := make(chan time.Time)
	w.set(func() { w.cut = false })
	start := time.Now()
	go func() {
		io.CopyN(io.Discard, reader, 3<<20)
		drained <- time.Now()
	}()
	if nudger.Nudge(remote.remote.Hash, time.Now()) == 0 {
		t.Error("nothing was sent")
	}
	return (<-drained).Sub(start)
}

func TestNudgeRevivesADownload(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, w *wire, a, b *end) {
		dialled, accepted := connect(t, a, b)
		go io.Copy(writerOnly{accepted}, noise(1, 10<<20))
		if took := outage(t, w, b, a, dialled); took > 3*time.Second {
			t.Errorf("3 MiB took %v after the outage", took)
		} else {
			t.Logf("3 MiB took %v after the outage", took)
		}
	})
}

// For an upload the receiver nudges: the sender must be made to send.
func TestNudgeRevivesAnUpload(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, w *wire, a, b *end) {
		dialled, accepted := connect(t, a, b)
		go io.Copy(writerOnly{dialled}, noise(1, 10<<20))
		if took := outage(t, w, b, a, accepted); took > 3*time.Second {
			t.Errorf("3 MiB took %v after the outage", took)
		}
	})
}

// An idle stream's nudge makes the remote answer, whether it has had data or
// just the SYN reply.
func TestNudgeOfIdleStream(t *testing.T) {
	for _, talk := range []bool{false, true} {
		bubble(t, Config{}, func(t *testing.T, w *wire, a, b *end) {
			dialled, accepted := connect(t, a, b)
			if talk {
				accepted.Write([]byte("hello"))
				dialled.Read(make([]byte, 5))
			}
			time.Sleep(time.Minute)
			for range 3 {
				before := b.Stats().PacketsIn
				if n := b.Nudge(a.remote.Hash, time.Now()); n != 1 {
					t.Errorf("%d packets", n)
				}
				time.Sleep(time.Second)
				if n := b.Stats().PacketsIn - before; n != 1 {
					t.Errorf("%d packets came in answer", n)
				}
			}
			if n := b.Nudge(b.remote.Hash, time.Now()); n != 0 {
				t.Errorf("%d packets to a remote without streams", n)
			}
		})
	}
}

// A nudge while all is well, as in a drain, does not slow the stream down.
func TestNudgeOfAHealthyStream(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, w *wire, a, b *end) {
		dialled, accepted := connect(t, a, b)
		go io.Copy(writerOnly{accepted}, noise(1, 10<<20))
		io.CopyN(io.Discard, dialled, 2<<20)
		before := accepted.congestion.window
		b.Nudge(a.remote.Hash, time.Now())
		io.CopyN(io.Discard, dialled, 200<<10)
		if after := accepted.congestion.window; after < before {
			t.Errorf("window %v, was %v", after, before)
		}
	})
}
