package sambridge

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/memconn"
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

func TestStreamForward(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		server := memconn.Listen("server")
		defer server.Close()
		w.bridge.dialServer = func(ctx context.Context, _, addr string) (net.Conn, error) {
			if addr != "127.0.0.1:80" {
				t.Errorf("dials %s", addr)
			}
			return server.Dial(ctx)
		}
		w.session("STYLE=STREAM ID=b")
		w.session("STYLE=STREAM ID=a")
		for _, silent := range []string{"false", "true"} {
			forward := w.hello()
			forward.talk("STREAM FORWARD ID=b PORT=80 SILENT="+silent, "STREAM STATUS RESULT=OK")
			out := w.stream("a", w.of("b"))
			nc, err := server.Accept()
			if err != nil {
				t.Fatal(err)
			}
			in := newClient(t, nc)
			if silent == "false" {
				in.hears(w.of("a") + " FROM_PORT=0 TO_PORT=0\n")
			}
			out.reaches(in, "question")
			in.reaches(out, "answer")
			in.CloseWrite()
			out.ends()
			out.Close()
			in.ends()
			in.Close()
			forward.Close()
			w.until("shut", func() bool { return w.doorOf("b").shut })
		}
		server.Close()
		forward := w.hello()
		forward.talk("STREAM FORWARD ID=b PORT=80", "STREAM STATUS RESULT=OK")
		refused := w.hello()
		refused.say("STREAM CONNECT ID=a DESTINATION=" + w.of("b"))
		refused.breaks()
		if n := w.bridge.Status().ForwardsFailed; n != 1 {
			t.Errorf("%d forwards failed", n)
		}
	})
}

func TestForwardHosts(t *testing.T) {
	for _, tt := range []struct {
		source, host, want string
		local, anywhere    bool
	}{
		{"127.0.0.1", "", "127.0.0.1", true, false},
		{"", "", "127.0.0.1", true, false},
		{"127.0.0.1", "localhost", "localhost", true, false},
		{"127.0.0.1", "::1", "::1", true, false},
		{"127.0.0.1", "10.0.0.1", "", true, false},
		{"127.0.0.1", "router.lan", "", true, false},
		{"10.0.0.1", "", "10.0.0.1", false, false},
		{"10.0.0.1", "10.0.0.1", "10.0.0.1", false, false},
		{"10.0.0.1", "127.0.0.1", "", false, false},
		{"10.0.0.1", "localhost", "", false, false},
		{"10.0.0.1", "127.0.0.1", "127.0.0.1", false, true},
	} {
		c := &conn{b: &Bridge{cfg: Config{ForwardAnywhere: tt.anywhere}}, source: tt.source, local: tt.local}
		if got, err := c.forwardHost(tt.host); got != tt.want || (err != nil) != (tt.want == "") {
			t.Errorf("%+v: %q, %v", tt, got, err)
		}
	}
}

// With SSL=true the server's certificate is checked.
func TestStreamForwardTLS(t *testing.T) {
	certificate, pool := certificateFor(t, "127.0.0.1")
	server, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{certificate}})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	w := newWorld(t, func(c *Config) { c.ForwardTLS = &tls.Config{RootCAs: pool} })
	w.session("STYLE=STREAM ID=b")
	w.session("STYLE=STREAM ID=a")
	forward := w.hello()
	forward.talk(fmt.Sprint("STREAM FORWARD ID=b SSL=true SILENT=true PORT=", server.Addr().(*net.TCPAddr).Port), "STREAM STATUS RESULT=OK")
	go func() {
		nc, err := server.Accept()
		if err == nil {
			io.Copy(nc, nc)
			nc.Close()
		}
	}()
	out := w.stream("a", w.of("b"))
	out.reaches(out, "there and back")
	out.CloseWrite()
	out.ends()
}

// certificateFor makes a certificate for an address, and who trusts it.
func certificateFor(t *testing.T, ip string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.ParseIP(ip)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
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
		remote := w.network.Remote() // publishes, and listens nowhere
		defer remote.Close()
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
