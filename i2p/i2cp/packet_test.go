package i2cp

import (
	"bytes"
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p"
)

// sink is a connection that takes everything and brings what loop repeats.
type sink struct {
	net.Conn
	loop []byte
	pos  int
}

func (s *sink) Write(b []byte) (int, error) { return len(b), nil }
func (s *sink) Close() error                { return nil }

func (s *sink) Read(b []byte) (int, error) {
	if len(s.loop) == 0 {
		return 0, io.EOF
	}
	n := copy(b, s.loop[s.pos:])
	s.pos = (s.pos + n) % len(s.loop)
	return n, nil
}

// counter is a Handler that counts bytes.
type counter struct{ n int }

func (c *counter) SessionUp()                           {}
func (c *counter) SessionDown(error)                    {}
func (c *counter) LeasesRequested([]i2p.Lease)          {}
func (c *counter) Message(p Payload)                    { c.n += len(p.Data) }
func (c *counter) MessageStatus(nonce uint32, _ Status) { c.n += int(nonce) }

// packetClient has a session on a sink that brings the given frames.
func packetClient(tb testing.TB, frames ...frame) (*Client, *session) {
	var loop []byte
	for _, m := range frames {
		var err error
		if loop, err = m.AppendFrame(loop); err != nil {
			tb.Fatal(err)
		}
	}
	c := New(Config{}, &counter{})
	s := newSession(c, &sink{loop: loop})
	c.current.Store(s)
	tb.Cleanup(s.close)
	return c, s
}

func send(tb testing.TB, c *Client, data []byte, expires time.Time) {
	for {
		err := c.Send(testKeys.Destination, 1, 2, ProtocolStreaming, data, SendOptions{Nonce: 7, Expires: expires})
		if err == nil {
			return
		}
		if err != ErrQueueFull {
			tb.Fatal(err)
		}
		runtime.Gosched()
	}
}

func TestSendDoesNotAllocate(t *testing.T) {
	c, _ := packetClient(t)
	data, expires := make([]byte, 1730), time.Now()
	for range 20000 { // both buffers of the queue grow to what they need
		send(t, c, data, expires)
	}
	if n := testing.AllocsPerRun(2000, func() { send(t, c, data, expires) }); n > 0 {
		t.Errorf("%v allocations per message", n)
	}
}

// inbound are frames as i2pd sends them: a stored payload and a status.
func inbound() []frame {
	return []frame{
		MessagePayload{0, 1, AppendPayload(nil, 1, 2, ProtocolStreaming, make([]byte, 1730))},
		MessageStatus{Status: StatusHandedOn, Nonce: 7},
	}
}

func receive(tb testing.TB, s *session) {
	kind, body, err := s.in.Next()
	if err == nil {
		err = s.handle(kind, body)
	}
	if err != nil {
		tb.Fatal(err)
	}
}

func TestReceiveDoesNotAllocate(t *testing.T) {
	c, s := packetClient(t, inbound()...)
	for range 10 {
		receive(t, s)
	}
	if n := testing.AllocsPerRun(3000, func() { receive(t, s) }); n > 0 {
		t.Errorf("%v allocations per frame", n)
	}
	if got := c.Stats(); got.Malformed > 0 || got.Received < 1500 {
		t.Errorf("stats %+v", got)
	}
}

// A Java router compresses.
func TestReceiveCompressed(t *testing.T) {
	text := bytes.Repeat([]byte("GET / HTTP/1.1\r\nHost: example.i2p\r\n"), 40)
	c, s := packetClient(t, MessagePayload{0, 2, gzipped(t, text, -1)})
	for range 3 {
		receive(t, s)
	}
	if got := c.handler.(*counter).n; got != 3*len(text) {
		t.Errorf("got %d bytes, want %d", got, 3*len(text))
	}
}

func BenchmarkSend(b *testing.B) {
	c, _ := packetClient(b)
	data, expires := make([]byte, 1730), time.Now()
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		send(b, c, data, expires)
	}
}

func BenchmarkReceive(b *testing.B) {
	_, s := packetClient(b, inbound()[0])
	b.SetBytes(1730)
	b.ReportAllocs()
	for b.Loop() {
		receive(b, s)
	}
}
