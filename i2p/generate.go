package i2p

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/binary"
	"fmt"
	"math/big"
)

// GenerateKeys makes a new Ed25519 Destination, which is what every router takes
// and the cheapest to verify.
func GenerateKeys() (*Keys, error) { return GenerateKeysOf(SigEd25519) }

// GenerateKeysOf makes a new Destination with a signing key of type t;
// ErrUnsupported if t is not Known. RSA takes long: SigRSA4096 a second and more
// of one core. The unused encryption key (ElGamal's type) and the padding repeat
// one random block of 32 bytes (proposal 161), so that the Destination compresses
// well.
func GenerateKeysOf(t SigType) (*Keys, error) {
	private, err := generateSigning(t)
	if err != nil {
		return nil, fmt.Errorf("generate keys: %w", err)
	}
	public, err := derivePublic(t, private)
	if err != nil {
		return nil, fmt.Errorf("generate keys: %w", err)
	}
	dest, _, err := ParseDestination(encodeDestination(t, public))
	if err != nil {
		return nil, fmt.Errorf("generate keys: %w", err)
	}
	k := &Keys{Destination: dest, Encryption: make([]byte, CryptoElGamal.PrivateSize()), Signing: private}
	if k.prepared, err = prepare(t, private); err != nil {
		return nil, fmt.Errorf("generate keys: %w", err)
	}
	return k, nil
}

// encodeDestination lays out the keys: a signing key that is too long for its
// field goes on in the certificate ("KeysAndCert"). DSA has no key certificate.
func encodeDestination(t SigType, public []byte) []byte {
	inField := min(len(public), signingField)
	var block [32]byte
	rand.Read(block[:])
	raw := make([]byte, 0, keysSize+certHeaderSize+keyCertMinimum+len(public))
	for len(raw) < keysSize-inField {
		raw = append(raw, block[:]...)
	}
	raw = append(raw[:keysSize-inField], public[:inField]...)
	if t == SigDSASHA1 {
		return append(raw, certNull, 0, 0)
	}
	excess := public[inField:]
	raw = append(raw, certKey)
	raw = binary.BigEndian.AppendUint16(raw, uint16(keyCertMinimum+len(excess)))
	raw = binary.BigEndian.AppendUint16(raw, uint16(t))
	raw = binary.BigEndian.AppendUint16(raw, uint16(CryptoElGamal))
	return append(raw, excess...)
}

// generateSigning makes a private key, as ParseKeys reads it.
func generateSigning(t SigType) ([]byte, error) {
	switch t {
	case SigDSASHA1:
		x, err := rand.Int(rand.Reader, new(big.Int).Sub(dsaParameters.Q, big.NewInt(1)))
		if err != nil {
			return nil, err
		}
		return x.Add(x, big.NewInt(1)).FillBytes(make([]byte, t.PrivateSize())), nil
	case SigECDSAP256:
		return generateECDSA(elliptic.P256())
	case SigECDSAP384:
		return generateECDSA(elliptic.P384())
	case SigECDSAP521:
		return generateECDSA(elliptic.P521())
	case SigRSA2048, SigRSA3072, SigRSA4096:
		return generateRSA(t.PublicSize())
	case SigEd25519, SigEd25519ph:
		seed := make([]byte, t.PrivateSize())
		rand.Read(seed)
		return seed, nil
	case SigRedDSAEd25519:
		return newRedDSA(), nil
	}
	return nil, t.unsupported()
}

func generateECDSA(curve elliptic.Curve) ([]byte, error) {
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		return nil, err
	}
	return key.Bytes()
}

// generateRSA makes a key with a modulus of size bytes.
func generateRSA(size int) ([]byte, error) {
	key, err := rsa.GenerateKey(rand.Reader, 8*size)
	if err != nil {
		return nil, err
	}
	return joinHalves(key.N, key.D, 2*size, nil)
}
