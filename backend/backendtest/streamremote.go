package backendtest

import (
	"log/slog"

	"github.com/onelease/onelease/i2p/datagram"
	"github.com/onelease/onelease/i2p/sam"
	"github.com/onelease/onelease/i2p/streaming"
)

// protocolStreaming is the I2CP protocol of streams.
const protocolStreaming = 6

// A StreamRemote is a Destination with streams.
type StreamRemote struct {
	*peer
	Stack *streaming.Stack
}

// NewRemote returns a remote whose session is with a frontend from now on. One
// that is unpublished cannot be looked up, nor reached by others.
func (n *Net) NewRemote(frontend int, unpublished bool) *StreamRemote {
	n.t.Helper()
	r := &StreamRemote{peer: n.newPeer(frontend, unpublished)}
	stack, err := streaming.New(streaming.Config{
		Origin: datagram.Origin{Destination: r.Destination, Signer: r.Keys},
		Link:   r,
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		n.t.Fatal(err)
	}
	r.Stack, r.end = stack, func() { stack.Close() }
	r.deliver = func(p sam.Packet) {
		if p.Protocol == protocolStreaming {
			stack.Receive(streaming.Inbound{Data: p.Data, FromPort: p.FromPort, ToPort: p.ToPort})
		}
	}
	n.join(r.peer)
	return r
}

// Send implements streaming.Link.
func (r *StreamRemote) Send(_ *streaming.Remote, fromPort, toPort uint16, packet []byte) error {
	r.send(sam.Packet{FromPort: fromPort, ToPort: toPort, Protocol: protocolStreaming, Data: packet})
	return nil
}

// Heard implements streaming.Link.
func (r *StreamRemote) Heard(*streaming.Remote, any) {}

// A HostRemote is a Destination with a Frontend of its own, for a backend.Host at
// the other end: that has streams and all kinds of datagrams.
type HostRemote struct {
	*peer
	// Own is the Frontend. It knows the Destination that the Net's serve.
	Own *Frontend
}

// NewHostRemote is NewRemote for a HostRemote. The Host is to end before the Net is
// closed.
func (n *Net) NewHostRemote(frontend int, unpublished bool) *HostRemote {
	n.t.Helper()
	r := &HostRemote{peer: n.newPeer(frontend, unpublished)}
	r.Own = NewFrontend(r.Destination)
	served := n.frontends[0].dest
	r.Own.Name(served.Base32(), served)
	r.Own.OnSend(func(p sam.Packet) {
		if p.Peer == served {
			r.send(p)
		}
	})
	r.deliver, r.end = r.Own.Deliver, r.Own.Close
	n.join(r.peer)
	return r
}

var _ streaming.Link = (*StreamRemote)(nil)
