package simnet_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/i2cp"
	"github.com/onelease/onelease/i2p/simnet"
	"github.com/onelease/onelease/internal/coalesce"
)

// newTap opens a session whose client sends back every message as it is, in a
// bare loop, and taps it.
func newTap(t testing.TB, onSend func([]byte)) (*simnet.Tap, func()) {
	n := simnet.New(simnet.Config{})
	r := n.NewRouter(simnet.RouterConfig{})
	conn, err := r.DialI2CP(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	keys, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	config, _ := i2cp.BuildSessionConfig(keys, keys.Destination, nil, time.Now())
	b, _ := i2cp.AppendCreateSession([]byte{i2cp.ProtocolByte}, config)
	conn.Write(b)
	frames := i2cp.NewFrameReader(conn)
	if _, body, err := frames.Next(); err != nil || body[2] != byte(i2cp.SessionCreated) {
		t.Fatal("no session", err)
	}
	tap, err := r.Tap(keys.Destination.Hash(), onSend)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		bounce(frames, coalesce.New(conn, 1<<20), keys.Destination)
	}()
	return tap, func() {
		n.Close()
		<-done
		conn.Close()
	}
}

// bounce sends back what comes until the connection ends.
func bounce(frames *i2cp.FrameReader, out *coalesce.Writer, to i2p.Destination) {
	defer out.Close()
	for {
		kind, body, err := frames.Next()
		if err != nil {
			return
		}
		if kind != i2cp.TypeMessagePayload {
			continue
		}
		m, _ := i2cp.ParseMessagePayload(body)
		send := i2cp.SendMessage{To: to, Payload: m.Payload}
		out.Append(func(b []byte) []byte {
			b, _ = send.AppendFrame(b)
			return b
		})
	}
}

// pass injects count messages with at most window under way.
func pass(t testing.TB, tap *simnet.Tap, payload []byte, count int, window uint64, came <-chan struct{}) {
	before, _ := tap.Sent()
	for i := range uint64(count) {
		for sent, _ := tap.Sent(); i-(sent-before) >= window; sent, _ = tap.Sent() {
			<-came
		}
		for err := tap.Inject(payload); err != nil; err = tap.Inject(payload) {
			if !errors.Is(err, coalesce.ErrFull) {
				t.Fatal(err)
			}
			<-came
		}
	}
	for sent, _ := tap.Sent(); sent-before < uint64(count); sent, _ = tap.Sent() {
		<-came
	}
}

// signal returns a channel that has something soon after each call of the function.
func signal() (chan struct{}, func([]byte)) {
	came := make(chan struct{}, 1)
	return came, func([]byte) {
		select {
		case came <- struct{}{}:
		default:
		}
	}
}

func TestTap(t *testing.T) {
	came, onSend := signal()
	tap, stop := newTap(t, onSend)
	defer stop()
	payload := i2cp.AppendPayload(nil, 1, 2, i2cp.ProtocolRaw, make([]byte, 1000))
	pass(t, tap, payload, 10000, 64, came)
	if messages, bytes := tap.Sent(); messages != 10000 || bytes != uint64(10000*len(payload)) {
		t.Errorf("%d messages of %d bytes came back", messages, bytes)
	}
	if allocs := testing.AllocsPerRun(20, func() { pass(t, tap, payload, 1000, 64, came) }); allocs > 10 {
		t.Errorf("%.0f allocations per 1000 messages", allocs)
	}
}

func BenchmarkTap(b *testing.B) {
	for _, size := range []int{100, 1000} {
		b.Run(map[int]string{100: "100B", 1000: "1KB"}[size], func(b *testing.B) {
			came, onSend := signal()
			tap, stop := newTap(b, onSend)
			defer stop()
			payload := i2cp.AppendPayload(nil, 1, 2, i2cp.ProtocolRaw, make([]byte, size))
			b.ReportAllocs()
			b.SetBytes(int64(size))
			b.ResetTimer()
			pass(b, tap, payload, b.N, 256, came)
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "packets/s")
		})
	}
}
