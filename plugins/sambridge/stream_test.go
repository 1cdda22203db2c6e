package sambridge

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p"
)

// Two sessions of a bridge, and a stream between them, over TCP.
func TestStream(t *testing.T) {
	w := newWorld(t, nil)
	w.session("STYLE=STREAM ID=b")
	w.session("STYLE=STREAM ID=a")
	in, out := w.accept("b"), w.hello()
	out.talk("STREAM CONNECT ID=a DESTINATION="+w.of("b")+" FROM_PORT=5 TO_PORT=6", "STREAM STATUS RESULT=OK")
	if line := in.line(); line != w.of("a")+" FROM_PORT=5 TO_PORT=6" {
		t.Errorf("ACCEPT got %q", line)
	}
	out.reaches(in, "question")
	in.reaches(out, "answer")
	in.CloseWrite()
	out.ends()
	out.reaches(in, "more")
	out.CloseWrite()
	in.ends()
}

// A reset of one side is one of the other, over TCP.
func TestStreamReset(t *testing.T) {
	w := newWorld(t, nil)
	w.session("STYLE=STREAM ID=b")
	in := w.accept("b")
	w.session("STYLE=STREAM ID=a")
	out := w.stream("a", w.of("b"))
	in.line()
	out.Conn.(*net.TCPConn).SetLinger(0)
	out.Close()
	in.breaks()
}

// What a client says behind its command is the stream's, as is what it says before its end.
func TestStreamEarlyData(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.session("STYLE=STREAM ID=b")
		in := w.hello()
		in.say("STREAM ACCEPT ID=b SILENT=true\nearly ")
		w.session("STYLE=STREAM ID=a")
		w.until("open", func() bool { return w.bridge.sessions.find("", "b").published.Load() })
		out := w.hello()
		out.say("STREAM CONNECT ID=a SILENT=true DESTINATION=" + w.of("b") + "\nfirst ")
		out.hears("early \n")
		in.hears("first \n")
		in.reaches(out, strings.Repeat("much ", 100_000))
		out.Close()
		in.ends()
	})
}

// What a remote says along with its consent comes behind the answer to CONNECT, not with it,
// unless the client has spoken.
func TestStreamAnswerComesAlone(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.session("STYLE=STREAM ID=b")
		w.session("STYLE=STREAM ID=a")
		for _, speaks := range []bool{false, true} {
			in := w.hello()
			in.say("STREAM ACCEPT ID=b SILENT=true\nwelcome\n")
			w.until("open", func() bool { return w.bridge.sessions.find("", "b").published.Load() })
			out := w.stream("a", w.of("b"))
			answered := time.Now()
			if speaks {
				out.say("first")
			}
			if got := out.line(); got != "welcome" {
				t.Errorf("hears %q", got)
			}
			if took := time.Since(answered); speaks != (took < answerTime) {
				t.Errorf("the client speaks %v: hears the remote after %v", speaks, took)
			}
			out.Close()
			in.Close()
		}
	})
}

func TestStreamPorts(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.session("STYLE=STREAM ID=b")
		w.session("STYLE=STREAM ID=a FROM_PORT=11 TO_PORT=22")
		in := w.accept("b")
		w.stream("a", w.of("b"))
		if line := in.line(); !strings.HasSuffix(line, " FROM_PORT=11 TO_PORT=22") {
			t.Errorf("the session's ports: %q", line)
		}
		old := w.connect()
		old.talk("HELLO VERSION MIN=3.0 MAX=3.1", "HELLO REPLY RESULT=OK VERSION=3.1")
		old.talk("STREAM ACCEPT ID=b", "STREAM STATUS RESULT=OK")
		w.stream("a", w.of("b"))
		if line := old.line(); line != w.of("a") {
			t.Errorf("before 3.2: %q", line)
		}
	})
}

// Streams go to those who wait in their order; they queue while nobody does, and a
// waiter that has gone gets none.
func TestStreamAccepts(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.session("STYLE=STREAM ID=b")
		w.session("STYLE=STREAM ID=a")
		to := w.of("b")
		gone, one, two := w.accept("b"), w.accept("b"), w.accept("b")
		gone.Close()
		w.until("gone", func() bool { return w.doorOf("b").waits == 2 })
		for i, in := range []*client{one, two} {
			out := w.stream("a", to)
			in.line()
			out.reaches(in, fmt.Sprint("stream ", i))
		}
		queued := w.stream("a", to)
		late := w.accept("b")
		late.line()
		queued.reaches(late, "it waited")

		forgotten := w.stream("a", to)
		time.Sleep(2 * time.Minute)
		forgotten.breaks()
		if n := w.bridge.Status().RefusedStreams; n != 1 {
			t.Errorf("%d streams refused", n)
		}
	})
}

