package i2p

import (
	"crypto/rand"
	"crypto/sha512"

	"filippo.io/edwards25519"
)

// RedDSA on Ed25519, as I2P has it ("Encrypted LeaseSet", Red25519): the private
// key is a scalar instead of a seed, and the nonce has 80 random bytes in it, so
// that two signatures of one message differ. Its scalars are little-endian.

const redDSARandom = 80

// redDSAScalar is the private key, reduced: what comes from elsewhere may not be.
func redDSAScalar(private []byte) *edwards25519.Scalar {
	var wide [64]byte
	copy(wide[:], private)
	s, err := edwards25519.NewScalar().SetUniformBytes(wide[:])
	if err != nil {
		panic(err) // the size is right
	}
	return s
}

func redDSAPublic(private []byte) []byte {
	return new(edwards25519.Point).ScalarBaseMult(redDSAScalar(private)).Bytes()
}

func redDSASigner(private []byte) (signFunc, error) {
	a, public := redDSAScalar(private), redDSAPublic(private)
	if a.Equal(edwards25519.NewScalar()) == 1 {
		return nil, errOutOfRange
	}
	return func(message []byte) ([]byte, error) {
		var random [redDSARandom]byte
		rand.Read(random[:])
		r := hashToScalar(random[:], public, message)
		commitment := new(edwards25519.Point).ScalarBaseMult(r).Bytes()
		challenge := hashToScalar(commitment, public, message)
		s := edwards25519.NewScalar().MultiplyAdd(challenge, a, r)
		return append(commitment, s.Bytes()...), nil
	}, nil
}

func hashToScalar(parts ...[]byte) *edwards25519.Scalar {
	h := sha512.New()
	for _, part := range parts {
		h.Write(part)
	}
	s, err := edwards25519.NewScalar().SetUniformBytes(h.Sum(nil))
	if err != nil {
		panic(err) // SHA-512 has 64 bytes
	}
	return s
}

// newRedDSA is a new private key.
func newRedDSA() []byte {
	var wide [64]byte
	rand.Read(wide[:])
	s, err := edwards25519.NewScalar().SetUniformBytes(wide[:])
	if err != nil {
		panic(err) // the size is right
	}
	return s.Bytes()
}
