package main

import (
	"crypto/tls"
	"crypto/x509"

	"github.com/onelease/onelease/internal/pki"
)

// backendTLS takes backends of the cluster. The identity is verified by package
// pki; crypto/tls is made to demand a certificate as well, of the CAs that are
// trusted at the time.
func backendTLS(creds *pki.Reloader) *tls.Config {
	base := pki.MutualTLS(creds, []pki.Role{pki.Backend})
	base.ClientAuth = tls.RequireAndVerifyClientCert
	base.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		c := base.Clone()
		c.GetConfigForClient = nil
		c.ClientCAs = x509.NewCertPool()
		c.ClientCAs.AppendCertsFromPEM(creds.Credentials().CAPEM())
		return c, nil
	}
	return base
}

// backendName is the name in a backend's certificate.
func backendName(cert *x509.Certificate) (string, error) {
	id, err := pki.IdentityOf(cert)
	return id.Name, err
}
