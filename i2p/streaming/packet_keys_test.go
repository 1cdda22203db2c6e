package streaming

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/datagram"
)

// origins are one of each kind of key that signs streams: those of the
// specification but DSA, which package i2p has vectors of, and Ed25519 with a
// transient key.
func origins(t testing.TB) map[string]datagram.Origin {
	t.Helper()
	all := map[string]datagram.Origin{"offline": offlineOrigin(t, packetNow.Add(time.Hour))}
	for _, kind := range []i2p.SigType{i2p.SigEd25519, i2p.SigECDSAP256, i2p.SigECDSAP384, i2p.SigECDSAP521, i2p.SigRSA2048} {
		all[kind.String()] = newOrigin(t, kind)
	}
	return all
}

// A testSigner signs as a key of some type.
type testSigner struct {
	kind i2p.SigType
	sign func(message []byte) ([]byte, error)
}

func (s testSigner) SigType() i2p.SigType                { return s.kind }
func (s testSigner) Sign(message []byte) ([]byte, error) { return s.sign(message) }

// newOrigin makes keys of a type.
func newOrigin(t testing.TB, kind i2p.SigType) datagram.Origin {
	t.Helper()
	switch kind {
	case i2p.SigECDSAP256:
		return ecdsaOrigin(t, kind, elliptic.P256(), crypto.SHA256)
	case i2p.SigECDSAP384:
		return ecdsaOrigin(t, kind, elliptic.P384(), crypto.SHA384)
	case i2p.SigECDSAP521:
		return ecdsaOrigin(t, kind, elliptic.P521(), crypto.SHA512)
	case i2p.SigRSA2048:
		return rsaOrigin(t)
	}
	keys, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	return datagram.Origin{Destination: keys.Destination, Signer: keys}
}

// offlineOrigin has a transient key until then.
func offlineOrigin(t testing.TB, expires time.Time) datagram.Origin {
	t.Helper()
	origin, transient := newOrigin(t, i2p.SigEd25519), newOrigin(t, i2p.SigEd25519)
	offline, err := i2p.SignOffline(origin.Signer, transient.Destination.SigningKey(), expires)
	if err != nil {
		t.Fatal(err)
	}
	return datagram.Origin{Destination: origin.Destination, Signer: transient.Signer, Offline: offline}
}

func ecdsaOrigin(t testing.TB, kind i2p.SigType, curve elliptic.Curve, hash crypto.Hash) datagram.Origin {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	sign := func(message []byte) ([]byte, error) {
		r, s, err := ecdsa.Sign(rand.Reader, key, digest(hash, message))
		if err != nil {
			return nil, err
		}
		b := make([]byte, kind.SignatureSize())
		r.FillBytes(b[:len(b)/2])
		s.FillBytes(b[len(b)/2:])
		return b, nil
	}
	return datagram.Origin{Destination: destinationOf(t, kind, point[1:]), Signer: testSigner{kind, sign}}
}

func rsaOrigin(t testing.TB) datagram.Origin {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(message []byte) ([]byte, error) {
		return rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest(crypto.SHA256, message))
	}
	return datagram.Origin{
		Destination: destinationOf(t, i2p.SigRSA2048, key.N.Bytes()),
		Signer:      testSigner{i2p.SigRSA2048, sign},
	}
}

// destinationOf has a public signing key, the part of which that does not fit
// into the field of 128 bytes is in the certificate.
func destinationOf(t testing.TB, kind i2p.SigType, public []byte) i2p.Destination {
	t.Helper()
	inField := min(len(public), 128)
	raw := append(make([]byte, 384-inField), public[:inField]...)
	excess := public[inField:]
	raw = append(raw, 5, byte((4+len(excess))>>8), byte(4+len(excess)), 0, byte(kind), 0, 0)
	dest, _, err := i2p.ParseDestination(append(raw, excess...))
	if err != nil {
		t.Fatal(err)
	}
	return dest
}

func digest(hash crypto.Hash, message []byte) []byte {
	h := hash.New()
	h.Write(message)
	return h.Sum(nil)
}
