package backend

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/onelease/onelease/i2p/datagram"
	"github.com/onelease/onelease/i2p/sam"
	"github.com/onelease/onelease/i2p/streaming"
)

// ProtocolStreaming is the I2CP protocol number of streams, and of the pings
// that hellos are.
const ProtocolStreaming = 6

// newStack makes the streams of s, or leaves it without any if nothing is to sign.
func (h *Host) newStack(s *self) error {
	if s.credentials == nil {
		return nil
	}
	cfg := h.cfg.Streams
	cfg.Origin, cfg.Current = datagram.Origin{Destination: s.Destination}, s.origin
	cfg.Link, cfg.NewID, cfg.Logger = streamLink{h}, h.newID, h.log
	stack, err := streaming.New(cfg)
	if err != nil {
		return fmt.Errorf("field Streams: %w", err)
	}
	s.stack = stack
	return nil
}

// stack has the streams. It is nil as long as the Destination is not known, and
// for good if nothing is to sign. Its methods must not be called with Host.mu held:
// it calls streamLink with its own locks held.
func (h *Host) stack() *streaming.Stack {
	if s := h.self.Load(); s != nil {
		return s.stack
	}
	return nil
}

// needStack is stack, or why there is none.
func (h *Host) needStack() (*streaming.Stack, error) {
	switch stack := h.stack(); {
	case stack != nil:
		return stack, nil
	case !h.cfg.signs():
		return nil, errUnset
	}
	return nil, fmt.Errorf("the Destination is not known yet, call WaitReady or set Config.Destination: %w", ErrNoFrontend)
}

// Listen opens a port for the streams of remotes. Port 0 gets what comes to
// ports that are not open by themselves. The connections that it accepts are
// *streaming.Stream, whatever frontend their packets come in by, and survive
// the loss of that.
//
// It works once the Destination is known: at once with Config.Destination, else
// after WaitReady; in Service.Serve it is. Until then it fails with
// ErrNoFrontend, later with streaming.ErrPortInUse, and with ErrNoSigner if
// Config has neither Signer nor Credentials. While Credentials have no permission
// it works all the same, and streams begin when there is one. When the Host ends,
// the listener is closed and the streams are reset.
func (h *Host) Listen(port uint16) (net.Listener, error) {
	stack, err := h.needStack()
	if err != nil {
		return nil, fmt.Errorf("listen for streams on port %d: %w", port, err)
	}
	ln, err := stack.Listen(port)
	if err == nil {
		h.opened()
	}
	return ln, err
}

// settle waits until streams that were closed have ended, but not for longer than
// that.
func (h *Host) settle(patience time.Duration) {
	if stack := h.stack(); stack != nil {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		stack.Settle(ctx)
	}
}

// receiveStream takes a packet of the streaming protocol.
func (h *Host) receiveStream(l *link, p sam.Packet) {
	if nonce, ok := parsePong(p.Data); ok {
		h.pong(l, nonce)
		return
	}
	stack := h.stack()
	if stack == nil || !stack.Receive(streaming.Inbound{Data: p.Data, FromPort: p.FromPort, ToPort: p.ToPort, Via: l}) {
		h.unclaimed.Add(1)
		return
	}
	h.tellBegan(l, p)
}

// streamLink is the way of streams to their remotes.
type streamLink struct{ *Host }

// errStranded says that a packet is not sent since it would come before the
// hello to its remote (see rescue).
var errStranded = errors.New("the remote is stranded and gets a hello first")

// Send sends by the link that the remote was heard by last.
func (h streamLink) Send(to *streaming.Remote, fromPort, toPort uint16, packet []byte) error {
	if near := h.near(to.Hash); near != nil {
		return near.loopIn(sam.Packet{FromPort: fromPort, ToPort: toPort, Protocol: ProtocolStreaming, Data: packet})
	}
	h.mu.Lock()
	l := h.routeLocked(to.Hash)
	held := false
	if r := h.rescueLocked(to.Hash); r != nil {
		held = r.holds()
	}
	h.mu.Unlock()
	if held {
		return errStranded
	}
	return l.send(sam.Packet{
		Peer: to.Destination, FromPort: fromPort, ToPort: toPort, Protocol: ProtocolStreaming, Data: packet,
	})
}

// Heard notes that a stream's packet came in by a link. The Stack has made sure
// whose it is, so the remote is a verified one.
func (h streamLink) Heard(from *streaming.Remote, via any) {
	if l, ok := via.(*link); ok { // not by the loop
		h.heardStream(l, from)
	}
}

var _ streaming.Link = streamLink{}
