package simnet

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/i2cp"
	"github.com/onelease/onelease/i2p/streaming"
)

const (
	// remoteQuantity is the number of a Remote's inbound tunnels.
	remoteQuantity = 3
	// inboxSize bounds the messages that wait for a Remote's handler.
	inboxSize = 1024
)

// A RemoteConfig describes a remote client.
type RemoteConfig struct {
	// Router is where it lives; a router of its own with Profile if nil.
	Router *Router
	// Profile is for a router of its own.
	Profile Profile
	// Keys are made if nil.
	Keys *i2p.Keys
	// Published puts its LeaseSet into the netDB. Else only those know it to
	// whom its messages brought it.
	Published bool
	// Streams is a client that uses streams: those of Remote.Stack, which choose
	// sessions and leases as its router's own would (StreamRules). Java I2P
	// answers pings for no other; i2pd answers them for all (PingRules).
	Streams bool
	// NoPongs has pings go unanswered, as i2p.streaming.answerPings=false does.
	// That is the default of client tunnels of both makes (i2pd
	// ClientContext.cpp, ReadI2CPOptions; Java i2ptunnel/I2PTunnelClientBase),
	// not of SAM clients.
	NoPongs bool
	// KeepsSession has it send to a Destination on the ratchet session that it
	// has until that is terminated, whatever key the newest LeaseSet names: by a
	// new session with the same key once it is older than RatchetRules.Takeover,
	// or when it is idle. Such are SAM datagram and raw sessions of i2pd
	// (Datagram.cpp, DatagramSession::GetSharedRoutingPath); 2.45.1 and 2.58
	// do the same, and differ in KeptRules. Else it looks the session up by the
	// LeaseSet's key, as I2CP clients of i2pd do (I2CP.cpp,
	// I2CPDestination::SendMsg), and Java I2P, whose SAM goes over I2CP.
	KeepsSession bool
	// OnMessage is called with each message that comes, pings too, but for those
	// of Streams, by one goroutine of the Remote's. Message.Data is valid during
	// the call. If it is slow, messages are lost.
	OnMessage func(m i2cp.Payload)
}

// A Remote is a client at the other end: a Destination on a router, whose
// LeaseSets it signs itself.
type Remote struct {
	net     *Network
	cfg     RemoteConfig
	keys    *i2p.Keys
	private *ecdh.PrivateKey
	inbox   chan []byte
	done    chan struct{}

	// All below is guarded by net.mu.
	pings     i2cp.Inflater
	dest      *destination
	stack     *streaming.Stack
	closed    bool
	published time.Time // of the last LeaseSet
}

// NewRemote adds a remote client. It has tunnels, and can send, some seconds
// later. It panics if keys cannot be made.
func (n *Network) NewRemote(cfg RemoteConfig) *Remote {
	if cfg.Keys == nil {
		keys, err := i2p.GenerateKeys()
		if err != nil {
			panic(fmt.Sprintf("simnet: %v", err))
		}
		cfg.Keys = keys
	}
	private, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		panic(fmt.Sprintf("simnet: %v", err))
	}
	r := &Remote{
		net:     n,
		cfg:     cfg,
		keys:    cfg.Keys,
		private: private,
		inbox:   make(chan []byte, inboxSize),
		done:    make(chan struct{}),
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if r.cfg.Router == nil {
		r.cfg.Router = n.newRouterLocked(RouterConfig{Profile: cfg.Profile})
	}
	r.cfg.Router.remotes = append(r.cfg.Router.remotes, r)
	if n.closed {
		r.closeLocked()
		return r
	}
	r.startLocked()
	n.wg.Go(r.run)
	return r
}

// startLocked opens the Destination on its router, which knows nothing of it.
func (r *Remote) startLocked() {
	if r.closed || r.cfg.Router.state == routerDown {
		return
	}
	r.dest = r.cfg.Router.newDestinationLocked(r, r.keys.Destination, remoteQuantity, r.cfg.Published)
	if r.cfg.KeepsSession {
		r.dest.kept = map[i2p.Hash]*ratchet{}
	}
	if r.cfg.Streams {
		r.newStackLocked()
	}
	r.dest.startLocked()
}

// run hands messages to the handler.
func (r *Remote) run() {
	var inflater i2cp.Inflater
	for {
		select {
		case <-r.done:
			return
		case framed := <-r.inbox:
			m, err := inflater.Parse(framed)
			switch {
			case err != nil:
			case r.cfg.Streams && m.Protocol == i2cp.ProtocolStreaming:
				r.receiveStream(m)
			case r.cfg.OnMessage != nil:
				r.cfg.OnMessage(m)
			}
		}
	}
}

// Destination is the Remote's address.
func (r *Remote) Destination() i2p.Destination { return r.keys.Destination }

// Keys are the Remote's, to sign with what it sends.
func (r *Remote) Keys() *i2p.Keys { return r.keys }

// Router is where the Remote lives.
func (r *Remote) Router() *Router { return r.cfg.Router }

// Ready says whether Send will take messages.
func (r *Remote) Ready() bool {
	r.net.mu.Lock()
	defer r.net.mu.Unlock()
	return r.upLocked() == nil
}

// LeaseSet returns a copy of the LeaseSet that the Remote's router holds of
// hash, from the netDB or from a message.
func (r *Remote) LeaseSet(hash i2p.Hash) ([]byte, bool) {
	r.net.mu.Lock()
	defer r.net.mu.Unlock()
	if r.dest == nil || r.dest.remotes[hash] == nil {
		return nil, false
	}
	return bytes.Clone(r.dest.remotes[hash].raw), true
}

// Send sends data, which is copied, to a Destination. Like a real router it
// does not know whether the message arrives. The error is ErrClosed,
// ErrRouterDown or ErrNotReady, or i2cp.ErrTooBig.
func (r *Remote) Send(to i2p.Hash, fromPort, toPort uint16, protocol uint8, data []byte) error {
	if len(data) > i2cp.MaxData {
		return fmt.Errorf("send %d bytes: %w", len(data), i2cp.ErrTooBig)
	}
	payload := i2cp.AppendPayload(nil, fromPort, toPort, protocol, data)
	r.net.mu.Lock()
	defer r.net.mu.Unlock()
	if err := r.upLocked(); err != nil {
		return fmt.Errorf("send from %s: %w", r.cfg.Router.cfg.Name, err)
	}
	r.dest.sendLocked(to, payload, 0)
	return nil
}

// upLocked says why the Remote cannot send.
func (r *Remote) upLocked() error {
	switch {
	case r.closed:
		return ErrClosed
	case r.cfg.Router.state != routerUp:
		return ErrRouterDown
	case r.dest == nil || !r.dest.readyLocked():
		return ErrNotReady
	}
	return nil
}

// Close takes the Remote out of the network.
func (r *Remote) Close() {
	r.net.mu.Lock()
	defer r.net.mu.Unlock()
	r.closeLocked()
}

func (r *Remote) closeLocked() {
	if r.closed {
		return
	}
	r.closed = true
	r.dropStackLocked()
	close(r.done)
	if r.dest != nil {
		r.dest.closeLocked()
	}
}
