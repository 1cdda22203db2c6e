package streaming

import (
	"net"
	"strconv"

	"github.com/onelease/onelease/i2p"
)

// Network is what Addr.Network returns.
const Network = "i2p"

// An Addr is one end of a stream. It is immutable.
type Addr struct {
	Remote *Remote
	// Port is the I2P port, 0 for none in particular.
	Port uint16
}

// Network is "i2p".
func (a *Addr) Network() string { return Network }

// String is "b32:port".
func (a *Addr) String() string {
	return a.Remote.Hash.Base32() + ":" + strconv.Itoa(int(a.Port))
}

// Hash is the hash of the Destination.
func (a *Addr) Hash() i2p.Hash { return a.Remote.Hash }

// Destination is whose end it is.
func (a *Addr) Destination() i2p.Destination { return a.Remote.Destination }

var _ net.Addr = (*Addr)(nil)
