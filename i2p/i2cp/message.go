package i2cp

import (
	"encoding/binary"
	"time"

	"github.com/onelease/onelease/i2p"
)

// Flags of SendMessage ("SendMessageExpiresMessage", Flags Field). i2pd
// ignores them.
const (
	// FlagNoLeaseSet asks the router not to bundle the LeaseSet.
	FlagNoLeaseSet uint16 = 1 << 8
)

// SendMessage sends a payload to a Destination. The value stands for
// SendMessage and, with Flags or Expires, for SendMessageExpires.
type SendMessage struct {
	Session uint16
	To      i2p.Destination
	// Payload is framed: see AppendPayload.
	Payload []byte
	// Nonce comes back with MessageStatus; 0 asks for none.
	Nonce uint32
	Flags uint16
	// Expires has milliseconds in 48 bits; zero for none.
	Expires time.Time
}

// AppendFrame appends m as a frame.
func (m SendMessage) AppendFrame(b []byte) ([]byte, error) {
	start := len(b)
	b = m.begin(b)
	b = binary.BigEndian.AppendUint32(b, uint32(len(m.Payload)))
	return m.end(append(b, m.Payload...), start)
}

// begin appends what comes before the payload's length.
func (m *SendMessage) begin(b []byte) []byte {
	t := TypeSendMessage
	if m.expires() {
		t = TypeSendMessageExpires
	}
	b = binary.BigEndian.AppendUint16(beginFrame(b, t), m.Session)
	return m.To.AppendTo(b)
}

// end appends what comes after the payload.
func (m *SendMessage) end(b []byte, start int) ([]byte, error) {
	b = binary.BigEndian.AppendUint32(b, m.Nonce)
	if m.expires() {
		b = binary.BigEndian.AppendUint64(b, uint64(m.Flags)<<48|millis(m.Expires)&(1<<48-1))
	}
	return endFrame(b, start, nil)
}

func (m *SendMessage) expires() bool { return m.Flags != 0 || !m.Expires.IsZero() }

// appendWith appends m as a frame with p, framed, in place of m.Payload.
func (m *SendMessage) appendWith(b []byte, p Payload) ([]byte, error) {
	start := len(b)
	b = m.begin(b)
	b = binary.BigEndian.AppendUint32(b, uint32(p.FramedSize()))
	return m.end(AppendPayload(b, p.FromPort, p.ToPort, p.Protocol, p.Data), start)
}

// ParseSendMessage reads the body of a SendMessage or a SendMessageExpires, as
// t says. Payload is a part of body.
func ParseSendMessage(t MessageType, body []byte) (SendMessage, error) {
	c := cursor{rest: body}
	m := SendMessage{Session: c.uint16(), To: c.destination(), Payload: c.sized(), Nonce: c.uint32()}
	if t == TypeSendMessageExpires {
		m.Flags = c.uint16()
		if b := c.take(6); b != nil {
			m.Expires = dateFrom(&c, uint64(binary.BigEndian.Uint16(b))<<32|uint64(binary.BigEndian.Uint32(b[2:])))
		}
	}
	return m, c.done(t)
}

// MessagePayload brings a message that came for the session's Destination.
type MessagePayload struct {
	Session uint16
	// ID is the router's number of the message.
	ID uint32
	// Payload is framed: see Inflater.
	Payload []byte
}

// AppendFrame appends m as a frame.
func (m MessagePayload) AppendFrame(b []byte) ([]byte, error) {
	start := len(b)
	b = binary.BigEndian.AppendUint16(beginFrame(b, TypeMessagePayload), m.Session)
	b = binary.BigEndian.AppendUint32(b, m.ID)
	b = binary.BigEndian.AppendUint32(b, uint32(len(m.Payload)))
	return endFrame(append(b, m.Payload...), start, nil)
}

// ParseMessagePayload reads the body of a MessagePayload. Payload is a part of
// body. It does not allocate.
func ParseMessagePayload(body []byte) (MessagePayload, error) {
	c := cursor{rest: body}
	m := MessagePayload{Session: c.uint16(), ID: c.uint32(), Payload: c.sized()}
	return m, c.done(TypeMessagePayload)
}

// MessageStatus says what became of a message that was sent with a nonce.
type MessageStatus struct {
	Session uint16
	ID      uint32
	Status  Status
	Size    uint32
	Nonce   uint32
}

// AppendFrame appends m as a frame.
func (m MessageStatus) AppendFrame(b []byte) ([]byte, error) {
	start := len(b)
	b = binary.BigEndian.AppendUint16(beginFrame(b, TypeMessageStatus), m.Session)
	b = binary.BigEndian.AppendUint32(b, m.ID)
	b = append(b, byte(m.Status))
	b = binary.BigEndian.AppendUint32(b, m.Size)
	b = binary.BigEndian.AppendUint32(b, m.Nonce)
	return endFrame(b, start, nil)
}

// ParseMessageStatus reads the body of a MessageStatus. It does not allocate.
func ParseMessageStatus(body []byte) (MessageStatus, error) {
	c := cursor{rest: body}
	m := MessageStatus{Session: c.uint16(), ID: c.uint32(), Status: Status(c.uint8()), Size: c.uint32(), Nonce: c.uint32()}
	return m, c.done(TypeMessageStatus)
}
