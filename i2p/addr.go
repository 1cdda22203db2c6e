package i2p

import (
	"fmt"
	"net"
	"strconv"
)

// Network is what Addr.Network returns.
const Network = "i2p"

// An Addr is a port of a Destination: where streams and datagrams come from and
// go to. It is never changed once it has been handed out, and can be compared by
// its String.
type Addr struct {
	// Destination is zero if only the Hash is known, as when the address was made
	// from a b32 name.
	Destination Destination
	// Hash is the Destination's; zero if nobody is named.
	Hash Hash
	// Port is the I2P port, 0 for none in particular.
	Port uint16
}

// NewAddr returns the address of a port of dest.
func NewAddr(dest Destination, port uint16) *Addr {
	return &Addr{Destination: dest, Hash: dest.Hash(), Port: port}
}

// ParseAddr reads "b32:port", as String writes it; without ":port" it is port 0.
func ParseAddr(s string) (*Addr, error) {
	name, portText, err := net.SplitHostPort(s)
	if err != nil {
		name, portText = s, "0"
	}
	hash, err := ParseBase32(name)
	if err != nil {
		return nil, fmt.Errorf("I2P address: %w", err)
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("I2P address: port %.10q, want 0 to 65535: %w", portText, ErrInvalid)
	}
	return &Addr{Hash: hash, Port: uint16(port)}, nil
}

// Network is "i2p".
func (a *Addr) Network() string { return Network }

// String is "b32:port", or "unknown:port" if nobody is named.
func (a *Addr) String() string {
	host := "unknown"
	if a.Hash != (Hash{}) {
		host = a.Hash.Base32()
	}
	return host + ":" + strconv.Itoa(int(a.Port))
}

var _ net.Addr = (*Addr)(nil)
