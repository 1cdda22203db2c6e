package i2cp

import (
	"errors"
	"fmt"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/coalesce"
)

// SendOptions are what else can be said of a message; the zero value says
// nothing.
type SendOptions struct {
	// Nonce comes back with Handler.MessageStatus; 0 asks for no status.
	Nonce uint32
	// Expires is when the message is of no use any more; i2pd ignores it.
	Expires time.Time
	// Flags are those of SendMessage; i2pd ignores them.
	Flags uint16
}

// Send queues a message of at most MaxData bytes and copies data. It does not
// wait and does not allocate. The error is ErrQueueFull or ErrNoSession if the
// message cannot be sent now, ErrTooBig or i2p.ErrInvalid if it never can.
// That it is nil says nothing about delivery.
func (c *Client) Send(to i2p.Destination, fromPort, toPort uint16, protocol uint8, data []byte, o SendOptions) error {
	if len(data) > MaxData {
		return fmt.Errorf("message of %d bytes, at most %d fit: %w", len(data), MaxData, ErrTooBig)
	}
	if to.IsZero() {
		return fmt.Errorf("message to no Destination: %w", i2p.ErrInvalid)
	}
	err := c.send(to, Payload{fromPort, toPort, protocol, data}, o)
	if err != nil {
		c.counters.dropped.Add(1)
		return err
	}
	c.counters.sent.Add(1)
	return nil
}

func (c *Client) send(to i2p.Destination, p Payload, o SendOptions) error {
	s := c.current.Load()
	if s == nil {
		return ErrNoSession
	}
	m := SendMessage{Session: s.id, To: to, Nonce: o.Nonce, Flags: o.Flags, Expires: o.Expires}
	return s.append(func(b []byte) ([]byte, error) { return m.appendWith(b, p) })
}

// append queues one frame. If encode fails, nothing is queued.
func (s *session) append(encode func(b []byte) ([]byte, error)) error {
	var failed error
	err := s.out.Append(func(b []byte) []byte {
		b, failed = encode(b)
		return b
	})
	switch {
	case failed != nil:
		return failed
	case err == coalesce.ErrFull:
		return ErrQueueFull
	case errors.Is(err, coalesce.ErrClosed):
		return ErrNoSession
	}
	return err
}

// encoder is what all messages can do.
type encoder interface {
	AppendFrame(b []byte) ([]byte, error)
}

// sendFrame queues a frame off the packet path.
func (s *session) sendFrame(m encoder) error { return s.append(m.AppendFrame) }
