package frontend

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/onelease/onelease/i2p/sam"
	"github.com/onelease/onelease/i2p/simnet"
	"github.com/onelease/onelease/internal/memconn"
)

// mutualTLS is a configuration for both sides, which share a certificate for
// the host "node".
func mutualTLS(t *testing.T) *tls.Config {
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

func TestControlOverMutualTLS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simnet.I2PD258)
		defer w.network.Close()
		mutual := mutualTLS(t)
		w.leader.serverOptions = []grpc.ServerOption{grpc.Creds(credentials.NewTLS(mutual))}
		w.leader.stop()
		w.leader.start()
		w.control.add("node:1", w.leader)
		w.control.add("stranger:1", w.leader)
		cfg := w.config()
		cfg.Control.TLS, cfg.Control.Balancers = mutual, []string{"stranger:1", "node:1"}
		w.run(cfg)
		defer w.leader.stop()
		defer w.stop()
		w.untilServing()
		if got := w.frontend.Status().Balancer; got != "node:1" {
			t.Errorf("attached to %s, whose certificate is for node", got)
		}
	})
}

func TestSAMOverMutualTLS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simnet.I2PD258)
		defer w.network.Close()
		ln, mutual := memconn.Listen("SAM"), mutualTLS(t)
		cfg := w.config()
		cfg.SAM = []net.Listener{listenerAt{ln, &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 7656}}}
		cfg.SAMTLS = mutual
		cfg.BackendName = func(cert *x509.Certificate) (string, error) { return "of-" + cert.DNSNames[0], nil }
		w.run(cfg)
		defer w.leader.stop()
		defer w.stop()
		w.untilServing()
		dial := func(client *tls.Config, name string) error {
			c, err := sam.Dial(context.Background(), sam.ClientConfig{Backend: name, Weight: 3, Dial: func(ctx context.Context) (net.Conn, error) {
				nc, err := ln.Dial(ctx)
				if err != nil || client == nil {
					return nc, err
				}
				return tls.Client(nc, client), nil
			}})
			if err == nil && name != "" {
				if s := w.frontend.Status(); len(s.Named) != 1 || s.Named[0].Name != name || s.Named[0].Weight != 3 {
					t.Errorf("status %+v", s)
				}
			}
			if err == nil {
				c.Close()
			}
			return err
		}
		known := &tls.Config{RootCAs: mutual.RootCAs, Certificates: mutual.Certificates, ServerName: "node"}
		for _, name := range []string{"", "of-node"} {
			if err := dial(known, name); err != nil {
				t.Errorf("with a certificate, as %q: %v", name, err)
			}
		}
		if err := dial(known, "other"); err == nil || !strings.Contains(err.Error(), "of backend of-node") {
			t.Errorf("as another backend: %v", err)
		}
		if dial(&tls.Config{RootCAs: mutual.RootCAs, ServerName: "node"}, "") == nil {
			t.Error("attached without a certificate")
		}
		if dial(nil, "") == nil {
			t.Error("attached in the clear")
		}
	})
}
