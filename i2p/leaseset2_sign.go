package i2p

import (
	"bytes"
	"fmt"
)

// A foreignBody is a signed body and what AppendBody makes of its fields, each
// after the byte StoreLeaseSet2. As long as the fields say the same, the
// signature is over received.
type foreignBody struct{ received, encoded []byte }

// Sign signs ls, sets its Signature and returns the whole encoded LeaseSet.
// It refuses a LeaseSet that lives longer than MaxLeaseSetLife, and a signer
// whose key is not the one that ls names.
func (ls *LeaseSet2) Sign(signer Signer) ([]byte, error) {
	if life := ls.Expires.Sub(ls.Published); life > MaxLeaseSetLife {
		return nil, fmt.Errorf("sign LeaseSet2: expires %v after it was published, at most %v: %w", life, MaxLeaseSetLife, ErrInvalid)
	}
	if want := ls.signingType(); signer.SigType() != want {
		return nil, fmt.Errorf("sign LeaseSet2: signer has %v, LeaseSet names %v: %w", signer.SigType(), want, ErrInvalid)
	}
	signed, err := ls.signedBytes()
	if err != nil {
		return nil, err
	}
	signature, err := signer.Sign(signed)
	if err != nil {
		return nil, fmt.Errorf("sign LeaseSet2: %w", err)
	}
	ls.Signature, ls.foreign = signature, nil
	return append(signed[1:], signature...), nil
}

// signingType is the type of the key that Signature is to be checked with.
func (ls *LeaseSet2) signingType() SigType {
	if ls.Offline != nil {
		return ls.Offline.Key.Type
	}
	return ls.Destination.SigType()
}

// Verify returns nil if ls bears a signature of its Destination, or of a
// transient key that its Destination permits. It does not look at dates.
//
// A LeaseSet that ParseLeaseSet2 returned is checked over the very bytes that
// came in, however they were ordered. Once a field is changed it no longer
// verifies, until it is signed again or changed back.
func (ls *LeaseSet2) Verify() error {
	key := ls.Destination.SigningKey
	if ls.Offline != nil {
		if err := ls.Offline.Verify(ls.Destination); err != nil {
			return fmt.Errorf("verify LeaseSet2: %w", err)
		}
		key = func() SigningPublicKey { return ls.Offline.Key }
	}
	signed, err := ls.signedBytes()
	if err != nil {
		return err
	}
	if ls.foreign != nil && bytes.Equal(signed, ls.foreign.encoded) {
		signed = ls.foreign.received
	}
	if err := key().Verify(signed, ls.Signature); err != nil {
		return fmt.Errorf("verify LeaseSet2: %w", err)
	}
	return nil
}

// usualSize is enough, in bytes, for 16 leases and an Ed25519 Destination.
const usualSize = 1536

// signedBytes is what Signature is over.
func (ls *LeaseSet2) signedBytes() ([]byte, error) {
	return ls.AppendBody(append(make([]byte, 0, usualSize), StoreLeaseSet2))
}
