package i2cp

import (
	"fmt"
	"strings"
	"time"
)

// handle acts on one frame. An error ends the session.
func (s *session) handle(kind MessageType, body []byte) error {
	var err error
	switch kind {
	case TypeMessagePayload:
		err = s.handlePayload(body)
	case TypeMessageStatus:
		err = s.handleMessageStatus(body)
	case TypeRequestVariableLeaseSet:
		err = s.handleRequest(body)
	case TypeSetDate:
		err = s.handleDate(body)
	case TypeHostReply:
		err = s.handleReply(body)
	case TypeSessionStatus:
		return s.handleSessionStatus(body)
	case TypeDisconnect:
		return disconnected(body)
	default:
		s.client.counters.ignored.Add(1)
	}
	if err != nil {
		s.client.counters.malformed.Add(1)
		s.client.cfg.Logger.Debug("malformed message from the router", "type", kind, "err", err)
	}
	return nil
}

// ours reports whether a message is of this session, and counts it if not.
func (s *session) ours(id uint16) bool {
	if id != s.id {
		s.client.counters.ignored.Add(1)
	}
	return id == s.id
}

func (s *session) handlePayload(body []byte) error {
	m, err := ParseMessagePayload(body)
	if err != nil || !s.ours(m.Session) {
		return err
	}
	p, err := s.inflater.Parse(m.Payload)
	if err != nil {
		return err
	}
	s.client.counters.received.Add(1)
	s.client.handler.Message(p)
	return nil
}

func (s *session) handleMessageStatus(body []byte) error {
	m, err := ParseMessageStatus(body)
	if err == nil && s.ours(m.Session) {
		s.client.handler.MessageStatus(m.Nonce, m.Status)
	}
	return err
}

func (s *session) handleRequest(body []byte) error {
	m, err := ParseRequestVariableLeaseSet(body)
	if err == nil && s.ours(m.Session) {
		s.requested.Store(true)
		s.client.handler.LeasesRequested(m.Leases)
	}
	return err
}

func (s *session) handleDate(body []byte) error {
	m, err := ParseSetDate(body)
	if err == nil && !m.Date.IsZero() {
		s.version = m.Version
		s.skew.Store(int64(time.Until(m.Date)))
	}
	return err
}

func (s *session) handleReply(body []byte) error {
	m, err := ParseHostReply(body)
	if err == nil {
		s.lookups.answer(m)
	}
	return err
}

// handleSessionStatus acts on what comes after the session was made: answers
// to Reconfigure, and the end.
func (s *session) handleSessionStatus(body []byte) error {
	m, err := ParseSessionStatus(body)
	if err != nil {
		s.client.counters.malformed.Add(1)
		return nil
	}
	switch m.State {
	case SessionUpdated, SessionInvalid:
		select {
		case s.changed <- m.State:
		default: // nobody asked
		}
	case SessionDestroyed:
		return fmt.Errorf("%w: session destroyed", ErrDisconnected)
	default:
		s.client.counters.ignored.Add(1)
	}
	return nil
}

// disconnected makes an error of a Disconnect. Java I2P gives its reasons as
// text only, and says so before it closes the connection.
func disconnected(body []byte) error {
	m, err := ParseDisconnect(body)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDisconnected, err)
	}
	err = ErrDisconnected
	for _, known := range disconnectReasons {
		if strings.Contains(strings.ToLower(m.Reason), known.part) {
			err = known.err
		}
	}
	return fmt.Errorf("%w: it says %q", err, m.Reason)
}

// disconnectReasons are what Java I2P says in place of a SessionStatus
// (ClientMessageEventListener), in lower case.
var disconnectReasons = []struct {
	part string
	err  error
}{
	{"authorization required", ErrUnauthorized},
	{"authorization failed", ErrUnauthorized},
	{"authentication failed", ErrUnauthorized},
	{"duplicate destination", ErrInvalidSession},
	{"invalid signature", ErrInvalidSession},
	{"bad session configuration", ErrInvalidSession},
	{"session limit exceeded", ErrRefused},
}
