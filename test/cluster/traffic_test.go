package cluster_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"github.com/onelease/onelease/i2p/datagram"
	"github.com/onelease/onelease/i2p/i2cp"
	"github.com/onelease/onelease/i2p/simnet"
	"github.com/onelease/onelease/i2p/streaming"
	"github.com/onelease/onelease/internal/tally"
	"github.com/onelease/onelease/test/streamservice"
)

const (
	remotes = 6
	// askEvery is the pace of a remote's requests, echoEvery that of its stream.
	askEvery  = 100 * time.Millisecond
	echoEvery = 200 * time.Millisecond
	// firstAgain is when a first request is sent again.
	firstAgain = 2 * time.Second
	// brokenAfter is how long a stream may be silent until it counts as broken.
	brokenAfter = 90 * time.Second
	// answerTime is how long the last answers may take.
	answerTime = 10 * time.Second
)

// traffic is remotes that ask, and have a stream each, for as long as it lasts.
type traffic struct {
	w       *world
	tally   *tally.Tally
	clients []*client
	stop    context.CancelFunc
	running sync.WaitGroup
}

// A client is a remote. It signs its requests for us, as Datagram2, since the
// backend's answers are signed by a transient key, which Datagram has no place for.
type client struct {
	number int
	remote *simnet.Remote
	t      *traffic
	sender *datagram.Sender // of the answers
	served chan struct{}    // closed with the first answer
	once   sync.Once

	mu     sync.Mutex
	echoes int
	gap    time.Duration // the longest that an echo took
	broken error
}

// startTraffic begins, and returns when all remotes are served.
func (w *world) startTraffic() {
	w.t.Helper()
	ctx, stop := context.WithCancel(w.t.Context())
	t := &traffic{w: w, tally: tally.New(remotes), stop: stop}
	w.traffic = t
	for number := range remotes {
		c := &client{
			number: number, t: t, sender: datagram.NewSender(w.keys.Destination), served: make(chan struct{}),
		}
		c.remote = w.network.NewRemote(simnet.RemoteConfig{
			Profile: simnet.I2PD245, Published: true, Streams: true, OnMessage: c.hear,
		})
		t.clients = append(t.clients, c)
	}
	w.t.Cleanup(func() {
		stop()
		t.running.Wait()
	})
	for _, c := range t.clients {
		w.until(time.Minute, "a remote has tunnels", c.remote.Ready)
		t.running.Go(func() { c.run(ctx) })
	}
	w.until(time.Minute, "all streams have begun", func() bool {
		for _, c := range t.clients {
			if echoes, _, _ := c.stream(); echoes == 0 {
				return false
			}
		}
		return true
	})
}

// run asks until the first answer, and then asks on and has a stream.
func (c *client) run(ctx context.Context) {
	for served := false; !served; {
		c.ask()
		select {
		case <-c.served:
			served = true
		case <-ctx.Done():
			return
		case <-time.After(firstAgain):
		}
	}
	c.t.running.Go(func() { c.echo(ctx) })
	every(ctx, askEvery, c.ask)
}

// every calls do at that pace until ctx ends.
func every(ctx context.Context, pace time.Duration, do func()) {
	ticker := time.NewTicker(pace)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			do()
		}
	}
}

// ask sends one request: a datagram with its number.
func (c *client) ask() {
	w, keys := c.t.w, c.remote.Keys()
	body := binary.BigEndian.AppendUint64(nil, uint64(c.t.tally.Send(c.number, time.Now())))
	origin := datagram.Origin{Destination: keys.Destination, Signer: keys}
	packet, err := datagram.AppendDatagram2(nil, origin, w.keys.Destination.Hash(), nil, body)
	if err == nil {
		err = c.remote.Send(w.keys.Destination.Hash(), 1, echoPort, i2cp.ProtocolDatagram2, packet)
	}
	if err != nil {
		w.t.Errorf("remote %d: %v", c.number, err)
	}
}

// hear counts an answer that the service has signed.
func (c *client) hear(m i2cp.Payload) {
	if m.Protocol != i2cp.ProtocolDatagram2 {
		return
	}
	d, err := datagram.ParseDatagram2(m.Data)
	if err == nil {
		err = d.Verify(c.sender, c.remote.Destination().Hash(), time.Now())
	}
	if err != nil || len(d.Payload) != 8 {
		c.t.w.t.Errorf("remote %d: answer %x: %v", c.number, m.Data, err)
		return
	}
	c.t.tally.Answer(c.number, int(binary.BigEndian.Uint64(d.Payload)))
	c.once.Do(func() { close(c.served) })
}

// echo uses one stream until ctx ends.
func (c *client) echo(ctx context.Context) {
	conn, err := c.remote.Stack().Dial(ctx, streaming.NewRemote(c.t.w.keys.Destination), 0, streamPort)
	if err != nil {
		c.note(0, err)
		return
	}
	defer conn.Close()
	echo, err := streamservice.NewEcho(conn)
	if err != nil {
		c.note(0, err)
		return
	}
	n := 0
	every(ctx, echoEvery, func() {
		if n < 0 {
			return
		}
		took, err := echo.AskUntil(fmt.Sprintf("%d of %d", n, c.number), time.Now().Add(brokenAfter))
		if n++; err != nil {
			n = -1
		}
		c.note(took, err)
	})
}

func (c *client) note(took time.Duration, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.broken = err
		return
	}
	c.echoes++
	c.gap = max(c.gap, took)
}

// stream is how the client's stream fares.
func (c *client) stream() (echoes int, gap time.Duration, broken error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.echoes, c.gap, c.broken
}

// A toll is what a run cost.
type toll struct {
	tally.Requests
	Broken int
	Gap    time.Duration // the longest that an echo on a stream took
}

// end ends the traffic and sums up. Requests under way are waited for.
func (t *traffic) end() toll {
	t.w.t.Helper()
	t.stop()
	t.running.Wait()
	for began := time.Now(); t.tally.Requests(time.Now(), 0).Lost > 0 && time.Since(began) < answerTime; {
		time.Sleep(10 * time.Millisecond)
	}
	sum := toll{Requests: t.tally.Requests(time.Now(), 0)}
	for _, c := range t.clients {
		echoes, gap, broken := c.stream()
		sum.Gap = max(sum.Gap, gap)
		if broken != nil {
			sum.Broken++
			t.w.t.Logf("stream of remote %d broke after %d echoes: %v", c.number, echoes, broken)
		}
	}
	return sum
}

// endWhole ends the traffic and wants nothing lost and no stream broken.
func (t *traffic) endWhole() toll {
	t.w.t.Helper()
	sum := t.end()
	if sum.Lost > 0 || sum.Broken > 0 || sum.Answered == 0 {
		t.w.t.Errorf("%+v; network: %v", sum, t.w.network.Stats().Lost)
		for _, g := range t.tally.Gaps() {
			t.w.t.Logf("remote %d: %d requests from %v on", g.Remote, g.Requests, g.From)
		}
	}
	return sum
}
