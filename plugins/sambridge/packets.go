package sambridge

import (
	"net"
	"net/netip"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/sam"
)

// packets is what a session of datagrams or RAW has.
type packets struct {
	kind backend.Kind
	// stop ends what comes in; nil for other styles.
	stop func()
	// ports says that what comes in is given with its ports: SAM 3.2.
	ports bool
	// forward, if valid, is where it goes by UDP, out of socket; else it goes to the owner.
	forward netip.AddrPort
	socket  *net.UDPConn
	waiting waiting
}

// beginPackets has what comes for s delivered: to its owner, or forwarded.
func (s *session) beginPackets() error {
	if !s.Style.datagrams() {
		return nil
	}
	p := &s.packets
	p.kind, p.ports = backend.Kind(styleRows[s.Style].protocol), s.owner.minor >= 2
	if err := s.beginForward(); err != nil {
		return err
	}
	deliver := s.deliver
	if p.forward.IsValid() {
		deliver = s.deliverByUDP
	} else {
		s.owner.out.startQueue(s.b.cfg.Limits.QueueBytes)
	}
	stop, err := s.Hosted.Host().Tap(s.match(), deliver)
	if err != nil {
		s.endForward()
		return sam.Refusef(sam.ResultI2PError, "%v", err)
	}
	p.stop = stop
	return nil
}

// checkPackets refuses what the specification forbids, and a HOST that is not to be.
func (s *session) checkPackets() error {
	if !s.Style.datagrams() {
		return nil
	}
	reserved := s.Protocol == 17 || s.Protocol == 19 || s.Protocol == 20
	switch {
	case s.Style == styleRaw && reserved:
		return sam.Refusef(sam.ResultI2PError, "PROTOCOL=%d is that of datagrams with a sender; choose another, or another STYLE", s.Protocol)
	case s.primary != nil && s.ForwardPort == 0:
		return sam.Refusef(sam.ResultI2PError, "%v subsession must specify PORT: datagrams of several subsessions could not be told apart on the control connection", s.Style)
	case s.ForwardPort != 0:
		_, err := s.forwardIP()
		return err
	}
	return nil
}

// match is what s gets. A RAW session that has the Destination for itself gets all raw
// packets, of whatever protocol, as on Java.
func (s *session) match() backend.Match {
	m := backend.Match{Kind: s.packets.kind, Protocol: s.ListenProtocol, Port: s.ListenPort}
	if s.primary == nil {
		m.Protocol, m.Port = 0, 0
	}
	return m
}

// endPackets undoes beginPackets.
func (s *session) endPackets() {
	if s.packets.stop == nil {
		return
	}
	s.packets.stop()
	s.endForward()
}

// deliver gives what has come to the owner. One that does not read loses it.
func (s *session) deliver(m backend.Message) {
	err := s.owner.send(func(b []byte) []byte {
		if m.Kind == backend.Raw {
			return sam.AppendRawReceived(b, packetOf(&m), s.packets.ports)
		}
		return sam.AppendDatagramReceived(b, s.b.nameOf(&m), packetOf(&m), s.packets.ports)
	})
	if err != nil {
		s.b.stats.droppedDatagrams.Add(1)
		return
	}
	s.b.stats.deliveredDatagrams.Add(1)
}

func packetOf(m *backend.Message) sam.Packet {
	return sam.Packet{FromPort: m.FromPort, ToPort: m.ToPort, Protocol: m.Protocol, Data: m.Data}
}

// nameOf is how a client is told who sent a message: by the Destination in base64. A
// Datagram3 only claims a hash, so that is all that it is told.
func (b *Bridge) nameOf(m *backend.Message) string {
	if m.Kind == backend.Datagram3 || m.Peer.Destination.IsZero() {
		return i2p.Base64.EncodeToString(m.Peer.Hash[:])
	}
	return b.names.Base64(m.Peer.Destination)
}
