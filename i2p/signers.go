package i2p

import (
	"bytes"
	"crypto"
	"crypto/dsa" //lint:ignore SA1019 as in verifiers.go
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha512"
	"fmt"
	"math/big"
)

// A signFunc signs a message with a private key that it holds.
type signFunc func(message []byte) ([]byte, error)

// signers make a signFunc of a private key; its size is right when one is
// called. What they sign, verifiers check.
var signers = map[SigType]func(private []byte) (signFunc, error){
	SigDSASHA1:       dsaSigner,
	SigECDSAP256:     ecdsaSigner(elliptic.P256(), crypto.SHA256),
	SigECDSAP384:     ecdsaSigner(elliptic.P384(), crypto.SHA384),
	SigECDSAP521:     ecdsaSigner(elliptic.P521(), crypto.SHA512),
	SigRSA2048:       rsaSigner(crypto.SHA256),
	SigRSA3072:       rsaSigner(crypto.SHA384),
	SigRSA4096:       rsaSigner(crypto.SHA512),
	SigEd25519:       ed25519Signer,
	SigEd25519ph:     ed25519phSigner,
	SigRedDSAEd25519: redDSASigner,
}

// A prepared is a private key as its algorithm wants it. For Ed25519 it is more
// than a thing that was computed once: crypto/ed25519 keeps what it computes from
// a key by the key's address, so one that stays where it is signs twice as fast.
type prepared struct {
	kind    SigType
	private []byte
	sign    signFunc
}

func prepare(t SigType, private []byte) (*prepared, error) {
	signer, ok := signers[t]
	if !ok {
		return nil, t.unsupported()
	}
	if len(private) != t.PrivateSize() {
		return nil, fmt.Errorf("%v private key of %d bytes, want %d: %w", t, len(private), t.PrivateSize(), ErrInvalid)
	}
	private = bytes.Clone(private)
	sign, err := signer(private)
	if err != nil {
		return nil, err
	}
	return &prepared{t, private, sign}, nil
}

// is reports whether p is of that key, which may have been set by hand.
func (p *prepared) is(t SigType, private []byte) bool {
	return p != nil && p.kind == t && bytes.Equal(p.private, private)
}

func ed25519Signer(seed []byte) (signFunc, error) {
	key := ed25519.NewKeyFromSeed(seed)
	return func(message []byte) ([]byte, error) { return ed25519.Sign(key, message), nil }, nil
}

func ed25519phSigner(seed []byte) (signFunc, error) {
	key := ed25519.NewKeyFromSeed(seed)
	return func(message []byte) ([]byte, error) {
		hash := sha512.Sum512(message)
		return ed25519.Sign(key, hash[:]), nil
	}, nil
}

func ecdsaSigner(curve elliptic.Curve, hash crypto.Hash) func(private []byte) (signFunc, error) {
	return func(private []byte) (signFunc, error) {
		key, err := ecdsa.ParseRawPrivateKey(curve, private)
		if err != nil {
			return nil, errOutOfRange
		}
		return func(message []byte) ([]byte, error) {
			r, s, err := ecdsa.Sign(rand.Reader, key, digest(hash, message))
			return joinHalves(r, s, 2*len(private), err)
		}, nil
	}
}

// rsaSigner takes keys of modulus and private exponent. Their primes are not
// there, so that a signature takes four times as long as it might.
func rsaSigner(hash crypto.Hash) func(private []byte) (signFunc, error) {
	return func(private []byte) (signFunc, error) {
		n, d := halves(private)
		key := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: n, E: rsaExponent}, D: d}
		sign := func(message []byte) ([]byte, error) {
			return rsa.SignPKCS1v15(nil, key, hash, digest(hash, message))
		}
		signature, err := sign(nil)
		if err != nil || rsa.VerifyPKCS1v15(&key.PublicKey, hash, digest(hash, nil), signature) != nil {
			return nil, fmt.Errorf("private exponent is not that of the RSA key: %w", ErrInvalid)
		}
		return sign, nil
	}
}

func dsaSigner(private []byte) (signFunc, error) {
	x := new(big.Int).SetBytes(private)
	if x.Sign() == 0 || x.Cmp(dsaParameters.Q) >= 0 {
		return nil, errOutOfRange
	}
	key := &dsa.PrivateKey{PublicKey: dsa.PublicKey{Parameters: dsaParameters}, X: x}
	return func(message []byte) ([]byte, error) {
		hash := sha1.Sum(message)
		r, s, err := dsa.Sign(rand.Reader, key, hash[:])
		return joinHalves(r, s, SigDSASHA1.SignatureSize(), err)
	}, nil
}

// joinHalves is what halves reads.
func joinHalves(r, s *big.Int, size int, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	signature := make([]byte, size)
	r.FillBytes(signature[:size/2])
	s.FillBytes(signature[size/2:])
	return signature, nil
}
