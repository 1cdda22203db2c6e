package pki

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

const (
	// pemSealed is the type of the PEM block with a CA's sealed key.
	pemSealed = "ONELEASE SEALED CA KEY"
	// SealSize is how many bytes a Seal has.
	SealSize = 32
	nonceLen = 12
)

// ErrSealed: the CA's key does not open with the seal that was given.
var ErrSealed = errors.New("the key does not open it")

// A Seal opens a CA's sealed key: 32 secret bytes, all as likely. It is an AES-256 key.
type Seal [SealSize]byte

// Format keeps the seal out of what is printed, whatever the verb.
func (Seal) Format(s fmt.State, _ rune) { fmt.Fprint(s, "(a seal)") }

// MarshalText keeps it out of JSON and of structured logs.
func (Seal) MarshalText() ([]byte, error) { return []byte("(a seal)"), nil }

func (s Seal) aead() (cipher.AEAD, error) {
	block, err := aes.NewCipher(s[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// sealed is the key in a PEM block: a random nonce (12 bytes), and the PKCS #8 of the
// key in AES-256-GCM, which also vouches for the CA's certificate.
func (ca *CA) sealed(s Seal) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(ca.key())
	if err != nil {
		return nil, fmt.Errorf("seal the CA's key: %w", err)
	}
	defer clear(der)
	aead, err := s.aead()
	if err != nil {
		return nil, fmt.Errorf("seal the CA's key: %w", err)
	}
	nonce := make([]byte, nonceLen)
	rand.Read(nonce)
	return pem.EncodeToMemory(&pem.Block{Type: pemSealed, Bytes: aead.Seal(nonce, nonce, der, ca.cert.Raw)}), nil
}

// sealedBlock tells a sealed key from anything else, without the seal.
func sealedBlock(b []byte) ([]byte, error) {
	block, rest := pem.Decode(b)
	if block == nil || block.Type != pemSealed || len(rest) > 0 || len(block.Bytes) <= nonceLen {
		return nil, fmt.Errorf("want one %s block of PEM: %w", pemSealed, ErrInvalid)
	}
	return block.Bytes, nil
}

// openSealed finds the certificate of certPEM that the key was sealed with: there are
// several while a CA is replaced.
func openSealed(certPEM, sealed []byte, s Seal) (*CA, error) {
	certs, err := decodeCerts(certPEM)
	if err != nil {
		return nil, fmt.Errorf("its certificate: %w", err)
	}
	b, err := sealedBlock(sealed)
	if err != nil {
		return nil, fmt.Errorf("its key: %w", err)
	}
	aead, err := s.aead()
	if err != nil {
		return nil, err
	}
	for _, cert := range certs {
		der, err := aead.Open(nil, b[:nonceLen], b[nonceLen:], cert.Raw)
		if err == nil {
			return parseCA(cert, der)
		}
	}
	return nil, fmt.Errorf("%w, or it is damaged, or not that of the certificate: %w", ErrSealed, ErrInvalid)
}

// parseCA keeps the parser's own errors to itself, as they may quote the key.
func parseCA(cert *x509.Certificate, der []byte) (*CA, error) {
	defer clear(der)
	key, err := x509.ParsePKCS8PrivateKey(der)
	private, ok := key.(*ecdsa.PrivateKey)
	if err != nil || !ok || !private.PublicKey.Equal(cert.PublicKey) {
		return nil, fmt.Errorf("what is sealed is not the key of the certificate: %w", ErrInvalid)
	}
	cluster, err := clusterOf(cert)
	if err != nil {
		return nil, err
	}
	return &CA{cluster, cert, hide(private)}, nil
}

// MarshalSealed returns the certificate, and the private key sealed, in PEM: what makes a
// further balancer a CA once it has the seal. Without that it is of no use.
func (ca *CA) MarshalSealed(s Seal) ([]byte, error) {
	key, err := ca.sealed(s)
	return append(ca.CertPEM(), key...), err
}

// cutCerts divides what MarshalSealed has made.
func cutCerts(b []byte) (cert, key []byte, ok bool) {
	end := []byte("-----END " + pemCert + "-----\n")
	cert, key, ok = bytes.Cut(b, end)
	return append(bytes.Clone(cert), end...), key, ok
}

var _ fmt.Formatter = Seal{}
