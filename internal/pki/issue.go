package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"net/url"
	"time"
)

// DefaultLife is how long a certificate is good if nothing else is said: long
// enough that a service with nobody to look after it gets through a year.
const DefaultLife = 365 * 24 * time.Hour

// Issue makes a certificate for id, good as a server's and as a client's, from
// five minutes before now (clocks differ) for life (0 means DefaultLife), but
// not longer than the CA. It is returned in PEM, with the CA's after it. The
// errors are ErrInvalid, ErrCluster, and ErrExpired for the CA.
func (ca *CA) Issue(id Identity, public crypto.PublicKey, life time.Duration, now time.Time) ([]byte, error) {
	if life == 0 {
		life = DefaultLife
	}
	key, err := ca.checkIssue(id, public, life, now)
	if err != nil {
		return nil, fmt.Errorf("issue certificate: %w", err)
	}
	template := leafTemplate(id, now)
	template.NotAfter = earlier(now.Add(life), ca.cert.NotAfter)
	der, err := x509.CreateCertificate(rand.Reader, template, ca.cert, key, ca.key())
	if err != nil {
		return nil, fmt.Errorf("issue certificate for %v: %w", id, err)
	}
	return append(pem.EncodeToMemory(&pem.Block{Type: pemCert, Bytes: der}), ca.CertPEM()...), nil
}

func (ca *CA) checkIssue(id Identity, public crypto.PublicKey, life time.Duration, now time.Time) (*ecdsa.PublicKey, error) {
	if err := id.Validate(); err != nil {
		return nil, err
	}
	if id.Cluster != ca.cluster {
		return nil, fmt.Errorf("%v: %w, this CA's is %s", id, ErrCluster, ca.cluster)
	}
	if life < 0 {
		return nil, fmt.Errorf("life of %v: want more than 0: %w", life, ErrInvalid)
	}
	if !now.Before(ca.cert.NotAfter) {
		return nil, fmt.Errorf("the cluster's CA %w on %s: replace it", ErrExpired, date(ca.cert.NotAfter))
	}
	return checkPublic(public)
}

func leafTemplate(id Identity, now time.Time) *x509.Certificate {
	return &x509.Certificate{
		Subject:               pkix.Name{CommonName: string(id.Role) + " " + id.Name}, // for people; nobody checks it
		URIs:                  []*url.URL{id.url()},
		NotBefore:             now.Add(-skew),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           usages,
		BasicConstraintsValid: true,
	}
}

// IssuedAt is when a certificate was issued, by the clock of the CA.
func IssuedAt(cert *x509.Certificate) time.Time { return cert.NotBefore.Add(skew) }

// CSR asks for a certificate for key, in PEM (PKCS #10). Role and name are for
// people to read: Sign ignores them.
func CSR(key *ecdsa.PrivateKey, role Role, name string) ([]byte, error) {
	template := &x509.CertificateRequest{Subject: pkix.Name{CommonName: string(role) + " " + name}}
	der, err := x509.CreateCertificateRequest(rand.Reader, template, key)
	if err != nil {
		return nil, fmt.Errorf("certificate request: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: pemCSR, Bytes: der}), nil
}

// Sign issues a certificate (see Issue), as of now, for the key in a CSR whose
// maker proves by its signature that the key is theirs. Nothing else in the
// CSR counts: who they are is what the caller says.
func (ca *CA) Sign(csr []byte, id Identity, life time.Duration) ([]byte, error) {
	block, rest := pem.Decode(csr)
	if block == nil || block.Type != pemCSR || len(rest) > 0 {
		return nil, fmt.Errorf("certificate request of %v: want one %s block of PEM: %w", id, pemCSR, ErrInvalid)
	}
	request, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("certificate request of %v: %w: %w", id, ErrInvalid, err)
	}
	if err := request.CheckSignature(); err != nil {
		return nil, fmt.Errorf("certificate request of %v: its signature: %w: %w", id, ErrInvalid, err)
	}
	return ca.Issue(id, request.PublicKey, life, time.Now())
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// date is a time as errors give it.
func date(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
