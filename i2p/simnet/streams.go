package simnet

import (
	"fmt"

	"github.com/onelease/onelease/i2p/datagram"
	"github.com/onelease/onelease/i2p/i2cp"
	"github.com/onelease/onelease/i2p/streaming"
)

// Stack has the streams of a Remote with RemoteConfig.Streams, nil for others.
// They end with its router; after a restart there is another Stack.
func (r *Remote) Stack() *streaming.Stack {
	r.net.mu.Lock()
	defer r.net.mu.Unlock()
	return r.stack
}

// A streamLink takes a Stack's packets into the network.
type streamLink struct{ r *Remote }

// Send implements streaming.Link.
func (l streamLink) Send(to *streaming.Remote, fromPort, toPort uint16, packet []byte) error {
	var p streaming.Packet
	if err := p.Parse(packet); err != nil {
		return fmt.Errorf("send from %s: %w", l.r.cfg.Router.cfg.Name, err)
	}
	own := l.r.cfg.Router.cfg.Profile.Streams.OwnPath && p.ReceiveID != 0 && p.Flags&streaming.FlagEcho == 0
	if !own {
		return l.r.Send(to.Hash, fromPort, toPort, i2cp.ProtocolStreaming, packet)
	}
	payload := i2cp.AppendPayload(nil, fromPort, toPort, i2cp.ProtocolStreaming, packet)
	l.r.net.mu.Lock()
	defer l.r.net.mu.Unlock()
	if err := l.r.upLocked(); err != nil {
		return fmt.Errorf("send from %s: %w", l.r.cfg.Router.cfg.Name, err)
	}
	l.r.dest.sendStreamLocked(to.Hash, p.ReceiveID, newStreamPacket(&p, payload))
	return nil
}

// Heard implements streaming.Link. A router goes by sessions, not by signatures.
func (streamLink) Heard(*streaming.Remote, any) {}

// newStackLocked gives the Remote its streams. It panics if they cannot be: all
// that could be wrong is this package's.
func (r *Remote) newStackLocked() {
	stack, err := streaming.New(streaming.Config{
		Origin:  datagram.Origin{Destination: r.keys.Destination, Signer: r.keys, Offline: r.keys.Offline},
		Link:    streamLink{r},
		Logger:  r.net.log,
		GiveUp:  r.cfg.Router.cfg.Profile.Streams.GiveUp,
		NoPongs: true, // see answerPing
	})
	if err != nil {
		panic(fmt.Sprintf("simnet: %v", err))
	}
	r.stack = stack
}

// dropStackLocked ends all streams, without a word to the other side.
func (r *Remote) dropStackLocked() {
	if stack := r.stack; stack != nil {
		r.stack = nil
		r.net.wg.Go(func() { stack.Close() })
	}
}

// receiveStream hands a packet to the Stack.
func (r *Remote) receiveStream(m i2cp.Payload) {
	var p streaming.Packet
	if p.Parse(m.Data) != nil {
		return
	}
	r.net.mu.Lock()
	stack := r.stack
	taken := stack != nil && r.dest.heardStreamLocked(&p)
	r.net.mu.Unlock()
	if taken {
		stack.Receive(streaming.Inbound{Data: m.Data, FromPort: m.FromPort, ToPort: m.ToPort})
	}
}

var _ streaming.Link = streamLink{}
