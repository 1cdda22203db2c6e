package sam

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/i2p"
)

// connect attaches a client to s in memory.
func connect(t testing.TB, s *Server, cfg ClientConfig) *PacketClient {
	t.Helper()
	cfg.Dial = func(context.Context) (net.Conn, error) { return dial(s), nil }
	c, err := Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFakeHost(t)
		s := newTestServer(t, h)
		packets, states := make(chan Packet, 1), make(chan string, 1)
		c := connect(t, s, ClientConfig{
			ID: "backend", SendStatus: true,
			OnPacket: func(p Packet) { p.Data = []byte(string(p.Data)); packets <- p },
			OnStatus: func(id uint32, err error) { states <- fmt.Sprint(id, errors.Is(err, ResultTimeout), err) },
		})
		if c.Destination() != h.dest {
			t.Error("not attached to the hosted Destination")
		}
		want := Packet{Peer: h.peer, FromPort: 1, ToPort: 2, Protocol: 6, ID: 77, Data: []byte("out\n")}
		if err := c.Send(want); err != nil {
			t.Fatal(err)
		}
		got := <-h.sent
		s.Status(got.ID, nil)
		if got.ID = want.ID; !samePacket(got, want) || string(got.Data) != "out\n" {
			t.Errorf("%+v", got)
		}
		if state := <-states; state != "77 false <nil>" {
			t.Error(state)
		}
		c.Send(want)
		s.Status((<-h.sent).ID, ResultTimeout)
		if state := <-states; state != "77 true RAW STATUS: TIMEOUT: TIMEOUT" {
			t.Error(state)
		}
		in := Packet{FromPort: 3, ToPort: 4, Protocol: 17, Data: []byte("in")}
		if n := s.Deliver(in); n != 1 {
			t.Errorf("delivered to %d", n)
		}
		if got := <-packets; !samePacket(got, in) || string(got.Data) != "in" {
			t.Errorf("%+v", got)
		}
		for _, data := range [][]byte{nil, make([]byte, MaxPayload+1)} {
			if err := c.Send(Packet{Peer: h.peer, Data: data}); !errors.Is(err, ErrSize) {
				t.Errorf("%d bytes: %v", len(data), err)
			}
		}
	})
}

// Lookups of one name share a question; the answers find their callers.
func TestClientLookup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFakeHost(t)
		h.asked = make(chan struct{})
		c := connect(t, newTestServer(t, h), ClientConfig{})
		type result struct {
			d   i2p.Destination
			err error
		}
		results := make(chan result, 2)
		for range 2 {
			go func() {
				d, err := c.Lookup(t.Context(), "peer.i2p")
				results <- result{d, err}
			}()
		}
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.Lookup(impatient, "peer.i2p"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("out of time: %v", err)
		}
		h.asked <- struct{}{} // once
		for range 2 {
			if r := <-results; r.err != nil || r.d != h.peer {
				t.Errorf("%+v", r)
			}
		}
		close(h.asked)
		for name, want := range map[string]error{"x.i2p": ResultKeyNotFound, "x": ResultInvalidKey, "a b": ResultInvalidKey, "": ResultInvalidKey} {
			if _, err := c.Lookup(t.Context(), name); !errors.Is(err, want) {
				t.Errorf("%q: %v, want %v", name, err, want)
			}
		}
		if d, err := c.Lookup(t.Context(), "ME"); err != nil || d != h.dest {
			t.Errorf("ME: %v, %v", d, err)
		}
		c.Close()
		if _, err := c.Lookup(t.Context(), "peer.i2p"); !errors.Is(err, ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
}

func TestClientRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFakeHost(t)
		s := newTestServer(t, h)
		cfg := ClientConfig{ID: "a", Dial: func(context.Context) (net.Conn, error) { return dial(s), nil }}
		connect(t, s, cfg)
		if _, err := Dial(t.Context(), cfg); !errors.Is(err, ResultDuplicatedID) {
			t.Errorf("same ID: %v", err)
		}
		cfg.ID, cfg.Destination = "", newDestination(t).Base64()
		if _, err := Dial(t.Context(), cfg); !errors.Is(err, ResultInvalidKey) {
			t.Errorf("other Destination: %v", err)
		}
		h.down.Store(true)
		if _, err := Dial(t.Context(), cfg); !errors.Is(err, ResultI2PError) || !strings.Contains(err.Error(), "the router is down") {
			t.Errorf("router down: %v", err)
		}
		cfg.Dial = func(context.Context) (net.Conn, error) { return nil, io.ErrUnexpectedEOF }
		if _, err := Dial(t.Context(), cfg); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("dial: %v", err)
		}
		here, there := net.Pipe() // silent
		defer there.Close()
		cfg.Dial = func(context.Context) (net.Conn, error) { return here, nil }
		if _, err := Dial(t.Context(), cfg); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("silent: %v", err)
		}
	})
}

// The server says why a session ends; the client passes that on at once.
func TestClientToldOfEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, newFakeHost(t))
		c := connect(t, s, ClientConfig{})
		if c.Err() != nil {
			t.Error(c.Err())
		}
		started := time.Now()
		s.CloseSessions("the router died")
		<-c.Done()
		if err := c.Err(); !errors.Is(err, ResultI2PError) || !strings.Contains(err.Error(), "the router died") || time.Since(started) > 0 {
			t.Errorf("%v after %v", err, time.Since(started))
		}
		synctest.Wait()
		if err := c.Send(Packet{Peer: c.dest, Data: []byte("x")}); !errors.Is(err, ErrClosed) {
			t.Errorf("send: %v", err)
		}
	})
}