func TestStreamExclusion(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.session("STYLE=STREAM ID=b")
		in := w.accept("b")
		forward := w.hello()
		forward.talk("STREAM FORWARD ID=b PORT=1", "STREAM STATUS RESULT=I2P_ERROR MESSAGE=*")
		forward.ends()
		old := w.connect()
		old.talk("HELLO VERSION MAX=3.1", "HELLO REPLY RESULT=OK VERSION=3.1")
		old.talk("STREAM ACCEPT ID=b", "STREAM STATUS RESULT=ALREADY_ACCEPTING MESSAGE=*")
		in.Close()
		w.until("gone", func() bool { return w.doorOf("b").waits == 0 })
		forward = w.hello()
		forward.talk("STREAM FORWARD ID=b PORT=1", "STREAM STATUS RESULT=OK")
		forward.talk("PING alive", "PONG alive")
		another := w.hello()
		another.talk("STREAM FORWARD ID=b PORT=1", "STREAM STATUS RESULT=I2P_ERROR MESSAGE=*")
		other := w.hello()
		other.talk("STREAM ACCEPT ID=b", "STREAM STATUS RESULT=ALREADY_ACCEPTING MESSAGE=*")
		forward.Close()
		w.until("shut", func() bool { return w.doorOf("b").shut })
		w.accept("b")
	})
}

// Each failure of a CONNECT has its result.
func TestStreamConnectFails(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.session("STYLE=STREAM ID=a")
		w.session("STYLE=STREAM ID=shut")
		w.session("STYLE=PRIMARY ID=p")
		nobody, err := i2p.GenerateKeys()
		if err != nil {
			t.Fatal(err)
		}
		deaf, dead := w.network.Remote(), w.network.Remote() // the first listens nowhere
		defer deaf.Close()
		defer dead.Close()
		w.until("published", func() bool { return deaf.Ready() && dead.Ready() })
		time.Sleep(10 * time.Second)
		dead.Router().Kill()
		for _, tt := range []struct{ words, want string }{
			{"ID=a DESTINATION=rubbish", "INVALID_KEY"},
			{"ID=a", "INVALID_KEY"},
			{"ID=a DESTINATION=" + strings.Repeat("!", 516), "INVALID_KEY"},
			{"ID=a DESTINATION=unknown.i2p", "INVALID_KEY"},
			{"ID=a DESTINATION=" + strings.Repeat("a", 60) + ".b32.i2p", "INVALID_KEY"},
			{"ID=a DESTINATION=" + nobody.Destination.Base32(), "PEER_NOT_FOUND"},
			{"ID=a DESTINATION=" + nobody.Destination.Base64(), "CANT_REACH_PEER"},
			{"ID=a FROM_PORT=x DESTINATION=x.i2p", "I2P_ERROR"},
			{"ID=a TO_PORT=70000 DESTINATION=x.i2p", "I2P_ERROR"},
			{"ID=a i2p.streaming.connectTimeout=x DESTINATION=x.i2p", "I2P_ERROR"},
			{"ID=a i2p.streaming.connectTimeout=2000 DESTINATION=" + dead.Destination().Base64(), "TIMEOUT"},
			{"ID=a DESTINATION=" + deaf.Destination().Base64(), "CANT_REACH_PEER"},
			{"ID=p DESTINATION=x.i2p", "I2P_ERROR"},
			{"ID=A DESTINATION=x.i2p", "INVALID_ID"},
		} {
			c := w.hello()
			c.talk("STREAM CONNECT "+tt.words, "STREAM STATUS RESULT="+tt.want+" MESSAGE=*")
			c.ends()
			silent := w.hello()
			silent.say("STREAM CONNECT SILENT=true " + tt.words)
			silent.ends()
		}
		if n := w.bridge.Status().Streams; n != 0 {
			t.Errorf("%d streams are left", n)
		}
	})
}
