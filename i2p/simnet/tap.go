package simnet

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/i2cp"
)

// A Tap takes the place of the network on one I2CP session, for benchmarks:
// messages are injected at the speed of the connection, and what the client
// sends ends here. It does not allocate for a message, either way.
type Tap struct {
	session         *session
	onSend          func(payload []byte)
	messages, bytes atomic.Uint64
	injected        atomic.Uint32
}

// Tap taps the I2CP session of a Destination on this router. onSend, if not
// nil, is called by the session's own goroutine with each framed payload that
// the client sends; that is valid during the call. Close the Tap to put the
// network back.
func (r *Router) Tap(dest i2p.Hash, onSend func(payload []byte)) (*Tap, error) {
	r.net.mu.Lock()
	defer r.net.mu.Unlock()
	for s := range r.sessions {
		if s.dest != nil && s.dest.hash == dest {
			t := &Tap{session: s, onSend: onSend}
			s.tap.Store(t)
			return t, nil
		}
	}
	return nil, fmt.Errorf("tap %s: no I2CP session of %s: %w", r.cfg.Name, dest, ErrClosed)
}

// Inject gives the client a framed payload (see i2cp.AppendPayload), which is
// copied. If the client does not keep up, the error is coalesce.ErrFull and the
// message is not taken; coalesce.ErrClosed says that the session has ended.
func (t *Tap) Inject(payload []byte) error {
	return t.session.inject(t.injected.Add(1), payload)
}

// Sent returns how many messages the client has sent, and the bytes of their
// framed payloads.
func (t *Tap) Sent() (messages, bytes uint64) { return t.messages.Load(), t.bytes.Load() }

// Close puts the network back.
func (t *Tap) Close() { t.session.tap.CompareAndSwap(t, nil) }

// take counts a frame if it is a message, and says whether it was one.
func (t *Tap) take(kind i2cp.MessageType, body []byte) bool {
	if kind != i2cp.TypeSendMessage && kind != i2cp.TypeSendMessageExpires {
		return false
	}
	payload, ok := sentPayload(body)
	if !ok {
		return false // let the session say what is wrong with it
	}
	t.bytes.Add(uint64(len(payload))) // first: who sees the message counted sees its bytes
	t.messages.Add(1)
	if t.onSend != nil {
		t.onSend(payload)
	}
	return true
}

// sentPayload finds the payload in a SendMessage without making a Destination
// of its receiver: session 2, Destination of 387 bytes and its certificate's
// size, size 4, payload.
func sentPayload(body []byte) ([]byte, bool) {
	const certSizeAt = 2 + 384 + 1
	if len(body) < certSizeAt+2 {
		return nil, false
	}
	rest := body[certSizeAt+2:]
	certSize := int(binary.BigEndian.Uint16(body[certSizeAt:]))
	if len(rest) < certSize+4 {
		return nil, false
	}
	size := int(binary.BigEndian.Uint32(rest[certSize:]))
	rest = rest[certSize+4:]
	if size > len(rest) {
		return nil, false
	}
	return rest[:size], true
}
