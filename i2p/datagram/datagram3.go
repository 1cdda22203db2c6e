package datagram

import (
	"fmt"

	"github.com/onelease/onelease/i2p"
)

// A Datagram3 is a datagram that names its sender and proves nothing,
// protocol 20: hash | flags | options | payload. Its slices are views into
// what it was parsed from.
type Datagram3 struct {
	// From is the hash of whoever the datagram claims to be from.
	From i2p.Hash
	// Options is the encoded mapping, or nil; i2p.ParseMapping reads it.
	Options []byte
	Payload []byte
}

// Overhead3 is what a Datagram3 without options adds to its payload, in bytes.
const Overhead3 = i2p.HashSize + 2

// AppendDatagram3 appends a datagram from from. Empty options are left out. A
// result beyond MaxSize is ErrTooLarge.
func AppendDatagram3(b []byte, from i2p.Hash, options i2p.Mapping, payload []byte) ([]byte, error) {
	out, err := appendFlags(append(b, from[:]...), version3, options)
	if err != nil {
		return b, err
	}
	if err := checkSize(len(out) - len(b) + len(payload)); err != nil {
		return b, err
	}
	return append(out, payload...), nil
}

// ParseDatagram3 reads the whole of b.
func ParseDatagram3(b []byte) (Datagram3, error) {
	from, rest, err := take(b, i2p.HashSize, "datagram3: sender")
	if err != nil {
		return Datagram3{}, err
	}
	_, options, payload, err := parseFlags(rest, version3)
	if err != nil {
		return Datagram3{}, fmt.Errorf("datagram3: %w", err)
	}
	return Datagram3{From: i2p.Hash(from), Options: options, Payload: payload}, nil
}
