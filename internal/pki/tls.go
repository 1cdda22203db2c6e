package pki

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"time"
)

// ServerTLS is for a server that joining nodes reach too: a client may present
// no certificate, and then has no PeerIdentity. One that it does present must be
// of the cluster, in any role. TLS 1.3 only.
func ServerTLS(r *Reloader, alpn ...string) *tls.Config {
	return serverConfig(r, alpn, func(certs []*x509.Certificate) error {
		if len(certs) == 0 {
			return nil
		}
		return r.want(nil, "").verify(certs)
	})
}

// MutualTLS is for a server whose clients must have a certificate in one of the
// roles: that of raft takes balancers only.
func MutualTLS(r *Reloader, roles []Role, alpn ...string) *tls.Config {
	allowed := append([]Role{}, roles...) // not nil: no roles means nobody, not anybody
	return serverConfig(r, alpn, func(certs []*x509.Certificate) error {
		return r.want(allowed, "").verify(certs)
	})
}

// DemandTLS is MutualTLS where crypto/tls is to demand the certificate as well, of the CAs
// that are trusted at the time: for parts that look whether it does.
func DemandTLS(r *Reloader, roles []Role, alpn ...string) *tls.Config {
	base := MutualTLS(r, roles, alpn...)
	base.ClientAuth = tls.RequireAndVerifyClientCert
	base.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		c := base.Clone()
		c.GetConfigForClient = nil
		c.ClientCAs = x509.NewCertPool()
		c.ClientCAs.AppendCertsFromPEM(r.Credentials().CAPEM())
		return c, nil
	}
	return base
}

// ClientTLS is for a client of a server in the given role, Balancer if that is
// "", and of the given name, any if that is "".
func ClientTLS(r *Reloader, role Role, name string, alpn ...string) *tls.Config {
	if role == "" {
		role = Balancer
	}
	c := baseConfig(alpn, func(certs []*x509.Certificate) error {
		return r.want([]Role{role}, name).verify(certs)
	})
	c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		own := r.Credentials()
		// Said here, since the server's refusal would come as a bare alert.
		if err := own.Check(time.Now()); err != nil {
			return nil, fmt.Errorf("own %w", err)
		}
		return own.certificate(), nil
	}
	return c
}

// JoinTLS is for a client that has a token and no certificate yet. It accepts a
// balancer of the token's cluster whose CA has the public key in the token.
func JoinTLS(t *Token, alpn ...string) *tls.Config {
	return baseConfig(alpn, t.verify)
}

func (r *Reloader) want(roles []Role, name string) want {
	c := r.Credentials()
	return want{roots: c.pool, cluster: c.identity.Cluster, roles: roles, name: name}
}

func serverConfig(r *Reloader, alpn []string, verify func([]*x509.Certificate) error) *tls.Config {
	c := baseConfig(alpn, verify)
	c.ClientAuth = tls.RequestClientCert
	c.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		return r.Credentials().certificate(), nil
	}
	return c
}

// baseConfig verifies all certificates by verify alone, which crypto/tls also
// calls for resumed sessions. There are none: a full handshake costs 1 ms.
func baseConfig(alpn []string, verify func([]*x509.Certificate) error) *tls.Config {
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		NextProtos:             alpn,
		SessionTicketsDisabled: true,
		InsecureSkipVerify:     true, // of host names; see the package comment
		VerifyConnection: func(s tls.ConnectionState) error {
			return verify(s.PeerCertificates)
		},
	}
}
