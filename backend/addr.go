package backend

import (
	"fmt"
	"net"
	"strconv"

	"github.com/onelease/onelease/i2p"
)

// Network is what Addr.Network returns.
const Network = "i2p"

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
	// another, and may be signed by a transient key.
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

// index is k's place in tables by kind, and whether k is one of the four.
func (k Kind) index() (int, bool) { return int(k - Datagram), k >= Datagram && k <= Datagram3 }

// kinds is how many Kinds there are.
const kinds = 4

// An Addr is where a datagram came from or goes to. It is never changed once
// it has been handed out, and can be compared by its String.
type Addr struct {
	// Destination is zero if only the Hash is known (a Datagram3 came in, or
	// the address was made from a b32 name); writing to such an Addr looks the
	// Destination up. It is also zero for the sender of a Raw datagram.
	Destination i2p.Destination
	// Hash is the Destination's; zero for the sender of a Raw datagram.
	Hash i2p.Hash
	// Port is the I2P port, 0 for none in particular.
	Port uint16
}

// NewAddr returns the address of a port of dest.
func NewAddr(dest i2p.Destination, port uint16) *Addr {
	return &Addr{Destination: dest, Hash: dest.Hash(), Port: port}
}

// ParseAddr reads "b32:port", as String writes it; without ":port" it is port 0.
func ParseAddr(s string) (*Addr, error) {
	name, portText, err := net.SplitHostPort(s)
	if err != nil {
		name, portText = s, "0"
	}
	hash, err := i2p.ParseBase32(name)
	if err != nil {
		return nil, fmt.Errorf("I2P address: %w", err)
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("I2P address: port %.10q, want 0 to 65535: %w", portText, i2p.ErrInvalid)
	}
	return &Addr{Hash: hash, Port: uint16(port)}, nil
}

// Network is "i2p".
func (a *Addr) Network() string { return Network }

// String is "b32:port", or "unknown:port" for the sender of a Raw datagram.
func (a *Addr) String() string {
	host := "unknown"
	if a.Hash != (i2p.Hash{}) {
		host = a.Hash.Base32()
	}
	return host + ":" + strconv.Itoa(int(a.Port))
}

var _ net.Addr = (*Addr)(nil)
