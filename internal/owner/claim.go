package owner

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/datagram"
	"github.com/onelease/onelease/i2p/streaming"
)

// protocolStreaming is its I2CP protocol number.
const protocolStreaming = 6

// A Kind says what in a packet tells whose it is.
type Kind uint8

const (
	// Nothing: it is no packet of its protocol.
	Nothing Kind = iota
	// ByID: the ID is a backend's, and has its tag. It is a packet of a stream,
	// or answers a ping.
	ByID
	// Begins: it asks for a stream. The ID is the remote's, the same in each retry.
	Begins
	// Early: it belongs to a stream that began with the ID, the remote's, and was
	// sent before our ID was there.
	Early
	// BySender: it goes by its Key.
	BySender
)

// A Claim is what a packet says of its owner.
type Claim struct {
	Kind
	ID uint32
	// from is the sender's Destination or its hash, nil if the ports stand for it.
	from  []byte
	ports uint32
}

// Of reads a packet. The Claim is a view into data.
func Of(protocol uint8, fromPort, toPort uint16, data []byte) Claim {
	ports := uint32(fromPort)<<16 | uint32(toPort)
	switch protocol {
	case protocolStreaming:
		return ofStreaming(data)
	case datagram.Protocol1, datagram.Protocol2:
		return ofSender(destination(data))
	case datagram.Protocol3:
		if len(data) < i2p.HashSize {
			return Claim{}
		}
		return ofSender(data[:i2p.HashSize])
	}
	return Claim{Kind: BySender, ports: ports} // a raw packet has no sender
}

func ofSender(from []byte) Claim {
	if from == nil {
		return Claim{}
	}
	return Claim{Kind: BySender, from: from}
}

// ofStreaming looks at the flags first: a ping's ID is its sender's.
func ofStreaming(data []byte) Claim {
	const header = 22 // without NACKs
	if len(data) < header || len(data) < header+4*int(data[16]) {
		return Claim{}
	}
	id, echo := binary.BigEndian.Uint32(data), IsEcho(data)
	switch {
	case id != 0 && !echo:
		return Claim{Kind: ByID, ID: id}
	case id == 0 && echo: // a pong returns the ID of our ping
		return Claim{Kind: ByID, ID: binary.BigEndian.Uint32(data[4:])}
	}
	var p streaming.Packet
	if p.Parse(data) != nil {
		return Claim{}
	}
	switch from := destination(p.From); {
	case echo:
		return ofSender(from)
	case p.Flags&streaming.FlagSync == 0:
		return Claim{Kind: Early, ID: p.ReceiveID}
	case from == nil:
		return Claim{}
	default:
		return Claim{Kind: Begins, ID: p.ReceiveID, from: from}
	}
}

// IsEcho reports whether a packet of the streaming protocol is a ping or a pong.
func IsEcho(data []byte) bool {
	if len(data) < 17 {
		return false
	}
	at := 18 + 4*int(data[16])
	return len(data) >= at+2 && streaming.Flags(binary.BigEndian.Uint16(data[at:]))&streaming.FlagEcho != 0
}

// destination is the encoded Destination that b begins with, nil if there is none:
// 384 bytes of keys, and a certificate: type 1 | length 2 | data.
func destination(b []byte) []byte {
	const keys = 256 + 128
	if len(b) < keys+3 {
		return nil
	}
	if size := keys + 3 + int(binary.BigEndian.Uint16(b[keys+1:])); size <= len(b) {
		return b[:size]
	}
	return nil
}

// Hash is the sender's; zero for a packet that does not say.
func (c *Claim) Hash() i2p.Hash {
	switch {
	case c.from == nil:
		return i2p.Hash{}
	case len(c.from) == i2p.HashSize:
		return i2p.Hash(c.from)
	}
	return sha256.Sum256(c.from)
}

// Key is the same for all packets of one sender, or with one pair of ports if those
// have none, whatever frontend they come by.
func (c *Claim) Key() uint64 {
	if c.from == nil {
		return uint64(c.ports)
	}
	return KeyOf(c.Hash())
}

// KeyOf is the Key of that sender's packets.
func KeyOf(hash i2p.Hash) uint64 { return binary.BigEndian.Uint64(hash[:]) }
