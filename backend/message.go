package backend

import (
	"errors"
	"fmt"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/sam"
)

// A Message is one datagram as it came, or as it is to go: what a PacketConn
// carries, with all that I2CP says of it. See Tap and SendMessage.
type Message struct {
	Kind Kind
	// Protocol is the I2CP protocol number of a Raw message, 0 to 255. Those of
	// the other kinds and of streams are taken: 6, 17, 19 and 20 cannot be sent.
	// For other kinds it need not be set; of what came it always is.
	Protocol uint8
	// FromPort and ToPort are I2CP ports; 0 is unspecified.
	FromPort, ToPort uint16
	// Peer is the sender of what came; its port is FromPort. It is shared and
	// must not be changed. It is nil for Raw, which does not say who sent it, and
	// has only a Hash for a Datagram3 of somebody who is not known. Of what is to
	// go it is the receiver, with a Destination, whose port means nothing.
	Peer *Addr
	// Data is the payload. It belongs to the caller, and is valid during the call.
	Data []byte
}

// SendOptions are hints for the router; the zero value leaves all to it.
type SendOptions = sam.SendOptions

// A Match says which messages a Tap gets.
type Match struct {
	Kind Kind
	// Protocol is for Raw: the number to listen to, or 0 for all but streams that
	// nothing else is there for. With 17, 19 or 20 the payload is what came on
	// the wire, with the sender and the signature still in it and not checked.
	Protocol uint8
	// Port is the port that messages come to, or 0 for those that nothing else is
	// there for.
	Port uint16
}

var (
	errStreaming = errors.New("protocol 6 is that of streams: use Listen and DialContext")
	errTaken     = errors.New("protocols 6, 17, 19 and 20 are those of streams and of datagrams with a sender: choose another for raw ones")
	errNowhere   = errors.New("the address has no Destination: look it up first")
)

// number is the protocol that m is for.
func (m *Match) number() uint8 {
	if m.Kind == Raw {
		return m.Protocol
	}
	return uint8(m.Kind)
}

// Tap has deliver called with each message that matches, until stop is called or
// the Host ends. It is what ListenPacket is made of, for who needs the ports of
// each message or other protocols. A message goes to one Tap: the one of its protocol
// and port, else of its protocol and port 0, else of protocol 0 and its port, else
// of both 0.
//
// deliver is called from the goroutines that read the frontends' links, maybe from
// several at once, and holds them up: it must not block. It must not keep the Data.
// A call that has begun may end after stop returns. The errors are those of
// ListenPacket; ErrPortInUse is for the same protocol and port.
func (h *Host) Tap(match Match, deliver func(Message)) (stop func(), err error) {
	t := &tap{match: match, deliver: deliver}
	if err := h.openTap(t); err != nil {
		return nil, fmt.Errorf("listen for %v of protocol %d on port %d: %w", match.Kind, match.number(), match.Port, err)
	}
	return func() { h.ports.close(t) }, nil
}

func (h *Host) openTap(t *tap) error {
	if err := h.checkKind(t.match.Kind); err != nil {
		return err
	}
	if t.match.number() == ProtocolStreaming {
		return errStreaming
	}
	if err := h.ports.open(t); err != nil {
		return err
	}
	h.opened()
	return nil
}

// SendMessage sends m, whose Peer has a Destination. Like a PacketConn's WriteTo it
// does not wait for the network: an error that is ErrNoFrontend or sam.ErrFull says
// that m was not sent; it may be tried again. ErrTooLarge and ErrNoSigner are as
// there. Nothing has to be open for it.
func (h *Host) SendMessage(m Message, o SendOptions) error {
	if m.Peer == nil || m.Peer.Destination.IsZero() {
		return errNowhere
	}
	p := sam.Packet{
		Peer: m.Peer.Destination, FromPort: m.FromPort, ToPort: m.ToPort, Protocol: uint8(m.Kind), Options: o,
	}
	if m.Kind == Raw {
		p.Protocol = m.Protocol
	}
	return h.send(m.Kind, p, m.Data, hashOf(m.Peer))
}

// hashOf is the hash that the address names, made from the Destination if it has
// none yet.
func hashOf(a *Addr) i2p.Hash {
	if a.Hash == (i2p.Hash{}) {
		return a.Destination.Hash()
	}
	return a.Hash
}
