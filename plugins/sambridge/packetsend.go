package sambridge

import (
	"errors"
	"strings"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/sam"
)

// An outgoing is a datagram that a client sends, but for its data.
type outgoing struct {
	message backend.Message
	options backend.SendOptions
	// name is set if the peer has to be looked up first.
	name string
}

// onDatagramSend sends a datagram by the connection's own session.
func (c *conn) onDatagramSend() error { return c.onPacketSend(false) }

// onRawSend is onDatagramSend for RAW.
func (c *conn) onRawSend() error { return c.onPacketSend(true) }

// onPacketSend sends what follows the line. Nothing is answered if that went well, as on
// other bridges. Only a SIZE that is none ends the connection: nobody knows where the next
// line begins.
func (c *conn) onPacketSend(raw bool) error {
	kind := c.cmd.Kind
	size, err := c.cmd.Number("SIZE", 0, sam.MaxPayload)
	if err != nil || size == 0 {
		c.reply(kind.Row().Reply, sam.Refusef(sam.ResultI2PError, "%v needs SIZE=n, from 1 to %d", kind, sam.MaxPayload))
		return errDone
	}
	s, refused := c.packetSession(raw)
	var out outgoing
	if refused == nil {
		to, _ := c.cmd.Bytes("DESTINATION")
		out, refused = s.outgoing(&c.cmd, to)
	}
	payload, err := c.r.Payload(size)
	if err != nil {
		return err
	}
	if refused == nil {
		refused = s.sendPacket(out, payload, func(err error) { c.reply(kind.Row().Reply, err) })
	}
	if refused != nil {
		c.b.stats.unsentDatagrams.Add(1)
		return c.reply(kind.Row().Reply, refused)
	}
	return nil
}

// packetSession is the connection's own session, if it is of that kind. Subsessions
// send by UDP only ("Creating a Subsession").
func (c *conn) packetSession(raw bool) (*session, error) {
	s := c.session
	switch {
	case s == nil:
		return nil, sam.Refusef(sam.ResultI2PError, "no session on this connection; begin with SESSION CREATE")
	case s.Style == stylePrimary:
		return nil, sam.Refusef(sam.ResultI2PError, "this is a PRIMARY session; send by UDP with the ID of a subsession")
	case !s.Style.datagrams() || (s.Style == styleRaw) != raw:
		return nil, sam.Refusef(sam.ResultI2PError, "this is a session with STYLE=%v", s.Style)
	}
	return s, nil
}

// outgoing reads the options of a datagram to send. It keeps nothing of cmd and to.
func (s *session) outgoing(cmd *sam.Command, to []byte) (out outgoing, err error) {
	p := sam.Packet{FromPort: s.FromPort, ToPort: s.ToPort, Protocol: s.Protocol}
	if err := cmd.Ports(&p); err != nil {
		return out, sam.Refusef(sam.ResultI2PError, "%v", err)
	}
	if err := cmd.SendOptions(&out.options); err != nil {
		return out, sam.Refusef(sam.ResultI2PError, "%v", err)
	}
	out.message = backend.Message{
		Kind: s.packets.kind, Protocol: p.Protocol, FromPort: p.FromPort, ToPort: p.ToPort,
	}
	out.message.Peer, out.name, err = s.b.peers.address(to)
	return out, err
}

// sendPacket sends payload, now or when its receiver is known. An error is the client's
// fault, and what it is to be told; what may pass by itself is counted only, since
// datagrams may be lost. What turns out later is told by tell, if that is set.
func (s *session) sendPacket(out outgoing, payload []byte, tell func(error)) error {
	if most := s.Style.maxSize(); len(payload) > most {
		return sam.Refusef(sam.ResultI2PError, "%d bytes are too many: with STYLE=%v there may be %d", len(payload), s.Style, most)
	}
	if out.name != "" {
		return s.sendLater(out, payload, tell)
	}
	out.message.Data = payload
	err := s.Hosted.Host().SendMessage(out.message, out.options)
	switch {
	case err == nil:
		s.b.stats.sentDatagrams.Add(1)
		return nil
	case errors.Is(err, backend.ErrNoFrontend), errors.Is(err, sam.ErrFull), errors.Is(err, backend.ErrNoSigner):
		s.b.stats.unsentDatagrams.Add(1)
		return nil
	}
	return sam.Refusef(sam.ResultI2PError, "%v", err)
}

// address is the peer that a client names, or the name to look up.
func (c *peerCache) address(to []byte) (peer *i2p.Addr, name string, err error) {
	if peer := c.find(to); peer != nil {
		return peer, "", nil
	}
	name = string(to)
	if name == "" {
		return nil, "", sam.Refusef(sam.ResultInvalidKey, "DESTINATION is missing")
	}
	if formOf(name) != inBase64 {
		return nil, strings.ToLower(name), checkName(name)
	}
	dest, err := i2p.ParseDestinationBase64(name)
	if err != nil {
		return nil, "", sam.Refusef(sam.ResultInvalidKey, "DESTINATION: %v", err)
	}
	peer = i2p.NewAddr(dest, 0)
	c.put(name, peer, forGood)
	return peer, "", nil
}

// checkName says why a name cannot be looked up.
func checkName(name string) error {
	switch formOf(name) {
	case noDestination:
		return sam.Refusef(sam.ResultInvalidKey, "%.60q is no Destination in base64, .b32.i2p address or host name", name)
	case inBase32:
		if _, err := i2p.ParseBase32(name); err != nil && !errors.Is(err, i2p.ErrUnsupported) { // b33 is the routers' matter
			return sam.Refusef(sam.ResultInvalidKey, "%v", err)
		}
	}
	if strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789.-_") != "" {
		return sam.Refusef(sam.ResultInvalidKey, "%.60q is not a host name", name)
	}
	return nil
}
