package demo

import (
	"cmp"
	"context"
	"encoding/binary"
	"math/rand/v2"
	"sync"
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
	// firstAgain is when a first request is sent again.
	firstAgain = 2 * time.Second
	// answerTime is how long after its end a demo waits for the last answers.
	answerTime = 3 * time.Second
	// echoPort is where the service answers.
	echoPort = 7
)

// A client is one remote that asks, and downloads meanwhile.
type client struct {
	number   int
	remote   *simnet.Remote
	tally    *tally.Tally
	target   i2p.Destination // of whom it asks
	hash     i2p.Hash
	download *download
	prober   *prober // in place of download, if a plugin serves
	// served is closed when the first answer has come. More requests and the
	// download follow then: who sends two first packets at once may begin sessions
	// with two members, and be torn between them.
	served chan struct{}
	first  sync.Once
}

// newClient adds a remote, which publishes its LeaseSet as SAM programs do
// unless cfg says otherwise.
func (w *world) newClient(number int, cfg Config) *client {
	c := &client{number: number, tally: w.tally, target: w.dest, hash: w.dest.Hash(), served: make(chan struct{})}
	c.remote = w.network.NewRemote(simnet.RemoteConfig{
		Profile: profile, Published: !cfg.Unpublished, Streams: true, OnMessage: c.hear,
	})
	if w.probes != nil {
		c.prober = &prober{
			client: c, probes: w.probes, url: "http://" + w.dest.Base32() + "/", port: cmp.Or(uint16(cfg.PluginPort), downloadPort),
		}
		return c
	}
	c.download = &download{
		remote: c.remote,
		target: w.dest,
		seed:   cfg.Seed<<16 | uint64(number),
		size:   downloadRate * int64(cfg.For) / int64(time.Second),
	}
	return c
}

// ask sends requests until ctx ends, the next ones when the first is answered.
// Remotes begin spread over a second.
func (c *client) ask(ctx context.Context) {
	if c.prober != nil {
		c.prober.run(ctx)
		return
	}
	if !rest(ctx, rand.N(time.Second)) {
		return
	}
	for !c.isServed() {
		c.askOnce()
		select {
		case <-ctx.Done():
			return
		case <-c.served:
		case <-time.After(firstAgain):
		}
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

func (c *client) isServed() bool {
	select {
	case <-c.served:
		return true
	default:
		return false
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
	_ = c.remote.Send(c.hash, echoPort, echoPort, i2cp.ProtocolDatagram, packet)
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
	c.first.Do(func() { close(c.served) })
}
