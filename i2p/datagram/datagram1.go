package datagram

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/onelease/onelease/i2p"
)

// Errors beside those of package i2p, which the decoders wrap.
var (
	// ErrTooLarge says that a payload does not fit into a datagram.
	ErrTooLarge = errors.New("datagram too large")
	// ErrExpired says that the permission for a transient key has ended.
	ErrExpired = errors.New("offline signature has expired")
)

// A Datagram1 is a repliable datagram, protocol 17: from | signature | payload.
// It has no place for an offline signature. Its fields are views into what it
// was parsed from.
type Datagram1 struct {
	From, Signature, Payload []byte
}

// Overhead1 is what a Datagram1 from dest adds to its payload, in bytes.
func Overhead1(dest i2p.Destination) int { return dest.Size() + dest.SigType().SignatureSize() }

// AppendDatagram1 appends a datagram from dest, which signer signs for with
// the Destination's own key. A result beyond MaxSize is ErrTooLarge.
func AppendDatagram1(b []byte, dest i2p.Destination, signer i2p.Signer, payload []byte) ([]byte, error) {
	if signer.SigType() != dest.SigType() {
		return b, fmt.Errorf("datagram signed by %v key for %v Destination; a transient key needs a datagram2: %w",
			signer.SigType(), dest.SigType(), i2p.ErrInvalid)
	}
	if err := checkSize(Overhead1(dest) + len(payload)); err != nil {
		return b, err
	}
	signature, err := sign1(signer, payload)
	if err != nil {
		return b, fmt.Errorf("sign datagram: %w", err)
	}
	b = dest.AppendTo(b)
	b = append(b, signature...)
	return append(b, payload...), nil
}

// sign1 signs the payload, or its SHA-256 for the oldest type of key.
func sign1(signer i2p.Signer, payload []byte) ([]byte, error) {
	if signer.SigType() != i2p.SigDSASHA1 {
		return signer.Sign(payload)
	}
	sum := sha256.Sum256(payload)
	return signer.Sign(sum[:])
}

// ParseDatagram1 reads the whole of b; it checks the form only.
func ParseDatagram1(b []byte) (Datagram1, error) {
	from, sig, rest, err := splitSender(b)
	if err != nil {
		return Datagram1{}, fmt.Errorf("datagram: %w", err)
	}
	signature, payload, err := take(rest, sig.SignatureSize(), "datagram: signature")
	if err != nil {
		return Datagram1{}, err
	}
	return Datagram1{From: from, Signature: signature, Payload: payload}, nil
}

// Verify returns nil if sender, whose From d has, signed it.
func (d Datagram1) Verify(sender *Sender) error {
	message := d.Payload
	if sender.Key.Type == i2p.SigDSASHA1 {
		sum := sha256.Sum256(d.Payload)
		message = sum[:]
	}
	if err := sender.Key.Verify(message, d.Signature); err != nil {
		return fmt.Errorf("datagram: %w", err)
	}
	return nil
}
