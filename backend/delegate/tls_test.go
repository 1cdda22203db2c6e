package delegate

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// mutualTLS is a configuration for both sides, which share a certificate for
// the host "node".
func mutualTLS(t *testing.T) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"node"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		RootCAs:      pool, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert,
	}
}

func TestOverMutualTLS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mutual := mutualTLS(t)
		for name, c := range map[string]struct {
			tls  *tls.Config
			says string // empty: it works
		}{
			"trusted":  {mutual, ""},
			"stranger": {mutualTLS(t), "cannot be reached"},
			"clear":    {nil, "cannot be reached"},
		} {
			r := &running{t: t, keys: newKeys(t), log: &strings.Builder{}}
			r.leader = r.cluster.add(t, "node:1", r.keys)
			r.leader.stop()
			r.leader.start(grpc.Creds(credentials.NewTLS(mutual)))
			client, err := New(Config{Name: "web-1", Balancers: []string{"node:1"}, Dial: r.cluster.dial, TLS: c.tls, Logger: logger(r.log)})
			if err != nil {
				t.Fatal(err)
			}
			r.Client = client
			r.run(func() {
				time.Sleep(10 * time.Second)
				if s := r.Status(); (r.Origin() != nil) != (c.says == "") || !strings.Contains(s.Error, c.says) {
					t.Errorf("%s: %+v", name, s)
				}
			})
		}
	})
}

// Run ends with its context, also while a balancer does not answer.
func TestRunEnds(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *running) {
		r.leader.set(func() { r.leader.mute = true })
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- r.Run(ctx) }()
		time.Sleep(time.Second)
		began := time.Now()
		cancel()
		if err := <-done; err != nil || time.Since(began) > time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		if err := r.Run(t.Context()); err == nil {
			t.Error("Run works twice")
		}
		r.leader.stop()
	})
}
