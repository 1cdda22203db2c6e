package i2p

import "fmt"

// Keys are a Destination with what signs for it. Its fields are secret but for
// Destination and Offline; printed, logged or put in JSON it is only the
// address. It may be used by many goroutines that do not change it.
type Keys struct {
	Destination Destination
	// Encryption is the private key of the Destination's own encryption key,
	// which nobody uses; it is kept so that a key file is written as it was read.
	Encryption []byte
	// Signing is the private signing key: of the Destination, or the
	// transient one if Offline is set. For Ed25519 it is the 32-byte seed, for
	// RSA the modulus and the private exponent.
	Signing []byte
	// Offline, if set, is the Destination's permission for the transient key.
	Offline *OfflineSignature

	// prepared is of Signing, unless that was set or changed by hand.
	prepared *prepared
}

// SigType is the type of the key that Sign uses.
func (k *Keys) SigType() SigType {
	if k.Offline != nil {
		return k.Offline.Key.Type
	}
	return k.Destination.SigType()
}

// Sign signs message. The keys of ParseKeys and GenerateKeys do so at the price of
// their algorithm; others, whose Signing was set by hand, prepare it each time.
func (k *Keys) Sign(message []byte) ([]byte, error) {
	p := k.prepared
	if t := k.SigType(); !p.is(t, k.Signing) {
		var err error
		if p, err = prepare(t, k.Signing); err != nil {
			return nil, fmt.Errorf("sign: %w", err)
		}
	}
	return p.sign(message)
}

// String is the public address.
func (k Keys) String() string { return k.Destination.Base32() }

// GoString keeps the private keys out of %#v.
func (k Keys) GoString() string { return "i2p.Keys{" + k.String() + "}" }

// MarshalText keeps the private keys out of JSON and of structured logs.
func (k Keys) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

var _ Signer = (*Keys)(nil)
