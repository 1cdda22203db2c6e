package i2p

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha512"
	"errors"
	"testing"
)

// TestVerifySignaturesOfI2PD has every type that i2pd can sign with.
func TestVerifySignaturesOfI2PD(t *testing.T) {
	for _, row := range readVectors(t, "signatures.tsv") {
		dest, err := ParseDestinationBase64(row[1])
		if err != nil {
			t.Fatal(err)
		}
		if dest.SigType() != sigType(t, row[0]) {
			t.Fatalf("type %v, want %s", dest.SigType(), row[0])
		}
		checkVerifier(t, dest.SigningKey(), fromHex(t, row[2]), fromHex(t, row[3]))
	}
}

// checkVerifier wants signature to hold, but for no other message, signature
// or key.
func checkVerifier(t *testing.T, key SigningPublicKey, message, signature []byte) {
	t.Helper()
	if err := key.Verify(message, signature); err != nil {
		t.Errorf("%v: %v", key.Type, err)
	}
	other := append([]byte("x"), message...)
	if err := key.Verify(other, signature); !errors.Is(err, ErrSignature) {
		t.Errorf("%v, other message: error %v, want ErrSignature", key.Type, err)
	}
	for _, at := range []int{0, len(signature)/2 - 1, len(signature) - 1} {
		broken := append([]byte(nil), signature...)
		broken[at] ^= 1
		if err := key.Verify(message, broken); !errors.Is(err, ErrSignature) {
			t.Errorf("%v, byte %d broken: error %v, want ErrSignature", key.Type, at, err)
		}
	}
	for _, at := range []int{0, len(key.Key) - 1} {
		wrong := SigningPublicKey{Type: key.Type, Key: append([]byte(nil), key.Key...)}
		wrong.Key[at] ^= 1
		if err := wrong.Verify(message, signature); !errors.Is(err, ErrSignature) {
			t.Errorf("%v, byte %d of the key broken: error %v, want ErrSignature", key.Type, at, err)
		}
	}
	zero := make([]byte, len(signature))
	if err := key.Verify(message, zero); !errors.Is(err, ErrSignature) {
		t.Errorf("%v, zeros: error %v, want ErrSignature", key.Type, err)
	}
}

// TestVerifyRSA has signatures by OpenSSL: i2pd has dropped RSA.
func TestVerifyRSA(t *testing.T) {
	for _, row := range readVectors(t, "rsa.tsv") {
		key := SigningPublicKey{Type: sigType(t, row[0]), Key: fromHex(t, row[1])}
		checkVerifier(t, key, fromHex(t, row[2]), fromHex(t, row[3]))
	}
}

// TestVerifyEd25519ph has a signature by the standard library: no router signs
// with this type.
func TestVerifyEd25519ph(t *testing.T) {
	k := mustGenerate(t)
	message := []byte("I2P signs this.")
	hash := sha512.Sum512(message)
	signature := ed25519.Sign(ed25519.NewKeyFromSeed(k.Signing), hash[:])
	key := SigningPublicKey{Type: SigEd25519ph, Key: k.Destination.SigningKey().Key}
	checkVerifier(t, key, message, signature)
}

func TestVerifyBadSizes(t *testing.T) {
	for kind := range sigInfos {
		key := SigningPublicKey{Type: kind, Key: make([]byte, kind.PublicSize())}
		if err := key.Verify(nil, make([]byte, kind.SignatureSize()-1)); !errors.Is(err, ErrInvalid) {
			t.Errorf("%v, short signature: error %v, want ErrInvalid", kind, err)
		}
		key.Key = key.Key[1:]
		if err := key.Verify(nil, make([]byte, kind.SignatureSize())); !errors.Is(err, ErrInvalid) {
			t.Errorf("%v, short key: error %v, want ErrInvalid", kind, err)
		}
	}
	if err := (SigningPublicKey{Type: 9}).Verify(nil, nil); !errors.Is(err, ErrUnsupported) {
		t.Errorf("GOST: error %v, want ErrUnsupported", err)
	}
}

// TestDerivePublicRefuses has private keys of 0 and beyond the group's order.
func TestDerivePublicRefuses(t *testing.T) {
	for _, kind := range []SigType{SigECDSAP256, SigECDSAP384, SigECDSAP521} {
		for _, b := range []byte{0, 0xff} {
			private := bytes.Repeat([]byte{b}, kind.PrivateSize())
			if _, err := derivePublic(kind, private); !errors.Is(err, ErrInvalid) {
				t.Errorf("%v of %x: error %v, want ErrInvalid", kind, b, err)
			}
		}
	}
}

// TestDerivePublicPads has the only DSA key whose number is known to be small:
// to the exponent 0.
func TestDerivePublicPads(t *testing.T) {
	got, err := derivePublic(SigDSASHA1, make([]byte, 20))
	want := append(make([]byte, 127), 1)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%x, %v, want %x", got, err, want)
	}
}

func TestEveryTypeIsServed(t *testing.T) {
	for kind := range sigInfos {
		if verifiers[kind] == nil || signers[kind] == nil {
			t.Errorf("%v has none", kind)
		}
	}
}
