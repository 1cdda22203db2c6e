package datagram

import (
	"encoding/binary"
	"fmt"

	"github.com/onelease/onelease/i2p"
)

// Protocol numbers of I2CP for the forms of this package, and for raw datagrams.
const (
	Protocol1   = 17
	ProtocolRaw = 18
	Protocol2   = 19
	Protocol3   = 20
)

// MaxSize is the largest datagram in bytes, with what this package adds to the
// payload. I2CP takes almost 64 KiB, but SAM's datagrams end at 32 KiB, and
// i2pd cuts off what is beyond 32 KiB of a datagram (MAX_DATAGRAM_SIZE).
// Some 10 KB is the most that arrives reliably.
const MaxSize = 32 << 10

// A Sender is whom datagrams come from, with all at hand that checking one takes.
type Sender struct {
	Destination i2p.Destination
	Hash        i2p.Hash
	Key         i2p.SigningPublicKey
}

// NewSender returns dest as a Sender.
func NewSender(dest i2p.Destination) *Sender {
	return &Sender{Destination: dest, Hash: dest.Hash(), Key: dest.SigningKey()}
}

// ParseSender reads the From of a datagram. It does not keep from.
func ParseSender(from []byte) (*Sender, error) {
	dest, n, err := i2p.ParseDestination(from)
	if err == nil && n != len(from) {
		err = fmt.Errorf("sender with %d bytes after it: %w", len(from)-n, i2p.ErrInvalid)
	}
	if err != nil {
		return nil, err
	}
	return NewSender(dest), nil
}

// Layout of a Destination ("KeysAndCert"): the keys, then a certificate of
// type 1, length 2, and for a key certificate the signing key's type 2.
const (
	keysSize   = 384
	headSize   = keysSize + 3
	certNull   = 0
	certKey    = 5
	certKeyMin = 4
)

// splitSender cuts b behind the Destination that it starts with. It is a small
// copy of what i2p.ParseDestination does, which has to allocate: a receiver
// needs the size and the kind of key before it can tell that it knows them.
func splitSender(b []byte) (from []byte, sig i2p.SigType, rest []byte, err error) {
	if len(b) < headSize {
		return nil, 0, nil, fmt.Errorf("sender of %d bytes: %w", len(b), i2p.ErrTruncated)
	}
	certSize := int(binary.BigEndian.Uint16(b[keysSize+1:]))
	size := headSize + certSize
	if len(b) < size {
		return nil, 0, nil, fmt.Errorf("sender of %d bytes, want %d: %w", len(b), size, i2p.ErrTruncated)
	}
	switch kind := b[keysSize]; {
	case kind == certNull:
		sig = i2p.SigDSASHA1
	case kind == certKey && certSize >= certKeyMin:
		sig = i2p.SigType(binary.BigEndian.Uint16(b[headSize:]))
	default:
		return nil, 0, nil, fmt.Errorf("sender with a certificate of type %d, %d bytes: %w", kind, certSize, i2p.ErrUnsupported)
	}
	if !sig.Known() {
		return nil, 0, nil, fmt.Errorf("sender with a key of type %d: %w", uint16(sig), i2p.ErrUnsupported)
	}
	return b[:size:size], sig, b[size:], nil
}

// take cuts n bytes off b.
func take(b []byte, n int, what string) (taken, rest []byte, err error) {
	if len(b) < n {
		return nil, nil, fmt.Errorf("%s of %d bytes, want %d: %w", what, len(b), n, i2p.ErrTruncated)
	}
	return b[:n:n], b[n:], nil
}

// checkSize is the last step of each Append.
func checkSize(size int) error {
	if size > MaxSize {
		return fmt.Errorf("datagram of %d bytes, at most %d fit; send less at once: %w", size, MaxSize, ErrTooLarge)
	}
	return nil
}
