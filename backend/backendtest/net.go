package backendtest

import (
	"bytes"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/sam"
)

const (
	// Latency is how long a packet takes through a Net, one way.
	Latency = 20 * time.Millisecond
	// SessionAge is how old a remote's session must be for another frontend's
	// router to take it over, as in i2pd and Java I2P.
	SessionAge = 120 * time.Second
)

// A Net is a network of frontends and remotes, with the rules of stock routers in
// short: a remote sends by the frontend that its session is with, and goes over to
// another one only when that sends it something while the session is old enough.
// For the whole of these rules see package simnet.
type Net struct {
	t         testing.TB
	frontends []*Frontend
	group     sync.WaitGroup

	mu      sync.Mutex
	remotes map[i2p.Destination]*peer
	loss    float64
	lost    int
	rng     *rand.Rand
}

// NewNet takes over what the frontends send. It must be closed, after the
// hosts and before the frontends.
func NewNet(t testing.TB, frontends []*Frontend) *Net {
	n := &Net{t: t, frontends: frontends, remotes: make(map[i2p.Destination]*peer)}
	for i, f := range frontends {
		f.OnSend(func(p sam.Packet) { n.send(i, p) })
	}
	return n
}

// Lose has packets be lost from now on, each with that probability from 0 to 1,
// drawn from a seed.
func (n *Net) Lose(probability float64, seed uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.loss, n.rng = probability, rand.New(rand.NewPCG(seed, seed))
}

func (n *Net) loses() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	lost := n.loss > 0 && n.rng.Float64() < n.loss
	if lost {
		n.lost++
	}
	return lost
}

// Lost is how many packets were lost.
func (n *Net) Lost() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.lost
}

// send takes a packet from a frontend to its remote.
func (n *Net) send(frontend int, p sam.Packet) {
	n.mu.Lock()
	r := n.remotes[p.Peer]
	n.mu.Unlock()
	if r != nil && !n.loses() {
		p.Data = bytes.Clone(p.Data)
		r.in.send(func() { r.receive(frontend, p) })
	}
}

// Close ends all remotes.
func (n *Net) Close() {
	n.mu.Lock()
	remotes := n.remotes
	n.remotes = nil
	n.mu.Unlock()
	for _, r := range remotes {
		r.end()
		r.in.close()
		r.out.close()
	}
	n.group.Wait()
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
