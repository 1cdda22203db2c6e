package doctor

import (
	"context"
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/onelease/onelease/internal/memconn"
	"github.com/onelease/onelease/internal/nodedir"
	"github.com/onelease/onelease/internal/pki"
)

// A testCluster issues certificates.
type testCluster struct {
	*setup
	ca *pki.CA
}

func (s *setup) cluster() *testCluster {
	s.t.Helper()
	ca, err := pki.NewCA(pki.NewCluster())
	if err != nil {
		s.t.Fatal(err)
	}
	return &testCluster{s, ca}
}

// node makes a node, with a certificate from then on for that long.
func (c *testCluster) node(role pki.Role, from time.Time, life time.Duration) *pki.Credentials {
	c.t.Helper()
	key, err := pki.NewKey()
	if err != nil {
		c.t.Fatal(err)
	}
	cert, err := c.ca.Issue(pki.Identity{Cluster: c.ca.Cluster(), Role: role, Name: "n1"}, key.Public(), life, from)
	if err != nil {
		c.t.Fatal(err)
	}
	creds, err := pki.NewCredentials(key, cert, c.ca.CertPEM())
	if err != nil {
		c.t.Fatal(err)
	}
	return creds
}

// join has the setup be that of a frontend that knows these balancers.
func (c *testCluster) join(creds *pki.Credentials, balancers ...string) {
	c.t.Helper()
	dir := filepath.Join(c.t.TempDir(), "n1")
	if err := creds.Save(dir); err != nil {
		c.t.Fatal(err)
	}
	info := nodedir.Info{Cluster: c.ca.Cluster(), Role: string(pki.Frontend), Name: "n1",
		Destination: c.keys.Destination.Base64(), Balancers: balancers}
	if err := info.Write(dir); err != nil {
		c.t.Fatal(err)
	}
	c.cfg.Dir, c.cfg.Keys, c.cfg.Others = dir, nil, true
}

// balancer has one listen at addr.
func (c *testCluster) balancer(addr string) {
	creds := c.node(pki.Balancer, time.Now(), 0)
	secure := pki.ServerTLS(pki.Static(creds), "h2")
	c.dials[addr] = func(context.Context) (net.Conn, error) {
		client, server := memconn.Pair(addr)
		go func() {
			defer server.Close()
			tls.Server(server, secure).HandshakeContext(context.Background())
		}()
		return client, nil
	}
}

// joined is a setup of a node with a good certificate.
func joined(balancers ...string) func(*setup) *testCluster {
	return func(s *setup) *testCluster {
		c := s.cluster()
		c.join(c.node(pki.Frontend, time.Now(), 0), balancers...)
		return c
	}
}

// nodeFor has its certificate from then on for that long.
func nodeFor(from, life time.Duration) func(*setup) {
	return func(s *setup) {
		c := s.cluster()
		c.join(c.node(pki.Frontend, time.Now().Add(from), life), "b1:7660")
		c.balancer("b1:7660")
	}
}

// write puts a file into a new directory.
func (s *setup) write(name, text string) string {
	s.t.Helper()
	path := filepath.Join(s.t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}
