package pki

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"time"
)

const (
	secretSize = 32
	inviteSize = 8 // bytes of an invite's ID before hex

	maxAddresses     = 16
	maxAddressLength = 255
)

// A Token lets one node join. Only Text and Secret reveal its secret: printed,
// logged or put in JSON, it is Redacted.
type Token struct {
	// Invite names the invite in the cluster's state.
	Invite string
	// CA is the public key of the CA that the node will trust.
	CA Pin
	// Node is what the node will be; the cluster's state has the last word.
	Node Identity
	// Balancers are the addresses to join at, host:port.
	Balancers []string
	// Expires is when the cluster will no longer take the token, to the second.
	// It is here to be told to people.
	Expires time.Time

	secret hidden[[secretSize]byte]
}

// NewToken makes a token for a node. Its secret follows from the CA's key and from all
// that the token lets in: who can write invitations into the cluster's state, and has
// not that key, can make none that Redeems. The error is ErrInvalid.
func (ca *CA) NewToken(node Identity, balancers []string, expires time.Time) (*Token, error) {
	t := &Token{CA: ca.Pin(), Node: node, Balancers: slices.Clone(balancers), Expires: time.Unix(expires.Unix(), 0).UTC()}
	var id [inviteSize]byte
	rand.Read(id[:])
	t.Invite = hex.EncodeToString(id[:])
	secret, err := ca.tokenSecret(t.Invite, node, t.Expires)
	if err != nil {
		return nil, fmt.Errorf("new join token: %w", err)
	}
	t.secret = hide(secret)
	if err := t.validate(); err != nil {
		return nil, fmt.Errorf("new join token: %w", err)
	}
	return t, nil
}

// tokenSecretInfo separates the secrets of tokens from every other use of a CA's key.
const tokenSecretInfo = "onelease: secrets of join tokens, version 1"

// tokenSecret is HMAC-SHA256 of the node's URI, the invite and the expiry, each after a
// line feed, under a key that HKDF-SHA256 makes of the CA's private scalar.
func (ca *CA) tokenSecret(invite string, node Identity, expires time.Time) (secret [secretSize]byte, err error) {
	scalar, err := ca.key().Bytes()
	if err != nil {
		return secret, err
	}
	defer clear(scalar)
	key, err := hkdf.Key(sha256.New, scalar, []byte(ca.cluster), tokenSecretInfo, sha256.Size)
	if err != nil {
		return secret, err
	}
	defer clear(key)
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%v\n%s\n%d", node, invite, expires.Unix())
	mac.Sum(secret[:0])
	return secret, nil
}

// Redeems reports whether the secret is that of a token which this CA has made for the
// node, with that invite and expiry.
func (ca *CA) Redeems(secret []byte, invite string, node Identity, expires time.Time) bool {
	want, err := ca.tokenSecret(invite, node, expires)
	return err == nil && subtle.ConstantTimeCompare(secret, want[:]) == 1
}

// RedeemsProof is Redeems for Token.Proof of the certificate request.
func (ca *CA) RedeemsProof(proof, csr []byte, invite string, node Identity, expires time.Time) bool {
	secret, err := ca.tokenSecret(invite, node, expires)
	return err == nil && hmac.Equal(proof, proofOf(secret, csr))
}

// proofOf is HMAC-SHA256 of the request, under the token's secret.
func proofOf(secret [secretSize]byte, csr []byte) []byte {
	mac := hmac.New(sha256.New, secret[:])
	mac.Write(csr)
	return mac.Sum(nil)
}

func (t *Token) validate() error {
	if err := validName("invite", t.Invite); err != nil {
		return err
	}
	if err := t.Node.Validate(); err != nil {
		return err
	}
	if t.Expires.Unix() <= 0 {
		return fmt.Errorf("expires at %d s: %w", t.Expires.Unix(), ErrInvalid)
	}
	if n := len(t.Balancers); n < 1 || n > maxAddresses {
		return fmt.Errorf("%d addresses of balancers, want 1 to %d: %w", n, maxAddresses, ErrInvalid)
	}
	for _, address := range t.Balancers {
		if err := validAddress(address); err != nil {
			return err
		}
	}
	return nil
}

func validAddress(address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" || port == "" || len(address) > maxAddressLength || !printable(address) {
		return fmt.Errorf("address of balancer %.80q: want HOST:PORT: %w", address, ErrInvalid)
	}
	return nil
}

func printable(s string) bool {
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return true
}

// Proof shows a balancer that the maker of the certificate request has the secret. It is
// good for that request alone: who reads it on the way, as with a balancer's stolen
// certificate, cannot join with a key of their own.
func (t *Token) Proof(csr []byte) []byte { return proofOf(t.secret(), csr) }

// Secret returns a copy of the secret.
func (t *Token) Secret() []byte {
	secret := t.secret()
	return secret[:]
}

// Digest is what the cluster's state keeps of the secret. It is not secret:
// there is no guessing 32 random bytes.
func (t *Token) Digest() [sha256.Size]byte { return sha256.Sum256(t.Secret()) }

// verify is how a node that joins is sure of the balancer: the chain must end in
// the pinned CA. Its signature of itself is checked, or whoever has one leaf
// could put that CA's key into a certificate with other content.
func (t *Token) verify(certs []*x509.Certificate) error {
	at := slices.IndexFunc(certs, func(c *x509.Certificate) bool { return pinOf(c) == t.CA })
	if at < 1 || certs[at].CheckSignatureFrom(certs[at]) != nil {
		return fmt.Errorf("the server's certificate is %w, whose key the token has; check token and address, or someone is in between", ErrUntrusted)
	}
	roots := x509.NewCertPool()
	roots.AddCert(certs[at])
	return want{roots: roots, cluster: t.Node.Cluster, roles: []Role{Balancer}}.verify(certs)
}

// Redacted is the token without its secret, for people.
func (t Token) Redacted() string {
	return fmt.Sprintf("join token %s for %v until %s (secret hidden)", t.Invite, t.Node, date(t.Expires))
}

// String is Redacted.
func (t Token) String() string { return t.Redacted() }

// Format prints Redacted, whatever the verb.
func (t Token) Format(s fmt.State, _ rune) { fmt.Fprint(s, t.Redacted()) }

// MarshalText keeps the secret out of JSON.
func (t Token) MarshalText() ([]byte, error) { return []byte(t.Redacted()), nil }

// LogValue keeps the secret out of structured logs.
func (t Token) LogValue() slog.Value { return slog.StringValue(t.Redacted()) }

var (
	_ fmt.Formatter  = Token{}
	_ slog.LogValuer = Token{}
)
