package sam

import (
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/onelease/onelease/i2p"
)

// maxID is the longest session ID in bytes.
const maxID = 128

// A session is a backend's attachment to the hosted Destination. It lives as
// long as the connection that created it.
type session struct {
	id   string
	conn *conn
	// defaults has the ports and the protocol of packets that name none.
	defaults Packet
	// listenProtocol and listenPort choose the packets to deliver; 0 is all.
	listenProtocol uint8
	listenPort     uint16
	// sendStatus says that RAW SEND may ask for a status by ID.
	sendStatus bool
	// sendDrain asks to be told of drains; toldDraining is what it was told
	// last, and the Server's lock guards it.
	sendDrain, toldDraining bool
	// sendLeaseSets asks to be told of LeaseSets; see SetPublished.
	sendLeaseSets bool
	// forward, if valid, is where packets go over UDP, after a line with the
	// ports if header is set.
	forward netip.AddrPort
	header  bool
	// backend is set if it has a name; see backends.
	backend *named

	delivered, dropped, sent, refused atomic.Uint64
}

// matches reports whether the session listens to packets like p.
func (ss *session) matches(p *Packet) bool {
	return (ss.listenProtocol == 0 || ss.listenProtocol == p.Protocol) &&
		(ss.listenPort == 0 || ss.listenPort == p.ToPort)
}

// deliver queues a packet for the backend, or drops and counts it.
func (ss *session) deliver(p Packet) bool {
	var err error
	if ss.forward.IsValid() {
		err = ss.conn.s.forward(ss, p)
	} else {
		ports := ss.conn.minor >= 2
		err = ss.conn.w.Append(func(b []byte) []byte { return AppendRawReceived(b, p, ports) })
	}
	if err != nil {
		ss.dropped.Add(1)
		return false
	}
	ss.delivered.Add(1)
	return true
}

// newSession reads a SESSION CREATE.
func newSession(c *conn, cmd *Command) (*session, error) {
	if style := cmd.Value("STYLE"); style != "RAW" {
		return nil, Refusef(ResultI2PError, "STYLE=%.20s is not served here; use STYLE=RAW", style)
	}
	ss := &session{id: cmd.Value("ID"), conn: c, defaults: Packet{Protocol: ProtocolRaw}}
	if ss.id == "" || len(ss.id) > maxID || strings.ContainsAny(ss.id, " \t\r\n") {
		return nil, Refusef(ResultInvalidID, "ID must have 1 to %d characters and no spaces", maxID)
	}
	if err := ss.filters(cmd); err != nil {
		return nil, err
	}
	var err error
	if ss.sendStatus, err = cmd.Bool("SEND_STATUS", false); err != nil {
		return nil, err
	}
	if ss.sendDrain, err = cmd.Bool("SEND_DRAIN", false); err != nil {
		return nil, err
	}
	if ss.sendLeaseSets, err = cmd.Bool("SEND_LEASESETS", false); err != nil {
		return nil, err
	}
	if ss.header, err = cmd.Bool("HEADER", false); err != nil {
		return nil, err
	}
	if ss.backend, err = c.newNamed(cmd); err != nil {
		return nil, err
	}
	ss.forward, err = c.forwardAddr(cmd)
	return ss, err
}

// filters reads ports and protocols. What a session listens to is by default
// what it sends from ("SESSION ADD").
func (ss *session) filters(cmd *Command) error {
	if err := cmd.Ports(&ss.defaults); err != nil {
		return err
	}
	protocol, err := cmd.Number("LISTEN_PROTOCOL", int(ss.defaults.Protocol), 0xff)
	if err != nil {
		return err
	}
	port, err := cmd.Number("LISTEN_PORT", int(ss.defaults.FromPort), 0xffff)
	ss.listenProtocol, ss.listenPort = uint8(protocol), uint16(port)
	return err
}

// attach checks that value, the DESTINATION of a SESSION CREATE, means the
// hosted one, and returns the DESTINATION of the answer. Libraries want their
// own keys back to the letter, or private keys if they gave none.
func attach(value string, hosted i2p.Destination) (string, error) {
	if value == "TRANSIENT" {
		return keylessBase64(hosted), nil
	}
	if h, err := i2p.ParseBase32(value); err == nil {
		return hosted.Base64(), notHosted(h == hosted.Hash(), hosted)
	}
	raw, err := i2p.Base64.DecodeString(value)
	if err != nil {
		return "", Refusef(ResultInvalidKey, "DESTINATION is not I2P base64; use TRANSIENT")
	}
	d, _, err := i2p.ParseDestination(raw)
	if err != nil {
		return "", Refusef(ResultInvalidKey, "DESTINATION: %v; use TRANSIENT", err)
	}
	return value, notHosted(d == hosted, hosted)
}

func notHosted(same bool, hosted i2p.Destination) error {
	if same {
		return nil
	}
	return Refusef(ResultInvalidKey, "DESTINATION is not the one that is hosted here, %s; use TRANSIENT", hosted.Base32())
}

// keylessBase64 has the form of private keys, for libraries that check, but
// none in it: backends do not hold the hosted Destination's. The signing key
// is not of zeros, for that would announce an offline signature.
func keylessBase64(d i2p.Destination) string {
	b := d.AppendTo(nil)
	b = append(b, make([]byte, d.CryptoType().PrivateSize())...)
	b = append(b, slices.Repeat([]byte{0xff}, d.SigType().PrivateSize())...)
	return i2p.Base64.EncodeToString(b)
}
