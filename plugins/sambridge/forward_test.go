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
	"testing"
	"time"

	"github.com/onelease/onelease/internal/memconn"
)

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
