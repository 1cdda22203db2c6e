package sambridge

import (
	"bytes"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/i2p"
)

// An ID and a Destination are in use once, and free again at the end of their session.
func TestSessionNames(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		first := w.hello()
		keys := first.session("STYLE=STREAM ID=a")
		first.talk("SESSION CREATE STYLE=STREAM ID=b DESTINATION=TRANSIENT", "SESSION STATUS RESULT=I2P_ERROR MESSAGE=*")
		second := w.hello()
		second.talk("SESSION CREATE STYLE=STREAM ID=a DESTINATION=TRANSIENT", "SESSION STATUS RESULT=DUPLICATED_ID MESSAGE=*")
		second.talk("SESSION CREATE STYLE=STREAM ID=b DESTINATION="+keys, "SESSION STATUS RESULT=DUPLICATED_DEST MESSAGE=*")
		first.talk("QUIT", "QUIT STATUS RESULT=OK MESSAGE=bye")
		if got := second.session("STYLE=STREAM ID=a DESTINATION=" + keys); got != keys {
			t.Error("the answer has another private key")
		}
		second.talk("STREAM CONNECT ID=a DESTINATION=x.i2p", "STREAM STATUS RESULT=I2P_ERROR MESSAGE=*")
		second.ends()
		w.until("gone", func() bool { return w.hosting.Destinations() == 0 })
	})
}

// Keys of any type that the routers take, and what the answer has of them.
func TestSessionKeys(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		for words, want := range map[string]i2p.SigType{
			"ID=a":                                  i2p.SigEd25519,
			"ID=b SIGNATURE_TYPE=7":                 i2p.SigEd25519,
			"ID=c SIGNATURE_TYPE=ecdsa_sha256_p256": i2p.SigECDSAP256,
		} {
			text := w.hello().session("STYLE=STREAM " + words)
			keys, err := i2p.ParseKeysBase64(text)
			if err != nil || keys.Destination.SigType() != want {
				t.Errorf("%s: %v, %v", words, keys, err)
			}
		}
	})
}

// With its connection a session ends, and all that belongs to it. What its client has
// written to streams still arrives.
func TestSessionEnds(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		b := w.session("STYLE=STREAM ID=b")
		waiting := w.accept("b")
		in := w.accept("b")
		w.session("STYLE=STREAM ID=a")
		one, two := w.stream("a", w.of("b")), w.stream("a", w.of("b"))
		waiting.line()
		in.line()
		pending, forwarding := w.accept("b"), w.hello()
		forwarding.talk("STREAM FORWARD ID=b PORT=5", "STREAM STATUS RESULT=I2P_ERROR*")
		waiting.say(strings.Repeat("the rest ", 1000))
		waiting.Close()
		b.Close()
		one.hears(strings.Repeat("the rest ", 1000))
		pending.ends()
		two.breaks()
		in.breaks()
		w.hello().talk("STREAM ACCEPT ID=b", "STREAM STATUS RESULT=INVALID_ID*")
	})
}

// A client that leaves before its session is ready leaves nothing behind.
func TestSessionAbandoned(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		c := w.hello()
		c.say("SESSION CREATE STYLE=STREAM ID=a DESTINATION=TRANSIENT")
		w.until("begun", func() bool { return w.hosting.Destinations() == 1 })
		c.Close()
		w.until("gone", func() bool { return w.hosting.Destinations() == 0 })
		w.session("STYLE=STREAM ID=a")
	})
}

// Where no router is ready in time a client is told so.
func TestSessionWithoutRouters(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		for _, name := range []string{"member-1", "member-2", "publisher"} {
			w.network.Router(name).Kill()
		}
		c := w.hello()
		began := time.Now()
		c.talk("SESSION CREATE STYLE=STREAM ID=a DESTINATION=TRANSIENT", "SESSION STATUS RESULT=I2P_ERROR MESSAGE=\"no router was ready*")
		if took := time.Since(began); took > 4*time.Minute {
			t.Errorf("it took %v", took)
		}
		c.talk("PING", "PONG")
	})
}

// The client of a session that is lost is told.
func TestSessionLost(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		c := w.session("STYLE=STREAM ID=a")
		w.hosting.Close()
		if line := c.line(); !strings.HasPrefix(line, "SESSION STATUS RESULT=I2P_ERROR MESSAGE=") {
			t.Errorf("got %q", line)
		}
		c.ends()
	})
}

func TestQuotas(t *testing.T) {
	inWorld(t, func(c *Config) { c.Limits.Streams = 2; c.Limits.Subsessions = 2 }, func(w *world) {
		w.session("STYLE=STREAM ID=b")
		w.session("STYLE=STREAM ID=a")
		for range 2 {
			in := w.accept("b")
			w.stream("a", w.of("b"))
			in.line()
		}
		c := w.hello()
		c.talk("STREAM CONNECT ID=a DESTINATION="+w.of("b"), "STREAM STATUS RESULT=I2P_ERROR MESSAGE=*")
		p := w.session("STYLE=PRIMARY ID=p")
		p.talk("SESSION ADD STYLE=STREAM ID=1 FROM_PORT=1", "SESSION STATUS RESULT=OK ID=1 MESSAGE=\"ADD 1\"")
		p.talk("SESSION ADD STYLE=STREAM ID=2 FROM_PORT=2", "SESSION STATUS RESULT=OK*")
		p.talk("SESSION ADD STYLE=STREAM ID=3 FROM_PORT=3", "SESSION STATUS RESULT=I2P_ERROR*")
		s := w.bridge.Status()
		if s.Sessions["STREAM"] != 4 || s.Sessions["PRIMARY"] != 1 || s.Streams != 4 || s.Created != 3 {
			t.Errorf("%+v", s)
		}
	})
}

