package main

import (
	"crypto/tls"
	"crypto/x509"

	"github.com/onelease/onelease/internal/pki"
)

// backendTLS takes backends of the cluster.
func backendTLS(creds *pki.Reloader, alpn ...string) *tls.Config {
	return pki.DemandTLS(creds, []pki.Role{pki.Backend}, alpn...)
}

// guestTLS takes guests of the cluster, and backends: earlier versions had no guests.
func guestTLS(creds *pki.Reloader, alpn ...string) *tls.Config {
	return pki.DemandTLS(creds, []pki.Role{pki.Guest, pki.Backend}, alpn...)
}

// backendName is the name in a backend's certificate.
func backendName(cert *x509.Certificate) (string, error) {
	id, err := pki.IdentityOf(cert)
	return id.Name, err
}
