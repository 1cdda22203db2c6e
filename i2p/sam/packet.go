package sam

import (
	"slices"

	"github.com/onelease/onelease/i2p"
)

// Protocol numbers of I2CP ("I2CP Protocol Number"). A Packet may carry any.
const (
	ProtocolStreaming = 6
	ProtocolDatagram  = 17
	ProtocolRaw       = 18
)

// A Packet is one I2CP message between the hosted Destination and a remote.
type Packet struct {
	// Peer is where an outgoing packet goes. An incoming one has none: SAM's
	// raw packets do not say who sent them.
	Peer i2p.Destination
	// FromPort and ToPort are I2CP ports; 0 is unspecified.
	FromPort, ToPort uint16
	// Protocol is the I2CP protocol number.
	Protocol uint8
	// ID asks for the status of an outgoing packet if it is not 0. A Host
	// gets the Server's own IDs, to give back to Server.Status.
	ID uint32
	// Options are hints for the router that an outgoing packet is for.
	Options SendOptions
	// Data is the payload, 1 to MaxPayload bytes. It belongs to the caller
	// of whatever the Packet is passed to, and is valid during the call.
	Data []byte
}

// appendRawSend appends the line and the data of a packet to send.
func appendRawSend(b []byte, destination string, p Packet) []byte {
	b = AppendCommand(b, KindRawSend)
	b = append(append(b, " DESTINATION="...), destination...) // base64 needs no quotes, and no look at each of its 516 characters
	b = AppendNumber(b, "SIZE", len(p.Data))
	b = appendPorts(b, p)
	if p.ID != 0 {
		b = AppendNumber(b, "ID", int(p.ID))
	}
	b = append(p.Options.appendTo(b), '\n')
	return append(b, p.Data...)
}

// AppendRawReceived appends the line and the data of a received packet. Ports
// and protocol are there since SAM 3.2.
func AppendRawReceived(b []byte, p Packet, ports bool) []byte {
	b = AppendNumber(AppendCommand(b, KindRawReceived), "SIZE", len(p.Data))
	if ports {
		b = appendPorts(b, p)
	}
	b = append(b, '\n')
	return append(b, p.Data...)
}

// AppendForwarded appends a packet as it is forwarded over UDP, with the line
// that HEADER=true asks for.
func AppendForwarded(b []byte, p Packet, header bool) []byte {
	if header {
		start := len(b)
		b = slices.Delete(appendPorts(b, p), start, start+1) // no leading space
		b = append(b, '\n')
	}
	return append(b, p.Data...)
}

func appendPorts(b []byte, p Packet) []byte {
	b = AppendNumber(b, "FROM_PORT", int(p.FromPort))
	b = AppendNumber(b, "TO_PORT", int(p.ToPort))
	return AppendNumber(b, "PROTOCOL", int(p.Protocol))
}

// Ports reads FROM_PORT, TO_PORT and PROTOCOL over the values that p has.
func (c *Command) Ports(p *Packet) error {
	from, err := c.Number("FROM_PORT", int(p.FromPort), 0xffff)
	if err != nil {
		return err
	}
	to, err := c.Number("TO_PORT", int(p.ToPort), 0xffff)
	if err != nil {
		return err
	}
	protocol, err := c.Number("PROTOCOL", int(p.Protocol), 0xff)
	if err != nil {
		return err
	}
	p.FromPort, p.ToPort, p.Protocol = uint16(from), uint16(to), uint8(protocol)
	return nil
}
