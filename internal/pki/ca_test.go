package pki

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net"
	"net/url"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestIssuedCertificate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca, key, now := newTestCA(t), newTestKey(t), time.Now()
		id := Identity{ca.Cluster(), Frontend, "f1"}
		issued, err := ca.Issue(id, key.Public(), 0, now)
		if err != nil {
			t.Fatal(err)
		}
		chain, err := decodeCerts(issued)
		if err != nil || len(chain) != 2 || !chain[1].Equal(ca.cert) {
			t.Fatalf("%d certificates, %v; want its own and the CA's", len(chain), err)
		}
		leaf := chain[0]
		if got, err := IdentityOf(leaf); err != nil || got != id {
			t.Errorf("identity %v, %v", got, err)
		}
		if from, to := now.Add(-5*time.Minute), now.Add(DefaultLife); !leaf.NotBefore.Equal(from) || !leaf.NotAfter.Equal(to) {
			t.Errorf("valid from %v to %v, want %v to %v", leaf.NotBefore, leaf.NotAfter, from, to)
		}
		if !slices.Equal(leaf.ExtKeyUsage, usages) || leaf.IsCA || len(leaf.DNSNames)+len(leaf.IPAddresses) > 0 {
			t.Errorf("usages %v, CA %v, names %v %v", leaf.ExtKeyUsage, leaf.IsCA, leaf.DNSNames, leaf.IPAddresses)
		}
	})
}

func TestIssueRefuses(t *testing.T) {
	ca, key, now := newTestCA(t), newTestKey(t), time.Now()
	id := Identity{ca.Cluster(), Frontend, "f1"}
	rsaKey, _ := rsa.GenerateKey(rand.Reader, 2048)
	p384, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	ed, _, _ := ed25519.GenerateKey(rand.Reader)
	for name, c := range map[string]struct {
		id     Identity
		public crypto.PublicKey
		life   time.Duration
		now    time.Time
		want   error
	}{
		"other cluster":  {Identity{NewCluster(), Frontend, "f1"}, key.Public(), 0, now, ErrCluster},
		"no role":        {Identity{ca.Cluster(), "", "f1"}, key.Public(), 0, now, ErrInvalid},
		"no name":        {Identity{ca.Cluster(), Frontend, ""}, key.Public(), 0, now, ErrInvalid},
		"negative life":  {id, key.Public(), -1, now, ErrInvalid},
		"RSA":            {id, rsaKey.Public(), 0, now, ErrInvalid},
		"P-384":          {id, p384.Public(), 0, now, ErrInvalid},
		"Ed25519":        {id, ed, 0, now, ErrInvalid},
		"no key":         {id, nil, 0, now, ErrInvalid},
		"CA has expired": {id, key.Public(), 0, ca.Expires(), ErrExpired},
	} {
		if cert, err := ca.Issue(c.id, c.public, c.life, c.now); !errors.Is(err, c.want) || cert != nil {
			t.Errorf("%s: %d bytes, %v; want %v", name, len(cert), err, c.want)
		}
	}
}

func TestCertificateEndsWithItsCA(t *testing.T) {
	ca := newTestCA(t)
	c := nodeFrom(t, ca, Backend, "web", ca.Expires().Add(-time.Hour))
	if !c.Expires().Equal(ca.Expires()) {
		t.Errorf("expires %v, want with the CA, %v", c.Expires(), ca.Expires())
	}
}

func TestSignIgnoresWhatTheCSRSays(t *testing.T) {
	ca, key := newTestCA(t), newTestKey(t)
	wish := Identity{ca.Cluster(), Balancer, "boss"}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		URIs: []*url.URL{wish.url()}, DNSNames: []string{"example.org"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}, key)
	if err != nil {
		t.Fatal(err)
	}
	id := Identity{ca.Cluster(), Frontend, "f1"}
	issued, err := ca.Sign(pem.EncodeToMemory(&pem.Block{Type: pemCSR, Bytes: der}), id, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	c, err := NewCredentials(key, issued, ca.CertPEM())
	if err != nil {
		t.Fatal(err)
	}
	if c.Identity() != id || len(c.leaf.DNSNames)+len(c.leaf.IPAddresses) > 0 {
		t.Errorf("got %v with names %v %v", c, c.leaf.DNSNames, c.leaf.IPAddresses)
	}
	if left := time.Until(c.Expires()); left > time.Hour {
		t.Errorf("good for %v, want an hour", left)
	}
}

func TestSignRefusesATamperedCSR(t *testing.T) {
	ca := newTestCA(t)
	csr, err := CSR(newTestKey(t), Frontend, "f1")
	if err != nil {
		t.Fatal(err)
	}
	id := Identity{ca.Cluster(), Frontend, "f1"}
	if _, err := ca.Sign(csr, id, 0); err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(csr)
	for i := range block.Bytes {
		block.Bytes[i] ^= 1
		if cert, err := ca.Sign(pem.EncodeToMemory(block), id, 0); !errors.Is(err, ErrInvalid) || cert != nil {
			t.Errorf("byte %d changed: %d bytes, %v", i, len(cert), err)
		}
		block.Bytes[i] ^= 1
	}
	for name, b := range map[string][]byte{"empty": nil, "two": append(bytes.Clone(csr), csr...), "a certificate": ca.CertPEM()} {
		if _, err := ca.Sign(b, id, 0); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
