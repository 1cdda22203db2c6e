package onelease_test

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/onelease/onelease/i2p/datagram"
	"github.com/onelease/onelease/i2p/i2cp"
	"github.com/onelease/onelease/i2p/simnet"
	"github.com/onelease/onelease/internal/tally"
)

// addRemotes adds remotes that publish their LeaseSets, as SAM programs do.
func (w *world) addRemotes(count int) {
	w.t.Helper()
	for number := range count {
		w.remotes = append(w.remotes, w.network.NewRemote(simnet.RemoteConfig{
			Profile: w.profile, Published: true,
			OnMessage: func(m i2cp.Payload) { w.hear(number, m) },
		}))
	}
	for _, r := range w.remotes {
		w.until(time.Minute, "a remote has tunnels", r.Ready)
	}
}

// hear counts an answer; what is none, such as a hello, is not counted.
func (w *world) hear(number int, m i2cp.Payload) {
	d, err := datagram.ParseDatagram1(m.Data)
	w.mu.Lock()
	defer w.mu.Unlock()
	if m.Protocol == i2cp.ProtocolDatagram && err == nil && len(d.Payload) == 8 && w.tally != nil {
		w.tally.Answer(number, int(binary.BigEndian.Uint64(d.Payload)))
	}
}

// asking has all remotes ask from now on. What it returns ends that, waits for
// the last answers and returns the sum.
func (w *world) asking(every time.Duration) (finish func() tally.Requests) {
	w.mu.Lock()
	w.tally = tally.New(len(w.remotes))
	w.mu.Unlock()
	ctx, stop := context.WithCancel(w.ctx)
	for number, remote := range w.remotes {
		w.askers.Go(func() {
			time.Sleep(askersApart * time.Duration(number))
			for ; ctx.Err() == nil; time.Sleep(every) {
				w.ask(number, remote)
			}
		})
	}
	return func() tally.Requests {
		stop()
		w.askers.Wait()
		time.Sleep(5 * time.Second)
		return w.tally.Requests(time.Now(), 0)
	}
}

// askersApart is how long after each other remotes begin to ask: a router of
// i2pd 2.58 takes in one new session in 200 ms.
const askersApart = 250 * time.Millisecond

// ask sends one request, unless the remote has just lost all its tunnels.
func (w *world) ask(number int, remote *simnet.Remote) {
	if !remote.Ready() {
		return
	}
	body := binary.BigEndian.AppendUint64(nil, uint64(w.tally.Send(number, time.Now())))
	keys := remote.Keys()
	packet, err := datagram.AppendDatagram1(nil, keys.Destination, keys, body)
	if err == nil {
		err = remote.Send(w.keys.Destination.Hash(), 1, 7, i2cp.ProtocolDatagram, packet)
	}
	if err != nil {
		w.t.Errorf("remote %d: %v", number, err)
	}
}
