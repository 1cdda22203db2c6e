package backendtest

import (
	"testing"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/datagram"
	"github.com/onelease/onelease/i2p/sam"
)

// A Remote is somebody who sends datagrams to a Destination.
type Remote struct {
	*i2p.Keys
	t  testing.TB
	to i2p.Destination
	// Port is the remote's own port.
	Port uint16
}

// NewRemote returns one with new keys.
func NewRemote(t testing.TB, to i2p.Destination) *Remote {
	t.Helper()
	keys, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	return &Remote{Keys: keys, t: t, to: to, Port: 1000}
}

// Datagram is a packet of protocol 17 to a port.
func (r *Remote) Datagram(port uint16, payload string) sam.Packet {
	r.t.Helper()
	b, err := datagram.AppendDatagram1(nil, r.Destination, r, []byte(payload))
	return r.packet(datagram.Protocol1, port, b, err)
}

// Datagram2 is a packet of protocol 19 to a port.
func (r *Remote) Datagram2(port uint16, payload string) sam.Packet {
	r.t.Helper()
	origin := datagram.Origin{Destination: r.Destination, Signer: r}
	b, err := datagram.AppendDatagram2(nil, origin, r.to.Hash(), nil, []byte(payload))
	return r.packet(datagram.Protocol2, port, b, err)
}

// Datagram3 is a packet of protocol 20 to a port.
func (r *Remote) Datagram3(port uint16, payload string) sam.Packet {
	r.t.Helper()
	b, err := datagram.AppendDatagram3(nil, r.Destination.Hash(), nil, []byte(payload))
	return r.packet(datagram.Protocol3, port, b, err)
}

func (r *Remote) packet(protocol uint8, port uint16, data []byte, err error) sam.Packet {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
	return sam.Packet{FromPort: r.Port, ToPort: port, Protocol: protocol, Data: data}
}

// Open returns the payload of a packet that was sent to r, and fails the test
// unless the sender signed it and r is whom it went to.
func (r *Remote) Open(p sam.Packet) string {
	r.t.Helper()
	if p.Peer != r.Destination {
		r.t.Fatalf("packet to %v, want one to %v", p.Peer, r.Destination)
	}
	sender := datagram.NewSender(r.to)
	var payload []byte
	var err error
	switch p.Protocol {
	case datagram.Protocol1:
		var d datagram.Datagram1
		if d, err = datagram.ParseDatagram1(p.Data); err == nil {
			payload, err = d.Payload, d.Verify(sender)
		}
	case datagram.Protocol2:
		var d datagram.Datagram2
		if d, err = datagram.ParseDatagram2(p.Data); err == nil {
			payload, err = d.Payload, d.Verify(sender, r.Destination.Hash(), time.Now())
		}
	case datagram.Protocol3:
		var d datagram.Datagram3
		d, err = datagram.ParseDatagram3(p.Data)
		payload = d.Payload
	default:
		payload = p.Data
	}
	if err != nil {
		r.t.Fatal(err)
	}
	return string(payload)
}
