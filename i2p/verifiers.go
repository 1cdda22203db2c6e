package i2p

import (
	"crypto"
	"crypto/dsa" //lint:ignore SA1019 Destinations from before 2014 have DSA keys, and only those can say who signed
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha512"
	"fmt"
	"math/big"
)

// verifiers hold a check for each type; sizes are right when one is called.
//
// RedDSA signs with another nonce than Ed25519 but verifies by the same
// equation ("Encrypted LeaseSet", Sign/Verify Calculations; so does i2pd). The
// length prefix and the tag of the "Red25519" document are nobody's practice.
//
// Ed25519ph is Java I2P's, plain Ed25519 over the message's SHA-512, and not
// that of RFC 8032. Only update files have such signatures, no Destination.
var verifiers = map[SigType]func(key, message, signature []byte) bool{
	SigDSASHA1:       verifyDSA,
	SigECDSAP256:     ecdsaVerifier(elliptic.P256(), crypto.SHA256),
	SigECDSAP384:     ecdsaVerifier(elliptic.P384(), crypto.SHA384),
	SigECDSAP521:     ecdsaVerifier(elliptic.P521(), crypto.SHA512),
	SigRSA2048:       rsaVerifier(crypto.SHA256),
	SigRSA3072:       rsaVerifier(crypto.SHA384),
	SigRSA4096:       rsaVerifier(crypto.SHA512),
	SigEd25519:       verifyEd25519,
	SigEd25519ph:     verifyEd25519ph,
	SigRedDSAEd25519: verifyEd25519,
}

func verifyEd25519(key, message, signature []byte) bool {
	return ed25519.Verify(key, message, signature)
}

func verifyEd25519ph(key, message, signature []byte) bool {
	hash := sha512.Sum512(message)
	return ed25519.Verify(key, hash[:], signature)
}

// ecdsaVerifier checks signatures r|s by keys x|y, each half padded to its
// full width ("SigningPublicKey", "Signature").
func ecdsaVerifier(curve elliptic.Curve, hash crypto.Hash) func(key, message, signature []byte) bool {
	return func(key, message, signature []byte) bool {
		public, err := ecdsa.ParseUncompressedPublicKey(curve, append([]byte{4}, key...))
		if err != nil {
			return false
		}
		r, s := halves(signature)
		return ecdsa.Verify(public, digest(hash, message), r, s)
	}
}

// rsaVerifier checks PKCS #1 v1.5 signatures; a key is its modulus, the
// exponent is always 65537 ("Cryptography", RSA).
func rsaVerifier(hash crypto.Hash) func(key, message, signature []byte) bool {
	return func(key, message, signature []byte) bool {
		public := &rsa.PublicKey{N: new(big.Int).SetBytes(key), E: rsaExponent}
		return rsa.VerifyPKCS1v15(public, hash, digest(hash, message), signature) == nil
	}
}

func verifyDSA(key, message, signature []byte) bool {
	public := &dsa.PublicKey{Parameters: dsaParameters, Y: new(big.Int).SetBytes(key)}
	hash := sha1.Sum(message)
	r, s := halves(signature)
	return dsa.Verify(public, hash[:], r, s)
}

func digest(hash crypto.Hash, message []byte) []byte {
	h := hash.New()
	h.Write(message)
	return h.Sum(nil)
}

// halves reads the two numbers of a signature.
func halves(signature []byte) (r, s *big.Int) {
	half := len(signature) / 2
	return new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:])
}

// derivePublic is the public key to a private one. RSA's has it as its first half.
func derivePublic(t SigType, private []byte) ([]byte, error) {
	switch t {
	case SigDSASHA1:
		y := new(big.Int).Exp(dsaParameters.G, new(big.Int).SetBytes(private), dsaParameters.P)
		return y.FillBytes(make([]byte, t.PublicSize())), nil
	case SigECDSAP256:
		return deriveECDSA(elliptic.P256(), private)
	case SigECDSAP384:
		return deriveECDSA(elliptic.P384(), private)
	case SigECDSAP521:
		return deriveECDSA(elliptic.P521(), private)
	case SigEd25519, SigEd25519ph:
		return ed25519.NewKeyFromSeed(private)[ed25519.SeedSize:], nil
	case SigRSA2048, SigRSA3072, SigRSA4096:
		return private[:t.PublicSize()], nil
	case SigRedDSAEd25519:
		return redDSAPublic(private), nil
	}
	return nil, t.unsupported()
}

func deriveECDSA(curve elliptic.Curve, private []byte) ([]byte, error) {
	key, err := ecdsa.ParseRawPrivateKey(curve, private)
	if err != nil {
		return nil, errOutOfRange
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		return nil, err
	}
	return point[1:], nil
}

var errOutOfRange = fmt.Errorf("private signing key is out of its range: %w", ErrInvalid)

// rsaExponent is the public exponent of all keys of I2P.
const rsaExponent = 65537

// dsaParameters are I2P's only ones ("Cryptography", DSA).
var dsaParameters = dsa.Parameters{
	P: hexNumber("9c05b2aa960d9b97b8931963c9cc9e8c3026e9b8ed92fad0a69cc886d5bf8015" +
		"fcadae31a0ad18fab3f01b00a358de237655c4964afaa2b337e96ad316b9fb1c" +
		"c564b5aec5b69a9ff6c3e4548707fef8503d91dd8602e867e6d35d2235c1869c" +
		"e2479c3b9d5401de04e0727fb33d6511285d4cf29538d9e3b6051f5b22cc1c93"),
	Q: hexNumber("a5dfc28fef4ca1e286744cd8eed9d29d684046b7"),
	G: hexNumber("0c1f4d27d40093b429e962d7223824e0bbc47e7c832a39236fc683af84889581" +
		"075ff9082ed32353d4374d7301cda1d23c431f4698599dda02451824ff369752" +
		"593647cc3ddc197de985e43d136cdcfc6bd5409cd2f450821142a5e6f8eb1c3a" +
		"b5d0484b8129fcf17bce4f7f33321c3cb3dbb14a905e7b2b3e93be4708cbcc82"),
}

func hexNumber(s string) *big.Int {
	n, ok := new(big.Int).SetString(s, 16)
	if !ok {
		panic("i2p: bad constant")
	}
	return n
}