// Java ends clients that do not answer a PING. Here those with a session go on, if they never
// showed that they know it; the others end.
func TestPings(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		idle, answers := w.hello(), w.hello()
		idle.talk("PING", "PONG")
		answers.talk("PING", "PONG")
		session, knows := w.session("STYLE=STREAM ID=a"), w.session("STYLE=STREAM ID=b")
		knows.talk("PING", "PONG")
		old := w.connect()
		old.talk("HELLO VERSION MAX=3.1", "HELLO REPLY RESULT=OK VERSION=3.1")
		old.talk("PING", "PONG")
		began := time.Now()
		for _, c := range []*client{answers, session, knows, idle} {
			if line := c.line(); !strings.HasPrefix(line, "PING ") {
				t.Errorf("got %q", line)
			}
		}
		if took := time.Since(began).Round(time.Second); took != 3*time.Minute {
			t.Errorf("asked after %v", took)
		}
		answers.say("PONG")
		for _, c := range []*client{idle, knows} {
			if line := c.line(); !strings.HasPrefix(line, "SESSION STATUS RESULT=I2P_ERROR MESSAGE=\"no PONG") {
				t.Errorf("got %q", line)
			}
			c.ends()
		}
		time.Sleep(time.Second)
		if line := answers.line(); !strings.HasPrefix(line, "PING ") {
			t.Errorf("got %q", line)
		}
		answers.talk("PING a", "PONG a")
		session.talk("PING b", "PONG b")
		old.talk("PING c", "PONG c")
	})
}

// Who does not begin in time ends, with a reason.
func TestHelloTime(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		mute, half, one := w.connect(), w.connect(), w.hello()
		half.Write([]byte("HELLO VER"))
		for _, c := range []*client{mute, half} {
			if line := c.line(); line != `HELLO REPLY RESULT=I2P_ERROR MESSAGE="no command in 1m0s"` {
				t.Errorf("got %q", line)
			}
			c.ends()
		}
		if line := one.line(); line != `SESSION STATUS RESULT=I2P_ERROR MESSAGE="no command in 1m0s"` {
			t.Errorf("got %q", line)
		}
		one.ends()
	})
}

// A crowd in the door, long lines and rubbish keep nobody out.
func TestCrowd(t *testing.T) {
	inWorld(t, func(c *Config) { c.Limits.Young = 10; c.Limits.Conns = 20 }, func(w *world) {
		var crowd []*client
		greeted := w.hello() // and no command yet
		for range 30 {
			crowd = append(crowd, w.connect())
			synctest.Wait()
		}
		c := w.hello()
		c.talk("PING", "PONG")
		crowd[0].line()
		crowd[0].ends()
		greeted.talk("PING", "PONG")
		if s := w.bridge.Status(); s.Evicted < 20 || s.Conns > 20 {
			t.Errorf("%+v", s)
		}
		long := w.hello()
		if _, err := long.Write([]byte("PING " + strings.Repeat("x", 9000))); err != nil {
			t.Fatal(err)
		}
		if line := long.line(); !strings.HasPrefix(line, "SESSION STATUS RESULT=I2P_ERROR MESSAGE=") {
			t.Errorf("got %.100q", line)
		}
		long.ends()
		for _, rubbish := range []string{"\x00\x01\x02\n", "\n\n\n\xff\n", "=\n", "GET / HTTP/1.1\r\n\r\n"} {
			c := w.connect()
			c.Write([]byte(rubbish))
			if line := c.line(); !strings.HasPrefix(line, "HELLO REPLY RESULT=I2P_ERROR MESSAGE=") {
				t.Errorf("%q: got %.100q", rubbish, line)
			}
			c.ends()
		}
		c.talk("PING", "PONG")
	})
}

// For whom there is no place is told so, and comes in when another has left.
func TestConnsTaken(t *testing.T) {
	inWorld(t, func(c *Config) { c.Limits.Conns = 2 }, func(w *world) {
		first, second := w.hello(), w.hello()
		first.talk("PING", "PONG")
		second.talk("PING", "PONG")
		c := w.connect()
		if line := c.line(); line != `HELLO REPLY RESULT=I2P_ERROR MESSAGE="all 2 connections are taken; close some"` {
			t.Errorf("got %q", line)
		}
		c.ends()
		first.Close()
		synctest.Wait()
		w.hello().talk("PING", "PONG")
		if n := w.bridge.Status().RefusedConns; n != 1 {
			t.Errorf("%d refused", n)
		}
	})
}

// When QUIT is answered the session's ID is free.
func TestQuitFreesTheID(t *testing.T) {
	var bridge *Bridge
	var free []bool // at each answer to QUIT
	overhear := func(cfg *Config) {
		cfg.Listeners[0] = overheard{cfg.Listeners[0], func(line []byte) {
			if bytes.HasPrefix(line, []byte("QUIT STATUS")) {
				free = append(free, bridge.sessions.find("", "a") == nil)
			}
		}}
	}
	inWorld(t, overhear, func(w *world) {
		bridge = w.bridge
		c := w.session("STYLE=STREAM ID=a")
		c.talk("QUIT", "QUIT STATUS RESULT=OK MESSAGE=bye")
		if !slices.Equal(free, []bool{true}) {
			t.Errorf("free when it is answered: %v", free)
		}
	})
}

// An overheard listener's connections tell what the bridge says, before they do.
type overheard struct {
	net.Listener
	said func(line []byte)
}

func (l overheard) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return overheardConn{conn, l.said}, err
}

type overheardConn struct {
	net.Conn
	said func(line []byte)
}

func (c overheardConn) Write(line []byte) (int, error) {
	c.said(line)
	return c.Conn.Write(line)
}
