package test

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/i2cp"
	"github.com/onelease/onelease/internal/memconn"
)

// fakeSession is the session that a fake router makes.
const fakeSession = 7

// A fakeRouter answers I2CP clients with what it is told to, one after the
// other. It makes a session first if it is told to.
type fakeRouter struct {
	mu      sync.Mutex
	session bool
	says    []byte
	hangsUp bool // after that
	served  int  // clients that got it
	conns   []net.Conn
}

// next is what the next client gets.
func (r *fakeRouter) next(session bool, says []byte, hangsUp bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.session, r.says, r.hangsUp, r.served = session, says, hangsUp, 0
}

// hangUp ends the connections that there are.
func (r *fakeRouter) hangUp() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, conn := range r.conns {
		conn.Close()
	}
	r.conns = nil
}

func (r *fakeRouter) hasServed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.served > 0
}

// dial connects to it.
func (r *fakeRouter) dial(context.Context) (net.Conn, error) {
	client, server := memconn.Pair("fake router")
	r.mu.Lock()
	defer r.mu.Unlock()
	session, says, hangsUp := r.session, r.says, r.hangsUp
	r.served++
	r.conns = append(r.conns, server)
	go func() {
		defer server.Close()
		if session && !makeSession(server) {
			return
		}
		server.Write(says)
		if !hangsUp {
			io.Copy(io.Discard, server)
		}
	}()
	return client, nil
}

// makeSession answers up to the session.
func makeSession(conn net.Conn) bool {
	frames := i2cp.NewFrameReader(conn)
	if frames.ReadProtocolByte() != nil {
		return false
	}
	for {
		kind, _, err := frames.Next()
		var answer []byte
		switch {
		case err != nil:
			return false
		case kind == i2cp.TypeGetDate:
			answer, _ = i2cp.SetDate{Date: time.Now(), Version: "0.9.66"}.AppendFrame(nil)
		case kind == i2cp.TypeCreateSession:
			answer, _ = i2cp.SessionStatus{Session: fakeSession, State: i2cp.SessionCreated}.AppendFrame(nil)
		}
		if _, err := conn.Write(answer); err != nil {
			return false
		}
		if kind == i2cp.TypeCreateSession {
			return true
		}
	}
}

// frame has a header that says size, and so much of a body.
func frame(kind i2cp.MessageType, size uint32, body []byte) []byte {
	b := []byte{byte(size >> 24), byte(size >> 16), byte(size >> 8), byte(size), byte(kind)}
	return append(b, body...)
}

// message is a whole MessagePayload with that payload.
func message(payload []byte) []byte {
	b, _ := i2cp.MessagePayload{Session: fakeSession, ID: 1, Payload: payload}.AppendFrame(nil)
	return b
}

// bomb is a gzip of 30 MB in 30 KB.
func bomb() []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(make([]byte, 30<<20))
	w.Close()
	return b.Bytes()
}

// TestBadRouter has a frontend of its own, attached to the balancer, whose
// router does not speak I2CP as it should. The frontend has to say what is
// wrong, and works as soon as its router does.
func TestBadRouter(t *testing.T) {
	noise := make([]byte, 1<<20)
	rand.NewChaCha8([32]byte{}).Read(noise)
	whileServing(t, func(v *target) {
		router := &fakeRouter{}
		router.next(false, nil, true)
		f, stop := v.startFrontend(router)
		defer stop()
		for _, test := range []struct {
			name    string
			session bool
			says    []byte
			hangsUp bool
			want    string // in RouterError; empty: the session stays
		}{
			{"hangs up", false, nil, true, "ended the connection"},
			{"says nothing", false, nil, false, "does not answer"},
			{"noise", false, noise, false, "too big"},
			{"HTTP", false, []byte("HTTP/1.1 400 Bad Request\r\n\r\n"), true, "too big"},
			{"a frame of 4 GB", false, frame(i2cp.TypeSetDate, 1<<32-1, nil), false, "body of 4294967295 bytes"},
			{"a frame cut short", false, frame(i2cp.TypeSetDate, 100, []byte("short")), true, "ended the connection"},
			{"a date of 2 bytes", false, frame(i2cp.TypeSetDate, 2, []byte("xx")), false, "not I2CP"},
			{"a frame over the limit", true, frame(i2cp.TypeMessagePayload, 65536, make([]byte, 65536)), false, "body of 65536 bytes"},
			{"noise in a session", true, noise, false, "too big"},
			{"a message cut short", true, frame(i2cp.TypeMessagePayload, 60000, make([]byte, 1000)), true, "ended the connection"},
			{"a reason of 255 bytes", true, reason(strings.Repeat("x", 255)), true, "xxx"},
			{"garbage of every type", true, allTypes(noise), false, ""},
			{"empty frames", true, bytes.Repeat(frame(i2cp.TypeMessagePayload, 0, nil), 1000), false, ""},
			{"messages of garbage", true, bytes.Repeat(message(noise[:60000]), 100), false, ""},
			{"gzip bombs", true, bytes.Repeat(message(bomb()), 20), false, ""},
			{"a tunnel list cut short", true, frame(i2cp.TypeRequestVariableLeaseSet, 3, []byte{0, fakeSession, 16}), false, ""},
			{"tunnels of another session", true, tunnelList(fakeSession+1, 3), false, ""},
		} {
			router.next(test.session, test.says, test.hangsUp)
			router.hangUp()
			v.until(test.name, router.hasServed)
			time.Sleep(11 * time.Second) // a router has 10 s to answer
			s := f.Status()
			if s.RouterUp != (test.want == "") || !strings.Contains(s.RouterError, test.want) || len(s.RouterError) > 600 || len(s.Pool) > 0 {
				t.Errorf("%s: %+v, want %q", test.name, s, test.want)
			}
		}
	})
}

// startFrontend starts a member at router.
func (v *target) startFrontend(router *fakeRouter) (f *frontend.Frontend, stop func()) {
	v.t.Helper()
	f, err := frontend.New(frontend.Config{
		Name:    "fake",
		Member:  true,
		Router:  frontend.RouterConfig{Dial: router.dial},
		Control: frontend.ControlConfig{Balancers: []string{"balancer"}, Dial: v.dialBalancer},
		Logger:  v.logger(),
	})
	if err != nil {
		v.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := f.Run(ctx); err != nil {
			v.t.Errorf("Run: %v", err)
		}
	})
	return f, func() { cancel(); running.Wait() }
}

func reason(text string) []byte {
	b, _ := i2cp.Disconnect{Reason: text}.AppendFrame(nil)
	return b
}

// allTypes has a frame of each type with a body that is none of it. Without
// those that end a session.
func allTypes(noise []byte) []byte {
	var b []byte
	for kind := range 256 {
		if k := i2cp.MessageType(kind); k != i2cp.TypeDisconnect && k != i2cp.TypeSessionStatus {
			b = append(b, frame(k, 300, noise[kind*300:][:300])...)
		}
	}
	return b
}

func tunnelList(session uint16, count int) []byte {
	m := i2cp.RequestVariableLeaseSet{Session: session}
	for i := range count {
		m.Leases = append(m.Leases, i2p.Lease{Gateway: i2p.Hash{9}, Tunnel: uint32(i), End: time.Date(2000, 1, 1, 0, 10, 0, 0, time.UTC)})
	}
	b, _ := m.AppendFrame(nil)
	return b
}
