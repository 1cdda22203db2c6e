package backend

import (
	"errors"
	"fmt"

	"github.com/onelease/onelease/i2p"
)

// A Kind is one of I2P's four forms of datagram; its value is the I2CP
// protocol number ("Datagram Specification").
type Kind uint8

const (
	// Datagram carries its sender's Destination and a signature of the
	// payload. Nothing in it stops a replay: whoever saw one can send it again,
	// also to another Destination, so a service must bear duplicates.
	Datagram Kind = 17
	// Raw carries nothing but the payload: a reader learns no Destination.
	Raw Kind = 18
	// Datagram2 is signed for one receiver, so it cannot be replayed to
	// another, and may be signed by a transient key. Not all remotes take
	// one of those: i2pd 2.45.1 knows no Datagram2; 2.58 does not skip the
	// offline signature if it knows our LeaseSet, and hands it to the application
	// before the payload (libi2pd/Datagram.cpp, HandleDatagram2).
	Datagram2 Kind = 19
	// Datagram3 names its sender by hash and is not signed: anybody can claim
	// to be anybody.
	Datagram3 Kind = 20
)

// String is the name of k.
func (k Kind) String() string {
	switch k {
	case Raw:
		return "raw"
	case Datagram:
		return "datagram"
	case Datagram2:
		return "datagram2"
	case Datagram3:
		return "datagram3"
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// MarshalText is k's name.
func (k Kind) MarshalText() ([]byte, error) {
	if _, ok := k.index(); !ok {
		return nil, errKind
	}
	return []byte(k.String()), nil
}

// UnmarshalText reads a Kind's name, as String writes it.
func (k *Kind) UnmarshalText(text []byte) error {
	for _, known := range []Kind{Datagram, Raw, Datagram2, Datagram3} {
		if string(text) == known.String() {
			*k = known
			return nil
		}
	}
	return fmt.Errorf("%.20q: %w", text, errKind)
}

var errKind = errors.New("no such kind of datagram: want raw, datagram, datagram2 or datagram3")

// index is k's place in tables by kind, and whether k is one of the four.
func (k Kind) index() (int, bool) { return int(k - Datagram), k >= Datagram && k <= Datagram3 }

// An Addr is where a datagram came from or goes to, and an end of a stream. Its
// Destination is zero for the sender of a Datagram3, whose hash is all that is
// known, and so is all but the port for the sender of a Raw datagram. Writing to
// one that has only a Hash looks the Destination up.
type Addr = i2p.Addr
