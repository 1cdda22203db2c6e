package backendtest

import (
	"bytes"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/datagram"
	"github.com/onelease/onelease/i2p/sam"
	"github.com/onelease/onelease/i2p/streaming"
)

const (
	// Latency is how long a packet takes through a Net, one way.
	Latency = 20 * time.Millisecond
	// SessionAge is how old a remote's session must be for another frontend's
	// router to take it over, as in i2pd and Java I2P.
	SessionAge = 120 * time.Second
	// protocolStreaming is the I2CP protocol of streams.
	protocolStreaming = 6
)

// A Net is a network of frontends and remotes that have streams, with the rules
// of stock routers in short: a remote sends by the frontend that its session is
// with, and goes over to another one only when that sends it something while
// the session is old enough. For the whole of these rules see package simnet.
type Net struct {
	t         testing.TB
	frontends []*Frontend
	group     sync.WaitGroup

	mu      sync.Mutex
	remotes map[i2p.Destination]*StreamRemote
}

// NewNet takes over what the frontends send. It must be closed, after the
// hosts and before the frontends.
func NewNet(t testing.TB, frontends []*Frontend) *Net {
	n := &Net{t: t, frontends: frontends, remotes: make(map[i2p.Destination]*StreamRemote)}
	for i, f := range frontends {
		f.OnSend(func(p sam.Packet) { n.send(i, p) })
	}
	return n
}

// send takes a packet from a frontend to its remote.
func (n *Net) send(frontend int, p sam.Packet) {
	n.mu.Lock()
	r := n.remotes[p.Peer]
	n.mu.Unlock()
	if r != nil && p.Protocol == protocolStreaming {
		p.Data = bytes.Clone(p.Data)
		r.in.send(func() { r.receive(frontend, p) })
	}
}

// Close ends all remotes.
func (n *Net) Close() {
	n.mu.Lock()
	for _, r := range n.remotes {
		r.Stack.Close()
		r.in.close()
		r.out.close()
	}
	n.remotes = nil
	n.mu.Unlock()
	n.group.Wait()
}

// A StreamRemote is a Destination with streams.
type StreamRemote struct {
	*i2p.Keys
	Stack *streaming.Stack

	net         *Net
	unpublished bool
	in, out     wire

	mu       sync.Mutex
	frontend int
	since    time.Time // of the session
	sent     []int     // by frontend
}

// NewRemote returns a remote whose session is with a frontend from now on. One
// that is unpublished cannot be looked up, nor reached by others.
func (n *Net) NewRemote(frontend int, unpublished bool) *StreamRemote {
	n.t.Helper()
	keys, err := i2p.GenerateKeys()
	if err != nil {
		n.t.Fatal(err)
	}
	r := &StreamRemote{
		Keys: keys, net: n, unpublished: unpublished, in: newWire(), out: newWire(),
		frontend: frontend, since: time.Now(), sent: make([]int, len(n.frontends)),
	}
	r.Stack, err = streaming.New(streaming.Config{
		Origin: datagram.Origin{Destination: keys.Destination, Signer: keys},
		Link:   r,
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		n.t.Fatal(err)
	}
	if !unpublished {
		for _, f := range n.frontends {
			f.Name(keys.Destination.Base32(), keys.Destination)
		}
	}
	n.group.Go(r.in.run)
	n.group.Go(r.out.run)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.remotes[keys.Destination] = r
	return r
}

// receive takes a packet that came through a frontend.
func (r *StreamRemote) receive(frontend int, p sam.Packet) {
	r.mu.Lock()
	if frontend != r.frontend {
		if r.unpublished {
			r.mu.Unlock()
			return
		}
		if time.Since(r.since) > SessionAge {
			r.frontend, r.since = frontend, time.Now()
		}
	}
	r.mu.Unlock()
	r.Stack.Receive(streaming.Inbound{Data: p.Data, FromPort: p.FromPort, ToPort: p.ToPort})
}

// Send implements streaming.Link.
func (r *StreamRemote) Send(_ *streaming.Remote, fromPort, toPort uint16, packet []byte) error {
	r.mu.Lock()
	frontend := r.net.frontends[r.frontend]
	r.sent[r.frontend]++
	r.mu.Unlock()
	p := sam.Packet{FromPort: fromPort, ToPort: toPort, Protocol: protocolStreaming, Data: bytes.Clone(packet)}
	r.out.send(func() { frontend.Deliver(p) })
	return nil
}

// Heard implements streaming.Link.
func (r *StreamRemote) Heard(*streaming.Remote, any) {}

// Use has r send by another frontend, in a new session.
func (r *StreamRemote) Use(frontend int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.frontend, r.since = frontend, time.Now()
}

// Frontend is the one that r sends by.
func (r *StreamRemote) Frontend() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.frontend
}

// Sent is how many packets r sent by a frontend.
func (r *StreamRemote) Sent(frontend int) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sent[frontend]
}

// A wire runs functions in order, each after Latency.
type wire struct{ parcels chan parcel }

type parcel struct {
	due     time.Time
	deliver func()
}

func newWire() wire { return wire{make(chan parcel, 1<<14)} }

// send drops what does not fit, as networks do.
func (w wire) send(deliver func()) {
	select {
	case w.parcels <- parcel{time.Now().Add(Latency), deliver}:
	default:
	}
}

func (w wire) run() {
	for p := range w.parcels {
		if p.deliver == nil {
			return
		}
		time.Sleep(time.Until(p.due))
		p.deliver()
	}
}

// close ends run. What is sent later is never delivered.
func (w wire) close() { w.parcels <- parcel{} }

var _ streaming.Link = (*StreamRemote)(nil)
