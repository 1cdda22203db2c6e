package demo

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/datagram"
	"github.com/onelease/onelease/i2p/i2cp"
	"github.com/onelease/onelease/i2p/simnet"
	"github.com/onelease/onelease/internal/tally"
)

const (
	// remotesPerRouter is how many remotes there are for each member.
	remotesPerRouter = 2
	// askEvery is the pace of one remote: real ones were seen to lose more
	// than half over a merged LeaseSet within a hundred messages.
	askEvery = 100 * time.Millisecond
	// answerTime is how long after its end a demo waits for the last answers.
	answerTime = 3 * time.Second
	// echoPort is where the service answers.
	echoPort = 7
)

// A client is one remote that asks.
type client struct {
	number int
	remote *simnet.Remote
	tally  *tally.Tally
	target i2p.Hash
}

// newClient adds a remote that publishes its LeaseSet, as SAM programs do.
func newClient(network *simnet.Network, number int, target i2p.Hash, t *tally.Tally) *client {
	c := &client{number: number, tally: t, target: target}
	c.remote = network.NewRemote(simnet.RemoteConfig{Profile: profile, Published: true, OnMessage: c.hear})
	return c
}

// ask sends requests until ctx ends. Remotes begin spread over a second.
func (c *client) ask(ctx context.Context) {
	first := time.NewTimer(rand.N(time.Second))
	defer first.Stop()
	select {
	case <-ctx.Done():
		return
	case <-first.C:
	}
	ticker := time.NewTicker(askEvery)
	defer ticker.Stop()
	for ctx.Err() == nil {
		c.askOnce()
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
}

// askOnce sends one request: a datagram with its number. A remote that cannot
// send has its own router to blame; that does not happen here.
func (c *client) askOnce() {
	number := c.tally.Send(c.number, time.Now())
	body := binary.BigEndian.AppendUint64(nil, uint64(number))
	keys := c.remote.Keys()
	packet, err := datagram.AppendDatagram1(nil, keys.Destination, keys, body)
	if err != nil {
		return
	}
	_ = c.remote.Send(c.target, echoPort, echoPort, i2cp.ProtocolDatagram, packet)
}

// hear counts an answer. What is no answer, such as a hello, is not counted.
func (c *client) hear(m i2cp.Payload) {
	if m.Protocol != i2cp.ProtocolDatagram {
		return
	}
	d, err := datagram.ParseDatagram1(m.Data)
	if err != nil || len(d.Payload) != 8 {
		return
	}
	c.tally.Answer(c.number, int(binary.BigEndian.Uint64(d.Payload)))
}
