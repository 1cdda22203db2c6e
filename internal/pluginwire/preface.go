package pluginwire

import (
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/onelease/onelease/i2p"
)

// A Role is what a connection to the data socket is for.
type Role uint8

// The roles of a connection, with what Preface.ID then is.
const (
	Accepts Role = 1 // a stream that came; ID is Incoming's stream
	Dials   Role = 2 // a stream of the plugin's; ID is 0
	Packets Role = 3 // a port for datagrams; ID is Open's
)

// A Token is the secret that each connection begins with.
type Token [32]byte

// Equal compares in constant time.
func (t Token) Equal(other Token) bool { return subtle.ConstantTimeCompare(t[:], other[:]) == 1 }

// String keeps the secret out of logs.
func (t Token) String() string { return "(token)" }

// A Preface is what the plugin sends first.
type Preface struct {
	Token Token
	Role  Role
	ID    uint64
}

const (
	magic       = "OLP1"
	prefaceSize = len(magic) + len(Token{}) + 1 + 8
)

// AppendTo appends the 45 bytes of p to b.
func (p Preface) AppendTo(b []byte) []byte {
	b = append(b, magic...)
	b = append(b, p.Token[:]...)
	b = append(b, byte(p.Role))
	return binary.BigEndian.AppendUint64(b, p.ID)
}

// ParsePreface reads a preface of 45 bytes. Its Token is not checked.
func ParsePreface(b []byte) (Preface, error) {
	if len(b) != prefaceSize {
		return Preface{}, fmt.Errorf("preface of %d bytes, want %d: %w", len(b), prefaceSize, i2p.ErrTruncated)
	}
	if string(b[:len(magic)]) != magic {
		return Preface{}, fmt.Errorf("preface does not begin with %s: %w", magic, i2p.ErrInvalid)
	}
	b = b[len(magic):]
	p := Preface{Token: Token(b), Role: Role(b[len(Token{})]), ID: binary.BigEndian.Uint64(b[len(Token{})+1:])}
	if p.Role < Accepts || p.Role > Packets || (p.Role == Dials) != (p.ID == 0) {
		return Preface{}, fmt.Errorf("preface of role %d and id %d: %w", p.Role, p.ID, i2p.ErrInvalid)
	}
	return p, nil
}

// ReadPreface reads no byte more than the preface. The caller has set a
// deadline, and compares the Token.
func ReadPreface(r io.Reader) (Preface, error) {
	var b [prefaceSize]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return Preface{}, fmt.Errorf("preface: %w", err)
	}
	return ParsePreface(b[:])
}

// How a program knows that Onelease has started it as a plugin, and which protocol
// it speaks. The cookie is no secret.
const (
	CookieKey       = "ONELEASE_PLUGIN"
	Cookie          = "3c1f0c1d5d0e4b0c9c7a"
	ProtocolVersion = 1
)
