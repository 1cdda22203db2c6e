package sambridge

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// An abuse is something that clients do to a bridge until ctx ends, n of them at a time.
type abuse struct {
	name string
	do   func(ctx context.Context, w *world, n int) error
	// short and long are n in the two forms.
	short, long int
	// each is how many bytes each may take besides meanwhileMost.
	each int64
}

// abuses are what strangers might do.
var abuses = []abuse{
	{"never say HELLO", silent, 1500, 10_000, 0},
	{"half lines", halfLines, 500, 5000, 0},
	{"slow writers", slowWriters, 300, 2000, 0},
	{"endless lines", endlessLines, 4, 16, 0},
	{"binary garbage", garbage, 16, 64, 0},
	{"wrong passwords", wrongPasswords, 4, 16, 0},
	{"sessions come and go", comeAndGo, 4, 8, 0},
	{"streams to nowhere", nowhere, 16, 64, 0},
	{"readers that do not read", deaf, 4, 32, deafMost},
	{"garbage by UDP", udpGarbage, 4, 8, 0},
}

// What others may notice of it.
const (
	// delayMost is how long a good client may wait for an answer. The tests' machines
	// are small and busy; what counts is that it is not minutes.
	delayMost = 10 * time.Second
	// growthMost is by how many bytes the process may have grown when it is over.
	growthMost = 6 << 20
	// meanwhileMost is by how many bytes it may have grown before that, deafMost how
	// many more for a session that is sent datagrams and reads none: its queues, in the
	// bridge and to two frontends, are full.
	meanwhileMost = 64 << 20
	deafMost      = 8 << 20
	// during is how long each abuse lasts at least in the short form.
	during     = 1500 * time.Millisecond
	duringLong = 20 * time.Second
)

// TestAbuse has bad clients do what they can while a good one uses a stream, a connection
// and a session. It is served all the time, and nothing of the others stays.
func TestAbuse(t *testing.T) {
	w := startWorld(t, processConfig{Users: [][2]string{{goodUser, goodPassword}}})
	good := w.startGood(t)
	for _, a := range abuses {
		t.Run(a.name, func(t *testing.T) { a.run(t, w, good) })
	}
}

func (a abuse) run(t *testing.T, w *world, good *goodClient) {
	n, lasting := a.short, during
	if soaking() {
		n, lasting = a.long, duringLong
	}
	before := w.memory()
	ctx, cancel := context.WithCancel(t.Context()) // not a deadline: that would be each Dial's too
	defer cancel()
	defer time.AfterFunc(lasting, cancel).Stop()
	sampled := make(chan memory, 1)
	time.AfterFunc(lasting*3/4, func() { sampled <- w.memory().since(before) })
	done := make(chan error, 1)
	go func() { done <- a.do(ctx, w, n) }()
	asked, slowest := good.use(ctx, t)
	if err := <-done; err != nil {
		t.Errorf("it could not even try: %v", err)
	}
	most := <-sampled
	left := w.settled(20*time.Second, func(m memory) bool {
		m = m.since(before)
		return m.Goroutines <= 5 && m.Heap <= growthMost/2
	}).since(before)
	t.Logf("%d of them: the good client was served %d times, within %v; meanwhile heap %+.0f KiB, stacks %+.0f KiB, %+d goroutines; afterwards heap %+.0f KiB, %+d goroutines",
		n, asked, slowest.Round(time.Millisecond), kib(most.Heap), kib(most.Stacks), most.Goroutines, kib(left.Heap), left.Goroutines)
	if left.Goroutines > 5 || left.Heap > growthMost {
		t.Errorf("something stayed: %s; goroutines: %s", largest(left.HeapOf, 1024, "%s %.0f KiB"), largest(left.StartedBy, 1, "%s %.0f"))
	}
	if limit := meanwhileMost + int64(n)*a.each; most.total() > limit {
		t.Errorf("it took %.0f KiB, of %.0f KiB: %s", kib(most.total()), kib(limit), largest(most.HeapOf, 1024, "%s %.0f KiB"))
	}
	if slowest > delayMost || asked == 0 {
		t.Errorf("the good client was served %d times, once after %v; want %v at most", asked, slowest, delayMost)
	}
}

