package sambridge

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/onelease/onelease/test/i2pd/samclient"
	"github.com/onelease/onelease/test/streamservice"
)

// What a session and an idle stream may cost in the bridge's process, in bytes of heap and
// stacks. A session has a Destination's whole machinery: I2CP sessions on three routers,
// frontends, a balancer. Twice what was measured is a fault.
const (
	sessionBudget = 1 << 20
	streamBudget  = 40 << 10
)

// goroutineKept is what the runtime keeps of each goroutine that has ended, for the next,
// in bytes.
const goroutineKept = 640

// TestCapacity holds sessions with idle streams, and says what each costs. When they have
// ended, their memory is free again.
func TestCapacity(t *testing.T) {
	sessions, streams, limit := 10, 500, 90*time.Second
	if soaking() {
		sessions, streams, limit = 200, 5000, 10*time.Minute
	}
	if testing.Short() {
		sessions, streams = 5, 100
	}
	w := startWorld(t, processConfig{})
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	var peers []string
	for range 2 {
		peers = append(peers, w.addPeer())
	}
	w.warmUp(ctx, peers)

	empty := w.memory()
	began := time.Now()
	held := w.openAll(ctx, sessions)
	open := w.memory()
	t.Logf("%d sessions in %.1f s; each: %s", sessions, time.Since(began).Seconds(), open.since(empty).per(sessions))

	first := w.dialAll(ctx, held, peers, sessions)
	used := w.memory()
	t.Logf("each with a first stream: %s", used.since(open).per(sessions))

	began = time.Now()
	more := w.dialAll(ctx, held, peers, streams-sessions)
	full := w.memory()
	t.Logf("%d more streams in %.1f s; each: %s", streams-sessions, time.Since(began).Seconds(), full.since(used).per(streams-sessions))
	checkEach(t, "session", used.since(empty), sessions, sessionBudget)
	checkEach(t, "idle stream", full.since(used), streams-sessions, streamBudget)
	checkAlive(t, append(first, more...))

	closeAll(append(first, more...))
	for _, s := range held {
		s.Close()
	}
	most := full.since(empty).Heap/10 + 1<<20 + goroutineKept*int64(full.Goroutines)
	left := w.settled(time.Minute, func(m memory) bool {
		m = m.since(empty)
		return m.Goroutines <= 10 && m.Heap <= most
	}).since(empty)
	t.Logf("after all: heap %.1f KiB, %d goroutines more than before: %s", kib(left.Heap), left.Goroutines, largest(left.HeapOf, 1024, "%s %.0f KiB"))
	if left.Goroutines > 10 || left.Heap > most {
		t.Errorf("not all is free again: %s; goroutines: %s", largest(left.HeapOf, 1024, "%s %.0f KiB"), largest(left.StartedBy, 1, "%s %.0f"))
	}
}

// warmUp has one session come and go, so that what is made once is not counted.
func (w *world) warmUp(ctx context.Context, peers []string) {
	w.t.Helper()
	held := w.openAll(ctx, 1)
	closeAll(w.dialAll(ctx, held, peers, 1))
	held[0].Close()
	base := w.memory().Goroutines
	w.settled(2*time.Second, func(m memory) bool { return m.Goroutines < base })
}

// openAll opens so many sessions, some at a time.
func (w *world) openAll(ctx context.Context, n int) []*samclient.Streams {
	w.t.Helper()
	held := make([]*samclient.Streams, n)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for i := range held {
		group.Go(func() (err error) {
			if held[i], err = w.open(ctx); err != nil {
				return fmt.Errorf("session %d of %d: %w", i+1, n, err)
			}
			w.t.Cleanup(func() { held[i].Close() })
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		w.t.Fatal(err)
	}
	return held
}

// dialAll begins so many streams, by all sessions in turn, each of which has sent a line
// there and back and is idle then.
func (w *world) dialAll(ctx context.Context, held []*samclient.Streams, peers []string, n int) []net.Conn {
	w.t.Helper()
	conns := make([]net.Conn, n)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(64)
	for i := range conns {
		group.Go(func() error {
			conn, err := dialEcho(ctx, held[i%len(held)], peers[i%len(peers)])
			conns[i] = conn
			if err != nil {
				return fmt.Errorf("stream %d of %d: %w", i+1, n, err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		closeAll(conns)
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { closeAll(conns) })
	return conns
}

// dialEcho begins a stream to the stream service, which has echoed once.
func dialEcho(ctx context.Context, s *samclient.Streams, to string) (net.Conn, error) {
	conn, err := s.Dial(ctx, to)
	if err != nil {
		return nil, err
	}
	echo, err := streamservice.NewEcho(conn)
	if err == nil {
		_, err = echo.AskUntil("there?", time.Now().Add(time.Minute))
	}
	return conn, errors.Join(err, conn.SetDeadline(time.Time{}))
}

func closeAll(conns []net.Conn) {
	for _, c := range conns {
		if c != nil {
			c.Close()
		}
	}
}

// checkEach compares what each of n costs with what it may.
func checkEach(t *testing.T, what string, m memory, n int, budget int64) {
	t.Helper()
	each := m.total() / int64(n)
	t.Logf("each %s: %.1f KiB", what, kib(each))
	if each > budget {
		t.Errorf("each %s takes %.1f KiB, of %.1f KiB: %s", what, kib(each), kib(budget), m.per(n))
	}
}

// checkAlive has streams echo once more, some of them.
func checkAlive(t *testing.T, conns []net.Conn) {
	t.Helper()
	for i := 0; i < len(conns); i += max(1, len(conns)/50) {
		if err := echoes(conns[i], time.Minute); err != nil {
			t.Errorf("stream %d after it was idle: %v", i, err)
		}
	}
}

// echoes sends a line on a stream that echoes, and waits for it.
func echoes(conn net.Conn, limit time.Duration) error {
	if err := conn.SetDeadline(time.Now().Add(limit)); err != nil {
		return err
	}
	const line = "still there?\n"
	if _, err := conn.Write([]byte(line)); err != nil {
		return err
	}
	got := make([]byte, len(line))
	for n := 0; n < len(got); {
		m, err := conn.Read(got[n:])
		if n += m; err != nil {
			return err
		}
	}
	if string(got) != line {
		return fmt.Errorf("%w: %q", streamservice.ErrBytes, got)
	}
	return nil
}
