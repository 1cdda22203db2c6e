package pki

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"time"
)

const (
	caYears = 10
	// skew is how far a peer's clock may be behind the CA's.
	skew = 5 * time.Minute
)

// A CA signs the certificates of one cluster. Printed, logged or put in JSON it
// is only its name. It may be used by many goroutines.
type CA struct {
	cluster string
	cert    *x509.Certificate
	key     hidden[*ecdsa.PrivateKey]
}

// A Pin is the SHA-256 of a CA's public key (its SubjectPublicKeyInfo), as in
// RFC 7469. It is public.
type Pin [sha256.Size]byte

func (p Pin) String() string { return hex.EncodeToString(p[:]) }

func pinOf(cert *x509.Certificate) Pin { return sha256.Sum256(cert.RawSubjectPublicKeyInfo) }

// NewCA makes a CA for the cluster, good for ten years. Give a new cluster's ID
// (NewCluster), or that of a cluster whose CA is to be replaced.
func NewCA(cluster string) (*CA, error) {
	if err := validCluster(cluster); err != nil {
		return nil, fmt.Errorf("new CA: %w", err)
	}
	key, err := NewKey()
	if err != nil {
		return nil, fmt.Errorf("new CA: %w", err)
	}
	template := caTemplate(cluster, time.Now())
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("new CA: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	return &CA{cluster, cert, hide(key)}, err
}

func caTemplate(cluster string, now time.Time) *x509.Certificate {
	return &x509.Certificate{
		Subject:               pkix.Name{CommonName: "Onelease CA " + cluster},
		URIs:                  []*url.URL{{Scheme: scheme, Host: cluster}},
		NotBefore:             now.Add(-skew),
		NotAfter:              now.AddDate(caYears, 0, 0),
		KeyUsage:              x509.KeyUsageCertSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true, // it signs leaves, no further CAs
	}
}

// clusterOf is the cluster that a CA certificate is for.
func clusterOf(ca *x509.Certificate) (string, error) {
	if !ca.IsCA || len(ca.URIs) != 1 {
		return "", fmt.Errorf("certificate %.80q is not an Onelease CA: %w", ca.Subject.CommonName, ErrInvalid)
	}
	cluster := ca.URIs[0].Host
	if ca.URIs[0].String() != scheme+"://"+cluster {
		return "", fmt.Errorf("certificate %.80q is not an Onelease CA: %w", ca.Subject.CommonName, ErrInvalid)
	}
	return cluster, validCluster(cluster)
}

// Cluster is the ID of the CA's cluster.
func (ca *CA) Cluster() string { return ca.cluster }

// CertPEM is the CA's certificate, which is public.
func (ca *CA) CertPEM() []byte { return encodeCerts(ca.cert) }

// Pin is what a join token says about the CA.
func (ca *CA) Pin() Pin { return pinOf(ca.cert) }

// Expires is when the CA, and all that it has issued, is over.
func (ca *CA) Expires() time.Time { return ca.cert.NotAfter }

// newCA puts together a certificate and the key that is not sealed.
func newCA(certPEM, keyPEM []byte) (*CA, error) {
	certs, err := decodeCerts(certPEM)
	if err != nil {
		return nil, fmt.Errorf("its certificate: %w", err)
	}
	key, err := decodeKey(keyPEM)
	if err != nil {
		return nil, fmt.Errorf("its key: %w", err)
	}
	at := slices.IndexFunc(certs, func(c *x509.Certificate) bool { return key.PublicKey.Equal(c.PublicKey) })
	if at < 0 { // there are several while a CA is replaced
		return nil, fmt.Errorf("the key is not that of the certificate: %w", ErrInvalid)
	}
	cluster, err := clusterOf(certs[at])
	if err != nil {
		return nil, err
	}
	return &CA{cluster, certs[at], hide(key)}, nil
}

// String names the CA without its key.
func (ca CA) String() string { return "CA of cluster " + ca.cluster }

// GoString keeps the key out of %#v.
func (ca CA) GoString() string { return "pki.CA{" + ca.cluster + "}" }

// MarshalText keeps the key out of JSON and of structured logs.
func (ca CA) MarshalText() ([]byte, error) { return []byte(ca.String()), nil }