// each runs do in n goroutines until ctx ends; an error before that ends all.
func each(ctx context.Context, n int, do func(ctx context.Context) error) error {
	group, inner := errgroup.WithContext(ctx)
	for range n {
		group.Go(func() error {
			if err := do(inner); err != nil && inner.Err() == nil {
				return err
			}
			return nil
		})
	}
	return group.Wait()
}

// again does something until ctx ends.
func again(ctx context.Context, do func() error) error {
	for ctx.Err() == nil {
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}

// holding opens n connections, says something on each, and holds them until ctx ends. The
// bridge may close any.
func holding(ctx context.Context, w *world, n int, say string) error {
	var mu sync.Mutex
	var conns []net.Conn
	defer func() { closeAll(conns) }()
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(50)
	for range n {
		group.Go(func() error {
			conn, err := w.knock(inner)
			if err != nil {
				return unlessOver(inner, err)
			}
			mu.Lock()
			defer mu.Unlock()
			conns = append(conns, conn)
			_, _ = io.WriteString(conn, say) // it may be closed already
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

func unlessOver(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// knock connects to the bridge and says nothing.
func (w *world) knock(ctx context.Context) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp", w.addrs.SAM)
}

func silent(ctx context.Context, w *world, n int) error { return holding(ctx, w, n, "") }

func halfLines(ctx context.Context, w *world, n int) error {
	return holding(ctx, w, n, "HELLO VERSION MIN=3.0 MA")
}

// slowWriters send a byte now and then, and begin again when they are closed.
func slowWriters(ctx context.Context, w *world, n int) error {
	return each(ctx, n, func(ctx context.Context) error {
		return again(ctx, func() error {
			conn, err := w.knock(ctx)
			if err != nil {
				return err
			}
			defer conn.Close()
			tick := time.NewTicker(100 * time.Millisecond)
			defer tick.Stop()
			for i := 0; ; i++ {
				select {
				case <-ctx.Done():
					return nil
				case <-tick.C:
				}
				if _, err := conn.Write([]byte{"HELLO VERSION"[i%13]}); err != nil {
					return nil
				}
			}
		})
	})
}

// endlessLines send 100 MB without an end of line, or as much as is taken.
func endlessLines(ctx context.Context, w *world, n int) error {
	chunk := []byte(strings.Repeat("HELLO VERSION ", 4096))
	return each(ctx, n, func(ctx context.Context) error {
		return again(ctx, func() error { return pour(ctx, w, "", func() []byte { return chunk }, 100<<20) })
	})
}

// garbage sends random bytes, before HELLO and after it.
func garbage(ctx context.Context, w *world, n int) error {
	next := func() []byte {
		chunk := make([]byte, 4096)
		_, _ = rand.Read(chunk)
		return chunk
	}
	return each(ctx, n, func(ctx context.Context) error {
		return again(ctx, func() error {
			return errors.Join(pour(ctx, w, "", next, 1<<20), pour(ctx, w, "HELLO VERSION\n", next, 1<<20))
		})
	})
}

// pour writes so many bytes to a connection, after what is said first, until it is closed
// or ctx ends.
func pour(ctx context.Context, w *world, say string, next func() []byte, size int) error {
	conn, err := w.knock(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	_, _ = io.WriteString(conn, say)
	go io.Copy(io.Discard, conn)
	for sent := 0; sent < size; {
		n, err := conn.Write(next())
		if sent += n; err != nil {
			return nil
		}
	}
	return nil
}

// wrongPasswords try one after the other, from another address than the good client's.
func wrongPasswords(ctx context.Context, w *world, n int) error {
	return each(ctx, n, func(ctx context.Context) error {
		return again(ctx, func() error {
			answer, err := w.guess(ctx, goodUser, rand.Text())
			if err == nil && !strings.Contains(answer, "RESULT=I2P_ERROR") {
				err = fmt.Errorf("a wrong password was answered %q", answer)
			}
			return err
		})
	})
}

// guess says HELLO with a password and returns the answer, "" if there is none.
func (w *world) guess(ctx context.Context, user, password string) (string, error) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	conn, err := d.DialContext(ctx, "tcp", w.addrs.SAM)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	fmt.Fprintf(conn, "HELLO VERSION MIN=3.1 MAX=3.3 USER=%s PASSWORD=%s\n", user, password)
	return bufio.NewReader(conn).ReadString('\n')
}

// comeAndGo opens sessions and leaves, some before they are there.
func comeAndGo(ctx context.Context, w *world, n int) error {
	return each(ctx, n, func(ctx context.Context) error {
		hasty := false
		return again(ctx, func() error {
			c, err := w.dialogue(ctx)
			if err != nil {
				return err
			}
			defer c.Close()
			fmt.Fprintf(c, "SESSION CREATE STYLE=STREAM ID=%s DESTINATION=TRANSIENT SIGNATURE_TYPE=7\n", rand.Text())
			if hasty = !hasty; hasty {
				return nil
			}
			_, err = c.line()
			return err
		})
	})
}

// nowhere dials Destinations that nobody has.
func nowhere(ctx context.Context, w *world, n int) error {
	s, err := w.open(ctx)
	if err != nil {
		return unlessOver(ctx, err)
	}
	defer s.Close()
	return each(ctx, n, func(ctx context.Context) error {
		return again(ctx, func() error {
			few, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
			defer cancel()
			if conn, err := s.Dial(few, newDestination()); err == nil {
				conn.Close()
			}
			return nil
		})
	})
}

// deaf sessions are sent datagrams that their clients do not read.
func deaf(ctx context.Context, w *world, n int) error {
	return each(ctx, n, func(ctx context.Context) error {
		return again(ctx, func() error { return w.beDeaf(ctx) })
	})
}

// beDeaf opens a session that sends to itself until the bridge ends it, or ctx.
func (w *world) beDeaf(ctx context.Context) error {
	c, err := w.dialogue(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.Close() })()
	answer, err := c.ask("SESSION CREATE STYLE=RAW ID=" + rand.Text() + " DESTINATION=TRANSIENT SIGNATURE_TYPE=7")
	if err == nil && !strings.Contains(answer, "RESULT=OK") {
		err = fmt.Errorf("SESSION CREATE was answered %.80q", answer)
	}
	if err != nil {
		return err
	}
	answer, err = c.ask("NAMING LOOKUP NAME=ME")
	if err != nil {
		return err
	}
	_, own, _ := strings.Cut(answer, "VALUE=")
	send := append(fmt.Appendf(nil, "RAW SEND DESTINATION=%s SIZE=8192\n", own), make([]byte, 8192)...)
	for err == nil {
		_, err = c.Write(send)
	}
	return nil
}

// udpGarbage sends what is no datagram, and some for sessions that are not there.
func udpGarbage(ctx context.Context, w *world, n int) error {
	return each(ctx, n, func(ctx context.Context) error {
		conn, err := net.Dial("udp", w.addrs.UDP)
		if err != nil {
			return err
		}
		defer conn.Close()
		random := make([]byte, 1200)
		return again(ctx, func() error {
			_, _ = rand.Read(random)
			for _, head := range []string{"", "3.0 ", "3.3 nobody nowhere\n", "3.0 nobody " + newDestination() + " FROM_PORT=99999\n", "\n", "3.1\n"} {
				_, _ = conn.Write(append([]byte(head), random...))
			}
			time.Sleep(time.Millisecond) // to leave others the machine
			return nil
		})
	})
}