// Answers to PING keep an idle session alive.
func TestIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := connect(t, newTestServer(t, newFakeHost(t)), ClientConfig{})
		time.Sleep(time.Hour) // the bubble's clock
		if c.Err() != nil {
			t.Error(c.Err())
		}
	})
}

// Nothing answers after the session is there: the client must say so between
// PingTimeout and PingTimeout + PingInterval, even when its writes block.
func TestHangDetected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		defer there.Close()
		go func() {
			r := NewReader(there)
			r.Line()
			io.WriteString(there, "HELLO REPLY RESULT=OK VERSION=3.3\n")
			r.Line()
			io.WriteString(there, "SESSION STATUS RESULT=OK DESTINATION="+newDestination(t).Base64()+"\n")
		}()
		c, err := Dial(t.Context(), ClientConfig{Dial: func(context.Context) (net.Conn, error) { return here, nil }})
		if err != nil {
			t.Fatal(err)
		}
		started := time.Now()
		<-c.Done()
		if took := time.Since(started); !errors.Is(c.Err(), ErrHung) || took < 2*time.Second || took > 2100*time.Millisecond {
			t.Errorf("%v after %v", c.Err(), took)
		}
		c.Close()
	})
}

func TestClientFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFakeHost(t)
		h.sent = make(chan Packet) // blocks: the server reads no more
		s := newTestServer(t, h)
		c := connect(t, s, ClientConfig{QueueLimit: 10000})
		p := Packet{Peer: h.peer, Data: make([]byte, 1000)}
		var err error
		sent := 0
		for ; err == nil; sent++ {
			err = c.Send(p)
		}
		if err != ErrFull || sent < 5 {
			t.Errorf("%v after %d", err, sent)
		}
		go func() {
			for range h.sent {
			}
		}()
		c.Close()
		s.Close()
		close(h.sent)
	})
}

// Close sends what is queued.
// A slowHost takes its time, as on a machine that is busy.
type slowHost struct{ *fakeHost }

func (h slowHost) Send(p Packet) error {
	time.Sleep(time.Millisecond)
	return h.fakeHost.Send(p)
}

// After Close all has been passed on.
func TestClientCloseFlushes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFakeHost(t)
		c := connect(t, newTestServer(t, slowHost{h}), ClientConfig{})
		for range 50 {
			c.Send(Packet{Peer: h.peer, Data: []byte("x")})
		}
		c.Close()
		if len(h.sent) != 50 || !errors.Is(c.Err(), ErrClosed) {
			t.Errorf("%d arrived, %v", len(h.sent), c.Err())
		}
	})
}

func FuzzClient(f *testing.F) {
	f.Add([]byte("RAW RECEIVED SIZE=2 FROM_PORT=1 TO_PORT=2 PROTOCOL=6\nxxRAW STATUS ID=1 RESULT=OK\nPING x\nNAMING REPLY RESULT=OK NAME=a VALUE=b\n"))
	f.Add([]byte("SESSION STATUS RESULT=I2P_ERROR MESSAGE=\"x\"\n"))
	public := newDestination(f).Base64()
	f.Fuzz(func(t *testing.T, input []byte) {
		c := clientOf(t, public, input)
		<-c.Done()
		c.Close()
	})
}

// What a server may not send ends the session with an error that says so.
func TestClientBadServer(t *testing.T) {
	for name, test := range map[string]struct {
		input string
		want  error
	}{
		"no size":       {"RAW RECEIVED FROM_PORT=1\n", ErrSyntax},
		"great size":    {"RAW RECEIVED SIZE=70000\n", ErrSyntax},
		"bad port":      {"RAW RECEIVED SIZE=1 TO_PORT=x\nx", ErrSyntax},
		"cut short":     {"RAW RECEIVED SIZE=2\nx", io.ErrUnexpectedEOF},
		"bad ID":        {"RAW STATUS ID=x\n", ErrSyntax},
		"not SAM":       {"\xff\n", ErrSyntax},
		"long line":     {strings.Repeat("x", MaxLine) + "\n", ErrLineTooLong},
		"later version": {"NEWS ITEM A=1\nSESSION STATUS RESULT=OK\nSESSION STATUS RESULT=TIMEOUT\n", ResultTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := clientOf(t, newDestination(t).Base64(), []byte(test.input))
				<-c.Done()
				if !errors.Is(c.Err(), test.want) {
					t.Errorf("%v, want %v", c.Err(), test.want)
				}
				c.Close()
			})
		})
	}
}

// clientOf attaches a client to a server that then sends input and closes.
func clientOf(t *testing.T, public string, input []byte) *PacketClient {
	t.Helper()
	here, there := net.Pipe()
	go func() {
		r := NewReader(there)
		r.Line()
		io.WriteString(there, "HELLO REPLY RESULT=OK VERSION=3.3\n")
		r.Line()
		io.WriteString(there, "SESSION STATUS RESULT=OK DESTINATION="+public+"\n")
		go io.Copy(io.Discard, there)
		there.Write(input)
		there.Close()
	}()
	c, err := Dial(t.Context(), ClientConfig{Dial: func(context.Context) (net.Conn, error) { return here, nil }})
	if err != nil {
		t.Fatal(err)
	}
	return c
}
