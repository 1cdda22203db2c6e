package i2cp

import (
	"encoding/binary"
	"time"

	"github.com/onelease/onelease/i2p"
)

// GetDate is a client's first message; the router answers with SetDate, then
// and at any later time.
type GetDate struct {
	// Version is the client's I2CP version, such as "0.9.66".
	Version string
	// Options hold i2cp.username and i2cp.password where the router wants
	// them, else they are empty and not sent.
	Options i2p.Mapping
}

// AppendFrame appends m as a frame. It fails on texts over 255 bytes.
func (m GetDate) AppendFrame(b []byte) ([]byte, error) {
	start := len(b)
	b, err := appendText(beginFrame(b, TypeGetDate), m.Version)
	if err == nil && len(m.Options) > 0 {
		var options []byte
		options, err = m.Options.AppendTo(nil)
		b = append(b, options...)
	}
	return endFrame(b, start, err)
}

// ParseGetDate reads the body of a GetDate.
func ParseGetDate(body []byte) (GetDate, error) {
	c := cursor{rest: body}
	m := GetDate{Version: c.text()}
	if options := c.optionalMapping(); len(options) > 0 {
		m.Options = options
	}
	return m, c.done(TypeGetDate)
}

// SetDate is the router's clock and version. i2pd 2.45.1 sends the client's own
// version back; 2.58 and Java I2P send that of their API, such as "0.9.67".
type SetDate struct {
	Date    time.Time
	Version string
}

// AppendFrame appends m as a frame.
func (m SetDate) AppendFrame(b []byte) ([]byte, error) {
	start := len(b)
	b = binary.BigEndian.AppendUint64(beginFrame(b, TypeSetDate), millis(m.Date))
	b, err := appendText(b, m.Version)
	return endFrame(b, start, err)
}

// ParseSetDate reads the body of a SetDate.
func ParseSetDate(body []byte) (SetDate, error) {
	c := cursor{rest: body}
	m := SetDate{Date: c.date()}
	if len(c.rest) > 0 {
		m.Version = c.text()
	}
	return m, c.done(TypeSetDate)
}

// AppendCreateSession appends a CreateSession with a signed session
// configuration (see BuildSessionConfig). Its body is that configuration:
// ParseSessionConfig reads it.
func AppendCreateSession(b, config []byte) ([]byte, error) {
	start := len(b)
	return endFrame(append(beginFrame(b, TypeCreateSession), config...), start, nil)
}

// ReconfigureSession changes options of a session; those not named stay.
type ReconfigureSession struct {
	Session uint16
	// Config is a signed session configuration.
	Config []byte
}

// AppendFrame appends m as a frame.
func (m ReconfigureSession) AppendFrame(b []byte) ([]byte, error) {
	start := len(b)
	b = binary.BigEndian.AppendUint16(beginFrame(b, TypeReconfigureSession), m.Session)
	return endFrame(append(b, m.Config...), start, nil)
}

// ParseReconfigureSession reads the body of a ReconfigureSession. Config is a
// part of body.
func ParseReconfigureSession(body []byte) (ReconfigureSession, error) {
	c := cursor{rest: body}
	m := ReconfigureSession{Session: c.uint16(), Config: c.rest}
	return m, c.done(TypeReconfigureSession)
}

// DestroySession ends a session. i2pd answers with SessionDestroyed and closes the
// connection, Java I2P with Disconnect.
type DestroySession struct{ Session uint16 }

// AppendFrame appends m as a frame.
func (m DestroySession) AppendFrame(b []byte) ([]byte, error) {
	start := len(b)
	b = binary.BigEndian.AppendUint16(beginFrame(b, TypeDestroySession), m.Session)
	return endFrame(b, start, nil)
}

// ParseDestroySession reads the body of a DestroySession.
func ParseDestroySession(body []byte) (DestroySession, error) {
	c := cursor{rest: body}
	m := DestroySession{Session: c.uint16()}
	return m, c.done(TypeDestroySession)
}

// SessionState is what a SessionStatus says ("SessionStatusMessage").
type SessionState uint8

// The states of a session.
const (
	SessionDestroyed SessionState = 0
	SessionCreated   SessionState = 1
	SessionUpdated   SessionState = 2
	SessionInvalid   SessionState = 3
	SessionRefused   SessionState = 4
)

// SessionStatus answers CreateSession, ReconfigureSession and DestroySession.
type SessionStatus struct {
	// Session has no meaning with SessionInvalid and SessionRefused.
	Session uint16
	State   SessionState
}

// AppendFrame appends m as a frame.
func (m SessionStatus) AppendFrame(b []byte) ([]byte, error) {
	start := len(b)
	b = binary.BigEndian.AppendUint16(beginFrame(b, TypeSessionStatus), m.Session)
	return endFrame(append(b, byte(m.State)), start, nil)
}

// ParseSessionStatus reads the body of a SessionStatus.
func ParseSessionStatus(body []byte) (SessionStatus, error) {
	c := cursor{rest: body}
	m := SessionStatus{Session: c.uint16(), State: SessionState(c.uint8())}
	return m, c.done(TypeSessionStatus)
}

// Disconnect says why the sender is about to close the connection. i2pd never
// sends it; it just closes.
type Disconnect struct{ Reason string }

// AppendFrame appends m as a frame.
func (m Disconnect) AppendFrame(b []byte) ([]byte, error) {
	start := len(b)
	b, err := appendText(beginFrame(b, TypeDisconnect), m.Reason)
	return endFrame(b, start, err)
}

// ParseDisconnect reads the body of a Disconnect.
func ParseDisconnect(body []byte) (Disconnect, error) {
	c := cursor{rest: body}
	m := Disconnect{Reason: c.text()}
	return m, c.done(TypeDisconnect)
}
