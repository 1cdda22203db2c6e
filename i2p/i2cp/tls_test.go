package i2cp

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"testing"
	"time"
)

// certificate is one that a router makes for itself.
func certificate(t *testing.T, host string) (tls.Certificate, *x509.CertPool) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		DNSNames:     []string{host},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		IsCA:         true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
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

// acceptTLS takes a connection as a router with TLS does.
func (r *rig) acceptTLS(cert tls.Certificate) *routerEnd {
	conn := tls.Server(<-r.dials, &tls.Config{Certificates: []tls.Certificate{cert}})
	return &routerEnd{r.T, conn, NewFrameReader(conn)}
}

func TestTLS(t *testing.T) {
	var cert tls.Certificate
	bubble(t, func(c *Config) {
		var pool *x509.CertPool
		cert, pool = certificate(t, "router.test")
		c.TLS = &tls.Config{RootCAs: pool}
	}, func(r *rig) {
		end := r.acceptTLS(cert)
		if err := end.in.ReadProtocolByte(); err != nil {
			r.Fatal(err)
		}
		end.greet()
		end.send(SessionStatus{testSession, SessionCreated})
		next[up](r)
	})
}

func TestTLSOfAnotherRouter(t *testing.T) {
	var cert tls.Certificate
	bubble(t, func(c *Config) {
		cert, _ = certificate(t, "router.test")
		_, pool := certificate(t, "router.test")
		c.TLS = &tls.Config{RootCAs: pool}
	}, func(r *rig) {
		end := r.acceptTLS(cert)
		go end.in.ReadProtocolByte()
		if err := next[down](r).err; !errors.Is(err, ErrUnreachable) {
			r.Errorf("down with %v", err)
		}
	})
}
