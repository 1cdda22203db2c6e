package simnet_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/datagram"
	"github.com/onelease/onelease/i2p/i2cp"
	"github.com/onelease/onelease/i2p/simnet"
	"github.com/onelease/onelease/i2p/streaming"
)

// A streamService has streams over all members of a service: the least that a
// multi-homed one does. It answers a remote through the member that its packets
// last came in by.
type streamService struct {
	*service
	stack *streaming.Stack
	by    map[i2p.Hash]*member // guarded by service.mu
}

// testPort is where it listens.
const testPort = 80

func newStreamService(t *testing.T, n *simnet.Network, profile simnet.Profile) *streamService {
	s := &streamService{service: newService(t, n, true, 90*time.Second, profile), by: map[i2p.Hash]*member{}}
	stack, err := streaming.New(streaming.Config{
		Origin: datagram.Origin{Destination: s.keys.Destination, Signer: s.keys},
		Link:   s,
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	s.stack = stack
	s.mu.Lock()
	defer s.mu.Unlock()
	s.take = func(m *member, p i2cp.Payload) {
		if p.Protocol == i2cp.ProtocolStreaming {
			stack.Receive(streaming.Inbound{Data: p.Data, FromPort: p.FromPort, ToPort: p.ToPort, Via: m})
		}
	}
	return s
}

// Send implements streaming.Link.
func (s *streamService) Send(to *streaming.Remote, fromPort, toPort uint16, packet []byte) error {
	s.mu.Lock()
	m := s.by[to.Hash]
	s.mu.Unlock()
	payload := i2cp.AppendPayload(nil, fromPort, toPort, i2cp.ProtocolStreaming, packet)
	frame, err := i2cp.SendMessage{Session: m.session(), To: to.Destination, Payload: payload}.AppendFrame(nil)
	if err == nil {
		_, err = m.conn.Write(frame)
	}
	return err
}

// Heard implements streaming.Link.
func (s *streamService) Heard(from *streaming.Remote, via any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := via.(*member); !m.dead {
		s.by[from.Hash] = m
	}
}

// killServing kills the member that serves a remote, hands out LeaseSets
// without it and sends hellos at once and then every few seconds: a real
// service's first would wait for the LeaseSets as well.
func (s *streamService) killServing(remote i2p.Hash, rotate bool, until time.Time) {
	s.mu.Lock()
	victim := s.by[remote]
	s.buryLocked(victim)
	for hash, m := range s.by {
		if m == victim {
			s.by[hash] = s.survivor
		}
	}
	s.mu.Unlock()
	victim.router.Kill()
	s.push(rotate)
	for wait := 100 * time.Millisecond; time.Now().Before(until); wait = min(2*wait, 8*time.Second) {
		time.Sleep(wait)
		s.stack.Nudge(remote, time.Now())
	}
}

// A transfer sends numbers, 128 in a message, and notes when they came. It is
// right as long as they come in order.
type transfer struct {
	mu    sync.Mutex
	came  []time.Time // one for each read
	next  uint64
	wrong bool
	err   error
}

const (
	transferEvery = 200 * time.Millisecond
	transferCount = 128
)

// send writes until the stream or the time ends.
func (x *transfer) send(conn net.Conn, until time.Time) {
	for next := uint64(0); time.Now().Before(until); time.Sleep(transferEvery) {
		var b []byte
		for range transferCount {
			b = binary.BigEndian.AppendUint64(b, next)
			next++
		}
		if _, err := conn.Write(b); err != nil {
			return
		}
	}
	conn.Close()
}

// receive reads until the stream ends.
func (x *transfer) receive(conn net.Conn) {
	b := make([]byte, 8*transferCount)
	for {
		_, err := io.ReadFull(conn, b)
		x.mu.Lock()
		if err != nil {
			x.err = err
			x.mu.Unlock()
			return
		}
		x.came = append(x.came, time.Now())
		for rest := bytes.Clone(b); len(rest) > 0; rest = rest[8:] {
			x.wrong = x.wrong || binary.BigEndian.Uint64(rest) != x.next
			x.next++
		}
		x.mu.Unlock()
	}
}

// resumed is how long after a time the last stall of more than some seconds was
// over; never if the last one, until the end, was not. What comes through a
// session that cannot be answered stops when the sender's window is full.
func (x *transfer) resumed(killed, end time.Time) time.Duration {
	x.mu.Lock()
	defer x.mu.Unlock()
	last, back := killed, killed
	for _, at := range x.came {
		if at.Before(killed) {
			continue
		}
		if back == killed || at.Sub(last) > stall {
			back = at
		}
		last = at
	}
	if end.Sub(last) > 2*stall {
		return never
	}
	return back.Sub(killed)
}

// stall is how long a stream may pause without having stopped.
const stall = 5 * time.Second

// dialStream begins a stream of a remote to the service.
func dialStream(t *testing.T, remote *simnet.Remote, to i2p.Destination) net.Conn {
	t.Helper()
	conn, err := remote.Stack().Dial(context.Background(), streaming.NewRemote(to), 0, testPort)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}
