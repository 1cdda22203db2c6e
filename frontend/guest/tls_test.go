package guest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/onelease/onelease/internal/memconn"
	"github.com/onelease/onelease/internal/pki"
)

// TestTLS: a backend of the cluster gets in, and nobody else does.
func TestTLS(t *testing.T) {
	ca, foreign := newCA(t), newCA(t)
	creds := node(t, ca, pki.Frontend, "router-1")
	s := newSite(t, func(c *ServerConfig) {
		c.TLS = pki.DemandTLS(creds, []pki.Role{pki.Backend}, ALPN)
		c.BackendName = func(cert *x509.Certificate) (string, error) {
			id, err := pki.IdentityOf(cert)
			return id.Name, err
		}
	})
	ln := memconn.Listen("guests")
	defer s.running(func(ctx context.Context) {
		if err := s.server.Serve(ctx, ln); err != nil {
			t.Error(err)
		}
	})()
	for _, test := range []struct {
		name string
		tls  *tls.Config
		ok   bool
	}{
		{"backend", pki.ClientTLS(node(t, ca, pki.Backend, "sam-1"), pki.Frontend, "router-1"), true},
		{"backend that wants another frontend", pki.ClientTLS(node(t, ca, pki.Backend, "sam-1"), pki.Frontend, "router-2"), false},
		{"frontend", pki.ClientTLS(node(t, ca, pki.Frontend, "router-2"), pki.Frontend, ""), false},
		{"operator", pki.ClientTLS(node(t, ca, pki.Operator, "anna"), pki.Frontend, ""), false},
		{"backend of another cluster", blunt(pki.ClientTLS(node(t, foreign, pki.Backend, "sam-1"), pki.Frontend, "")), false},
		{"nobody", &tls.Config{InsecureSkipVerify: true}, false},
	} {
		t.Run(test.name, func(t *testing.T) { s.tries(t, ln, test.tls, test.ok) })
	}
	if status := s.server.Status(); status.Guests != 0 || status.Refused < 5 {
		t.Errorf("status %+v", status)
	}
}

// tries connects with that certificate.
func (s *site) tries(t *testing.T, ln *memconn.Listener, secure *tls.Config, ok bool) {
	t.Helper()
	c, err := NewClient(ClientConfig{Name: "router-1", Dial: ln.Dial, TLS: secure, Logger: s.logger()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.running(c.Run)()
	if !ok {
		until(t, "it is refused", func() bool { return c.Status().Error != nil && c.Status().Error != errNotConnected })
		if c.Status().Connected {
			t.Error("it is connected")
		}
		return
	}
	v := s.visit(c, Config{Member: true})
	v.greets(t)
	v.stop()
}

// TestOtherPort: TLS that speaks something else is no port for guests, at either end.
func TestOtherPort(t *testing.T) {
	ca := newCA(t)
	s := newSite(t, nil)
	ln := memconn.Listen("SAM")
	secured := tls.NewListener(ln, pki.DemandTLS(node(t, ca, pki.Frontend, "router-1"), []pki.Role{pki.Backend}))
	stop := s.running(func(ctx context.Context) {
		defer context.AfterFunc(ctx, func() { secured.Close() })()
		for {
			conn, err := secured.Accept()
			if err != nil {
				return
			}
			_ = conn.(*tls.Conn).Handshake()
			defer conn.Close()
		}
	})
	defer stop()
	c, err := NewClient(ClientConfig{
		Name: "router-1", Dial: ln.Dial, TLS: pki.ClientTLS(node(t, ca, pki.Backend, "sam-1"), pki.Frontend, ""), Logger: s.logger(),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.running(c.Run)()
	until(t, "it says so", func() bool { return errors.Is(c.Status().Error, errOtherPort) })
}

// blunt takes any server, so that it is that which must refuse.
func blunt(c *tls.Config) *tls.Config {
	c.VerifyConnection = nil
	return c
}

// TestSilence: those who do not shake hands do not keep out who does.
func TestSilence(t *testing.T) {
	creds := node(t, newCA(t), pki.Frontend, "router-1")
	s := newSite(t, func(c *ServerConfig) {
		c.TLS = pki.DemandTLS(creds, []pki.Role{pki.Backend}, ALPN)
		c.BackendName = func(*x509.Certificate) (string, error) { return "sam-1", nil }
	})
	ln := memconn.Listen("guests")
	stop := s.running(func(ctx context.Context) { _ = s.server.Serve(ctx, ln) })
	var first net.Conn
	for range 600 {
		conn, err := ln.Dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if first == nil {
			first = conn
		}
	}
	first.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := first.Read(make([]byte, 1)); err == nil || strings.Contains(err.Error(), "timeout") {
		t.Errorf("the first of 600 silent ones: %v", err)
	}
	stop()
}

func newCA(t testing.TB) *pki.CA {
	t.Helper()
	ca, err := pki.NewCA(pki.NewCluster())
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func node(t testing.TB, ca *pki.CA, role pki.Role, name string) *pki.Reloader {
	t.Helper()
	key, err := pki.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(pki.Identity{Cluster: ca.Cluster(), Role: role, Name: name}, key.Public(), 0, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	creds, err := pki.NewCredentials(key, cert, ca.CertPEM())
	if err != nil {
		t.Fatal(err)
	}
	return pki.Static(creds)
}
