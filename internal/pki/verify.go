package pki

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"
)

// usages are what each certificate is for: a balancer is a server to frontends
// and a client to other balancers.
var usages = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}

// want is what the certificate of a peer must be.
type want struct {
	roots   *x509.CertPool
	cluster string
	roles   []Role // nil: any
	name    string // "": any
}

// verify checks the certificate that a peer has presented. The claims are
// looked at first, since "of another cluster" says more than "untrusted"; none
// is believed before the chain has been verified.
func (w want) verify(certs []*x509.Certificate) error {
	if len(certs) == 0 {
		return fmt.Errorf("the peer has presented %w: it must join the cluster first", ErrNoCertificate)
	}
	id, err := IdentityOf(certs[0])
	if err != nil {
		return err
	}
	if id.Cluster != w.cluster {
		return fmt.Errorf("peer %v is %w, this one is %s", id, ErrCluster, w.cluster)
	}
	if err := w.verifyChain(certs[0]); err != nil {
		return fmt.Errorf("certificate of peer %v %w", id, err)
	}
	return w.verifyIdentity(id)
}

// verifyChain takes no intermediates: the CA signs every certificate itself.
func (w want) verifyChain(leaf *x509.Certificate) error {
	now := time.Now()
	for _, usage := range usages {
		_, err := leaf.Verify(x509.VerifyOptions{
			Roots: w.roots, Intermediates: x509.NewCertPool(), CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{usage},
		})
		if err != nil {
			return chainError(err, now)
		}
	}
	return nil
}

func (w want) verifyIdentity(id Identity) error {
	if w.roles != nil && !slices.Contains(w.roles, id.Role) {
		return fmt.Errorf("peer %v: %w, want %v; check the address", id, ErrRole, w.roles)
	}
	if w.name != "" && id.Name != w.name {
		return fmt.Errorf("peer %v: %w, want %q; check the address", id, ErrName, w.name)
	}
	return nil
}

func chainError(err error, now time.Time) error {
	var invalid x509.CertificateInvalidError
	if errors.As(err, &invalid) && invalid.Reason == x509.Expired {
		if timeErr := checkTime(invalid.Cert, now); timeErr != nil {
			return timeErr
		}
	}
	return fmt.Errorf("is %w: %w", ErrUntrusted, err)
}

// checkTime returns ErrExpired or ErrNotYetValid, with the date and the cure.
func checkTime(cert *x509.Certificate, now time.Time) error {
	if now.After(cert.NotAfter) && cert.IsCA {
		return fmt.Errorf("%w on %s with the cluster's CA: replace that", ErrExpired, date(cert.NotAfter))
	}
	if now.After(cert.NotAfter) {
		return fmt.Errorf("%w on %s: %s", ErrExpired, date(cert.NotAfter), renew)
	}
	if now.Before(cert.NotBefore) {
		return fmt.Errorf("is %w before %s: set the clocks of both machines", ErrNotYetValid, date(cert.NotBefore))
	}
	return nil
}

// PeerIdentity returns who is at the other end of a connection that was made
// with a config of this package. It is false before the handshake is complete,
// and for a client without a certificate, which may only join.
func PeerIdentity(state tls.ConnectionState) (Identity, bool) {
	if !state.HandshakeComplete || len(state.PeerCertificates) == 0 {
		return Identity{}, false
	}
	id, err := IdentityOf(state.PeerCertificates[0])
	return id, err == nil
}
