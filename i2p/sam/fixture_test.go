package sam

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p"
)

// A fakeHost keeps what it is sent, and knows one name.
type fakeHost struct {
	dest  i2p.Destination
	keys  string          // of dest, base64
	peer  i2p.Destination // peer.i2p and its b32
	down  atomic.Bool
	sent  chan Packet
	err   error         // of Send
	asked chan struct{} // if set, Lookup waits for it
}

func newFakeHost(t testing.TB) *fakeHost {
	t.Helper()
	keys, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	private := append(append(keys.Destination.Bytes(), keys.Encryption...), keys.Signing...)
	return &fakeHost{
		dest: keys.Destination, keys: i2p.Base64.EncodeToString(private),
		peer: newDestination(t), sent: make(chan Packet, 100),
	}
}

func newDestination(t testing.TB) i2p.Destination {
	t.Helper()
	keys, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	return keys.Destination
}

func (h *fakeHost) Destination() (i2p.Destination, bool) { return h.dest, !h.down.Load() }

func (h *fakeHost) Send(p Packet) error {
	if h.err != nil {
		return h.err
	}
	p.Data = bytes.Clone(p.Data)
	h.sent <- p
	return nil
}

func (h *fakeHost) Lookup(ctx context.Context, name string) (i2p.Destination, error) {
	if h.asked != nil {
		select {
		case <-h.asked:
		case <-ctx.Done():
			return i2p.Destination{}, ctx.Err()
		}
	}
	switch {
	case name == "peer.i2p", name == h.peer.Base32():
		return h.peer, nil
	case strings.HasSuffix(name, ".i2p"):
		return i2p.Destination{}, fmt.Errorf("no such name: %w", ResultKeyNotFound)
	}
	return i2p.Destination{}, fmt.Errorf("not a name: %w", i2p.ErrInvalid)
}

func newTestServer(t testing.TB, h Host) *Server {
	s := NewServer(ServerConfig{Host: h, Logger: slog.New(slog.DiscardHandler)})
	t.Cleanup(func() { s.Close() })
	return s
}

// dial gives an in-memory connection to s.
func dial(s *Server) net.Conn {
	here, there := net.Pipe()
	go s.ServeConn(there)
	return here
}

// A talker is a SAM client by hand.
type talker struct {
	t  testing.TB
	nc net.Conn
	r  *Reader
}

func newTalker(t testing.TB, nc net.Conn) *talker {
	t.Cleanup(func() { nc.Close() })
	return &talker{t: t, nc: nc, r: NewReader(nc)}
}

// attach says HELLO and creates a session with id and options.
func attachTalker(t testing.TB, nc net.Conn, id, options string) *talker {
	t.Helper()
	k := newTalker(t, nc)
	k.say("HELLO VERSION\n")
	k.expect("HELLO REPLY RESULT=OK VERSION=3.3")
	k.say("SESSION CREATE STYLE=RAW ID=" + id + " DESTINATION=TRANSIENT " + options + "\n")
	k.expect("SESSION STATUS RESULT=OK DESTINATION=*")
	return k
}

func (k *talker) say(text string) {
	k.t.Helper()
	k.nc.SetWriteDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(k.nc, text); err != nil {
		k.t.Fatalf("%.60q: %v", text, err)
	}
}

// expect reads a line; a star at the end of want stands for anything.
func (k *talker) expect(want string) string {
	k.t.Helper()
	k.nc.SetReadDeadline(time.Now().Add(10 * time.Second))
	line, err := k.r.Line()
	if err != nil {
		k.t.Fatalf("want %q: %v", want, err)
	}
	got := string(line)
	if start, open := strings.CutSuffix(want, "*"); got != want && !(open && strings.HasPrefix(got, start)) {
		k.t.Fatalf("got  %.300q\nwant %.300q", got, want)
	}
	return got
}

func (k *talker) expectPacket(header, data string) {
	k.t.Helper()
	k.expect(header)
	b, err := k.r.Payload(len(data))
	if err != nil || string(b) != data {
		k.t.Fatalf("got %q, %v, want %q", b, err, data)
	}
}

func (k *talker) expectEnd() {
	k.t.Helper()
	k.nc.SetReadDeadline(time.Now().Add(10 * time.Second))
	if line, err := k.r.Line(); err == nil || errors.Is(err, context.DeadlineExceeded) {
		k.t.Fatalf("got %q, %v, want the end", line, err)
	}
}

func rawSend(p Packet) string {
	return string(appendRawSend(nil, p.Peer.Base64(), p))
}
