package pki

import (
	"crypto/ecdsa"
	"crypto/tls"
	"testing"
	"time"

	"github.com/onelease/onelease/internal/memconn"
)

func newTestCA(t testing.TB) *CA {
	t.Helper()
	return newTestCAOf(t, NewCluster())
}

func newTestCAOf(t testing.TB, cluster string) *CA {
	t.Helper()
	ca, err := NewCA(cluster)
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func newTestKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// node has a certificate that the CA issues now.
func node(t testing.TB, ca *CA, role Role, name string) *Credentials {
	t.Helper()
	return nodeFrom(t, ca, role, name, time.Now())
}

func nodeFrom(t testing.TB, ca *CA, role Role, name string, now time.Time) *Credentials {
	t.Helper()
	return nodeWith(t, ca, newTestKey(t), Identity{ca.Cluster(), role, name}, now)
}

func nodeWith(t testing.TB, ca *CA, key *ecdsa.PrivateKey, id Identity, now time.Time) *Credentials {
	t.Helper()
	cert, err := ca.Issue(id, key.Public(), 0, now)
	if err != nil {
		t.Fatal(err)
	}
	c, err := NewCredentials(key, cert, ca.CertPEM())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// saved is a Reloader on the files of the credentials in a new directory.
func saved(t testing.TB, c *Credentials) (*Reloader, string) {
	t.Helper()
	dir := t.TempDir()
	if err := c.Save(dir); err != nil {
		t.Fatal(err)
	}
	r, err := NewReloader(dir)
	if err != nil {
		t.Fatal(err)
	}
	return r, dir
}

// end is one side of a connection after its handshake.
type end struct {
	*tls.Conn
	err error
}

// meet has a client and a server shake hands.
func meet(t testing.TB, serverConfig, clientConfig *tls.Config) (server, client end) {
	t.Helper()
	b, a := memconn.Pair("balancer")
	t.Cleanup(func() { a.Close(); b.Close() })
	server.Conn, client.Conn = tls.Server(a, serverConfig), tls.Client(b, clientConfig)
	done := make(chan error)
	go func() {
		err := server.Handshake()
		if err != nil {
			a.Close()
		}
		done <- err
	}()
	if client.err = client.Handshake(); client.err != nil {
		b.Close()
	}
	server.err = <-done
	return server, client
}

// talk has a byte go each way.
func talk(t testing.TB, server, client end) {
	t.Helper()
	for _, way := range [][2]end{{server, client}, {client, server}} {
		if _, err := way[0].Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if _, err := way[1].Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
}

// blunt presents a certificate and takes any: what an attacker or a broken
// program does, so that it is the other side that must refuse.
func blunt(c *Credentials) *tls.Config {
	return &tls.Config{
		InsecureSkipVerify: true,
		ClientAuth:         tls.RequestClientCert,
		Certificates:       []tls.Certificate{*c.certificate()},
	}
}
