package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"testing"
	"time"

	"github.com/onelease/onelease/internal/memconn"
	"github.com/onelease/onelease/internal/pki"
)

// TestBackendTLS lets in backends of the cluster, and where guests may come those too.
func TestBackendTLS(t *testing.T) {
	ca, foreign := newCA(t), newCA(t)
	server, guests := backendTLS(credentialsOf(t, ca, pki.Frontend)), guestTLS(credentialsOf(t, ca, pki.Frontend))
	for _, test := range []struct {
		name   string
		client *tls.Config
		ok     bool
		guest  bool
	}{
		{"backend", pki.ClientTLS(credentialsOf(t, ca, pki.Backend), pki.Frontend, ""), true, true},
		{"guest", pki.ClientTLS(credentialsOf(t, ca, pki.Guest), pki.Frontend, ""), false, true},
		{"operator", pki.ClientTLS(credentialsOf(t, ca, pki.Operator), pki.Frontend, ""), false, false},
		{"of another cluster", insecure(pki.ClientTLS(credentialsOf(t, foreign, pki.Backend), pki.Frontend, "")), false, false},
		{"guest of another cluster", insecure(pki.ClientTLS(credentialsOf(t, foreign, pki.Guest), pki.Frontend, "")), false, false},
		{"no certificate", &tls.Config{InsecureSkipVerify: true}, false, false},
	} {
		if err := shake(t, server, test.client); (err == nil) != test.ok {
			t.Errorf("%s: error %v", test.name, err)
		}
		if err := shake(t, guests, test.client); (err == nil) != test.guest {
			t.Errorf("%s as a guest: error %v", test.name, err)
		}
	}
}

// A backend's name is that of its certificate.
func TestBackendName(t *testing.T) {
	key, err := pki.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	ca := newCA(t)
	raw, err := ca.Issue(pki.Identity{Cluster: ca.Cluster(), Role: pki.Backend, Name: "web-1"}, key.Public(), time.Hour, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(raw)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if name, err := backendName(cert); err != nil || name != "web-1" {
		t.Errorf("%q, %v", name, err)
	}
	if name, err := backendName(&x509.Certificate{}); err == nil {
		t.Errorf("of no identity: %q", name)
	}
}

// shake returns the server's error.
func shake(t *testing.T, server, client *tls.Config) error {
	t.Helper()
	ln := memconn.Listen("frontend")
	defer ln.Close()
	result := make(chan error, 1)
	go func() {
		conn, err := ln.Accept()
		if err == nil {
			err = tls.Server(conn, server).Handshake()
			conn.Close()
		}
		result <- err
	}()
	conn, err := ln.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = tls.Client(conn, client).Handshake()
	return <-result
}

func insecure(c *tls.Config) *tls.Config {
	c.VerifyConnection = nil
	return c
}

func newCA(t *testing.T) *pki.CA {
	t.Helper()
	ca, err := pki.NewCA(pki.NewCluster())
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func credentialsOf(t *testing.T, ca *pki.CA, role pki.Role) *pki.Reloader {
	t.Helper()
	key, err := pki.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(pki.Identity{Cluster: ca.Cluster(), Role: role, Name: "x"}, key.Public(), time.Hour, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	c, err := pki.NewCredentials(key, cert, ca.CertPEM())
	if err != nil {
		t.Fatal(err)
	}
	return pki.Static(c)
}
