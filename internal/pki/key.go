package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
)

// The types of PEM blocks (RFC 7468).
const (
	pemCert = "CERTIFICATE"
	pemKey  = "PRIVATE KEY"
	pemCSR  = "CERTIFICATE REQUEST"
)

// maxCerts is more certificates than any of our files has: a CA in use, the one
// before and the one after.
const maxCerts = 8

// NewKey makes a node's key. All keys, the CA's too, are ECDSA P-256: fast, and
// unlike Ed25519 known to every browser, HSM and TLS library.
func NewKey() (*ecdsa.PrivateKey, error) {
	return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
}

// checkPublic refuses keys that NewKey does not make.
func checkPublic(key crypto.PublicKey) (*ecdsa.PublicKey, error) {
	public, ok := key.(*ecdsa.PublicKey)
	if !ok || public.Curve != elliptic.P256() {
		return nil, fmt.Errorf("public key is %T, want ECDSA P-256: %w", key, ErrInvalid)
	}
	return public, nil
}

// encodeKey returns the key in PEM (PKCS #8), which is secret.
func encodeKey(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode key: %w", err)
	}
	defer clear(der)
	return pem.EncodeToMemory(&pem.Block{Type: pemKey, Bytes: der}), nil
}

// decodeKey keeps the parser's own errors to itself, as they may quote the key.
func decodeKey(b []byte) (*ecdsa.PrivateKey, error) {
	block, rest := pem.Decode(b)
	if block == nil || block.Type != pemKey || len(rest) > 0 {
		return nil, fmt.Errorf("want one %s block of PEM: %w", pemKey, ErrInvalid)
	}
	defer clear(block.Bytes)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("the private key in it is damaged: %w", ErrInvalid)
	}
	private, ok := key.(*ecdsa.PrivateKey)
	if !ok || private.Curve != elliptic.P256() {
		return nil, fmt.Errorf("private key is %T, want ECDSA P-256: %w", key, ErrInvalid)
	}
	return private, nil
}

func encodeCerts(certs ...*x509.Certificate) []byte {
	var b []byte
	for _, c := range certs {
		b = append(b, pem.EncodeToMemory(&pem.Block{Type: pemCert, Bytes: c.Raw})...)
	}
	return b
}

func decodeCerts(b []byte) ([]*x509.Certificate, error) {
	var certs []*x509.Certificate
	for len(b) > 0 && len(certs) < maxCerts {
		var block *pem.Block
		if block, b = pem.Decode(b); block == nil || block.Type != pemCert {
			return nil, fmt.Errorf("want only %s blocks of PEM: %w", pemCert, ErrInvalid)
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d: %w: %w", len(certs)+1, ErrInvalid, err)
		}
		certs = append(certs, cert)
	}
	if len(certs) == 0 || len(b) > 0 {
		return nil, fmt.Errorf("want 1 to %d certificates: %w", maxCerts, ErrInvalid)
	}
	return certs, nil
}
