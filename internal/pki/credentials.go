package pki

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"path/filepath"
	"time"
)

// Credentials are a node's certificate and key, and the CAs that it trusts.
// Printed, logged or put in JSON they are only its identity. They do not change.
type Credentials struct {
	identity Identity
	key      hidden[*ecdsa.PrivateKey]
	leaf     *x509.Certificate
	issuer   *x509.Certificate
	cas      []*x509.Certificate
	pool     *x509.CertPool
}

// NewCredentials puts together a key, the certificate that was issued for it and
// the cluster's CA certificates, both in PEM; what follows the first
// certificate of certPEM does not count. Whether it is still good is for Check.
// The errors are ErrInvalid, ErrNoIdentity, ErrCluster and ErrUntrusted.
func NewCredentials(key *ecdsa.PrivateKey, certPEM, caPEM []byte) (*Credentials, error) {
	chain, err := decodeCerts(certPEM)
	if err != nil {
		return nil, fmt.Errorf("node's certificate: %w", err)
	}
	cas, err := decodeCerts(caPEM)
	if err != nil {
		return nil, fmt.Errorf("CA's certificate: %w", err)
	}
	c := &Credentials{key: hide(key), leaf: chain[0], cas: cas, pool: x509.NewCertPool()}
	if !key.PublicKey.Equal(c.leaf.PublicKey) {
		return nil, fmt.Errorf("the key is not that of the certificate: %w", ErrInvalid)
	}
	if c.identity, err = IdentityOf(c.leaf); err != nil {
		return nil, err
	}
	return c, c.trust()
}

// trust fills the pool, and finds out which CA has issued the certificate.
func (c *Credentials) trust() error {
	for _, ca := range c.cas {
		cluster, err := clusterOf(ca)
		if err != nil {
			return err
		}
		if cluster != c.identity.Cluster {
			return fmt.Errorf("CA certificate %w: its is %s, the node's %s", ErrCluster, cluster, c.identity.Cluster)
		}
		if c.leaf.CheckSignatureFrom(ca) == nil {
			c.issuer = ca
		}
		c.pool.AddCert(ca)
	}
	if c.issuer == nil {
		return fmt.Errorf("certificate of %v: %w", c.identity, ErrUntrusted)
	}
	return nil
}

// Identity is who the node is.
func (c *Credentials) Identity() Identity { return c.identity }

// Expires is when the certificate, or the CA that issued it, is over.
func (c *Credentials) Expires() time.Time { return earlier(c.leaf.NotAfter, c.issuer.NotAfter) }

// Check returns ErrExpired or ErrNotYetValid.
func (c *Credentials) Check(now time.Time) error {
	for _, cert := range []*x509.Certificate{c.leaf, c.issuer} {
		if err := checkTime(cert, now); err != nil {
			return fmt.Errorf("certificate of %v %w", c.identity, err)
		}
	}
	return nil
}

// Key is the node's private key, for the CSR of its next certificate.
func (c *Credentials) Key() *ecdsa.PrivateKey { return c.key() }

// CAPEM is the CA certificates that the node trusts.
func (c *Credentials) CAPEM() []byte { return encodeCerts(c.cas...) }

// CAPin is the public key of the CA that issued the certificate, for join
// tokens that bring nodes to this one.
func (c *Credentials) CAPin() Pin { return pinOf(c.issuer) }

// certificate is what the node presents: with the CA, so that a joining node
// can compare that with its token.
func (c *Credentials) certificate() *tls.Certificate {
	return &tls.Certificate{
		Certificate: [][]byte{c.leaf.Raw, c.issuer.Raw}, PrivateKey: c.key(), Leaf: c.leaf,
	}
}

// String is the node's identity.
func (c Credentials) String() string { return c.identity.String() }

// GoString keeps the key out of %#v.
func (c Credentials) GoString() string { return "pki.Credentials{" + c.String() + "}" }

// MarshalText keeps the key out of JSON and of structured logs.
func (c Credentials) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// Load reads a node's files. The errors are those of NewCredentials,
// ErrPermissions, and those of the file system.
func Load(dir string) (*Credentials, error) {
	var public [2][]byte
	for i, name := range []string{nodeCertFile, caCertFile} {
		var err error
		if public[i], err = readSmall(filepath.Join(dir, name)); err != nil {
			return nil, fmt.Errorf("load certificate: %w", err)
		}
	}
	key, err := loadKey(filepath.Join(dir, nodeKeyFile))
	if err != nil {
		return nil, fmt.Errorf("load certificate: %w", err)
	}
	c, err := NewCredentials(key, public[0], public[1])
	if err != nil {
		return nil, fmt.Errorf("load certificate: %s, %s and %s in %s: %w; restore all three from one backup, or join anew",
			nodeCertFile, nodeKeyFile, caCertFile, dir, err)
	}
	return c, nil
}

func loadKey(path string) (*ecdsa.PrivateKey, error) {
	b, err := readSecret(path)
	if err != nil {
		return nil, err
	}
	defer clear(b)
	key, err := decodeKey(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; restore it from a backup, or join anew", path, err)
	}
	return key, nil
}

// Save writes the files of a new node to dir: all or none, and not over other
// ones (fs.ErrExist). A ca.crt that is the same stays.
func (c *Credentials) Save(dir string) error {
	key, err := encodeKey(c.key())
	if err != nil {
		return fmt.Errorf("save certificate: %w", err)
	}
	defer clear(key)
	err = saveNew(dir, c.caFile(), file{nodeKeyFile, secretMode, key}, c.certFile())
	if err != nil {
		return fmt.Errorf("save certificate: %w", err)
	}
	return nil
}

// Replace renews the files in dir, whose node and key must be c's (ErrChanged):
// a renewal keeps the key, so that there is no moment in which key and
// certificate do not match. A running node's Reloader takes them over.
func (c *Credentials) Replace(dir string) error {
	old, err := Load(dir)
	if err != nil {
		return fmt.Errorf("renew: %w", err)
	}
	if old.identity != c.identity || !old.key().Equal(c.key()) {
		return fmt.Errorf("renew %s of %v with %v or its key: %w; a new node or key belongs in a new directory",
			dir, old.identity, c.identity, ErrChanged)
	}
	for _, f := range []file{c.caFile(), c.certFile()} {
		if err := replaceFile(dir, f); err != nil {
			return fmt.Errorf("renew: %w", err)
		}
	}
	return nil
}

func (c *Credentials) caFile() file { return file{caCertFile, publicMode, c.CAPEM()} }

func (c *Credentials) certFile() file {
	return file{nodeCertFile, publicMode, bytes.Join([][]byte{encodeCerts(c.leaf), encodeCerts(c.issuer)}, nil)}
}
