package i2p

import "fmt"

// A Signer signs for a Destination, or with a transient key for it. Keys is one;
// one that keeps its key elsewhere can be another.
type Signer interface {
	// SigType is the type of the key that signs.
	SigType() SigType
	// Sign returns the signature of message, SigType().SignatureSize() bytes.
	Sign(message []byte) ([]byte, error)
}

// A SigningPublicKey verifies signatures.
type SigningPublicKey struct {
	Type SigType
	// Key has Type.PublicSize() bytes, as the specification encodes them.
	Key []byte
}

// Verify returns nil if signature is one of message by k, ErrSignature if it
// is not, ErrUnsupported if k's type is not Known, and ErrInvalid if k or
// signature has the wrong size. The price differs: 40 µs for Ed25519, 2.5 ms
// for P-521, so who verifies for strangers should bound how often.
func (k SigningPublicKey) Verify(message, signature []byte) error {
	verify, ok := verifiers[k.Type]
	if !ok {
		return k.Type.unsupported()
	}
	if len(k.Key) != k.Type.PublicSize() || len(signature) != k.Type.SignatureSize() {
		return fmt.Errorf("%v key of %d and signature of %d bytes: %w", k.Type, len(k.Key), len(signature), ErrInvalid)
	}
	if !verify(k.Key, message, signature) {
		return ErrSignature
	}
	return nil
}
