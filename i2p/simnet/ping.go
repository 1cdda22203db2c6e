package simnet

import (
	"bytes"
	"encoding/binary"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/i2cp"
)

// Of a packet of the streaming protocol ("Streaming Library Specification",
// Packet Format): send stream ID 4, receive stream ID 4, sequence number 4, ack
// through 4, NACK count 1, NACKs 4 each, resend delay 1, flags 2, option size 2,
// options, payload.
const (
	pongHeader  = 22
	nacksAt     = 17
	flagsAt     = pongHeader - 4
	flagSigned  = 1 << 3
	flagFrom    = 1 << 5
	flagDelay   = 1 << 6
	flagMaxSize = 1 << 7
	flagEcho    = 1 << 9
	flagOffline = 1 << 11
)

// protocolAt is where a framed payload says its protocol.
const protocolAt = 9

// A ping is a packet of the streaming protocol that asks for its payload back.
type ping struct {
	id       []byte // the send stream ID
	from     i2p.Destination
	payload  []byte
	verified bool // it has a right signature
}

// parsePing returns false for what is not a ping, or not one with a sender.
// verify has it look at the signature.
func parsePing(b []byte, verify bool) (p ping, ok bool) {
	if verify {
		b = bytes.Clone(b) // verifies writes to it
	}
	if len(b) < pongHeader {
		return p, false
	}
	tailAt := nacksAt + 4*int(b[nacksAt-1]) + 1
	if len(b) < tailAt+4 {
		return p, false
	}
	flags, size := binary.BigEndian.Uint16(b[tailAt:]), int(binary.BigEndian.Uint16(b[tailAt+2:]))
	options := b[tailAt+4:]
	if flags&flagEcho == 0 || flags&flagFrom == 0 || size > len(options) || binary.BigEndian.Uint32(b) == 0 {
		return p, false
	}
	p.id, p.payload, options = b[:4], options[size:], options[:size]
	if flags&flagDelay != 0 {
		options = options[min(2, size):]
	}
	from, n, err := i2p.ParseDestination(options)
	if err != nil {
		return p, false
	}
	p.from = from
	p.verified = verify && verifies(b, flags, options[n:], from)
	return p, true
}

// verifies checks the signature of a packet, given the part of it that is the
// options that follow the sender. It clears the signature, as is signed.
func verifies(packet []byte, flags uint16, options []byte, from i2p.Destination) bool {
	key := from.SigningKey()
	if flags&flagMaxSize != 0 {
		options = options[min(2, len(options)):]
	}
	if flags&flagOffline != 0 {
		o, n, err := i2p.ParseOfflineSignature(options, from.SigType())
		if err != nil || o.Verify(from) != nil {
			return false
		}
		key, options = o.Key, options[n:]
	}
	size := key.Type.SignatureSize()
	if flags&flagSigned == 0 || size > len(options) {
		return false
	}
	signature := bytes.Clone(options[:size])
	clear(options[:size])
	return key.Verify(packet, signature) == nil
}

// answerPing implements pinger as the make of the router does it: with a packet
// that has the ping's ID and payload (i2pd Streaming.cpp, HandlePing).
func (r *Remote) answerPing(framed []byte, by *ratchet) {
	rules := &r.dest.profile().Pings
	if r.cfg.NoPongs || !(rules.Everyone || r.cfg.Streams) ||
		len(framed) <= protocolAt || framed[protocolAt] != i2cp.ProtocolStreaming {
		return
	}
	m, err := r.pings.Parse(framed)
	if err != nil {
		return
	}
	p, ok := parsePing(m.Data, rules.Signed)
	if !ok || rules.Signed && !p.verified {
		return
	}
	r.sendPong(p, m, by)
}

// sendPong sends the answer, on the session for the key of the sender's
// LeaseSet, also if the client keeps another: i2pd answers by a stream of its
// own for each ping (Streaming.cpp, HandleNextPacket). i2pd 2.45.1 looks for a
// LeaseSet that it does not know, but for the next ping: that is not modelled,
// nor does it matter where one is bundled.
func (r *Remote) sendPong(p ping, m i2cp.Payload, by *ratchet) {
	d, rules := r.dest, &r.dest.profile().Pings
	if rules.LooksUp {
		d.sendLocked(p.from.Hash(), p.pong(m, rules), 0)
		return
	}
	to := d.findLeaseSetLocked(p.from.Hash())
	if to == nil || rules.SameKey && to.static != by.remote {
		return
	}
	d.net.countLocked(d.router, func(s *Stats) { s.Sent++ })
	d.sendByLocked(d.ratchetToLocked(to.static), to, p.pong(m, rules), 0)
}

// pong frames the answer.
func (p ping) pong(m i2cp.Payload, rules *PingRules) []byte {
	payload := p.payload
	if rules.MaxPayload > 0 {
		payload = payload[:min(rules.MaxPayload, len(payload))]
	}
	packet := make([]byte, pongHeader, pongHeader+len(payload))
	copy(packet[4:], p.id)
	binary.BigEndian.PutUint16(packet[flagsAt:], flagEcho)
	var fromPort, toPort uint16
	if rules.KeepsPorts {
		fromPort, toPort = m.ToPort, m.FromPort
	}
	return i2cp.AppendPayload(nil, fromPort, toPort, i2cp.ProtocolStreaming, append(packet, payload...))
}

var _ pinger = (*Remote)(nil)
