package test

import (
	"context"
	"encoding/binary"
	"sync"
	"time"

	"github.com/onelease/onelease/i2p/datagram"
	"github.com/onelease/onelease/i2p/i2cp"
	"github.com/onelease/onelease/i2p/simnet"
	"github.com/onelease/onelease/internal/tally"
)

// ask waits for the LeaseSet and has two remotes ask until ctx ends.
func (v *target) ask(ctx context.Context, asking *sync.WaitGroup) {
	v.t.Helper()
	v.until("the LeaseSet is in the netDB", func() bool { return v.listed() == 6 })
	v.tally = tally.New(2)
	for number := range 2 {
		remote := v.network.NewRemote(simnet.RemoteConfig{
			Profile: simnet.I2PD245, Published: true,
			OnMessage: func(m i2cp.Payload) { v.hear(number, m) },
		})
		v.until("a remote has tunnels", remote.Ready)
		asking.Go(func() {
			for ; ctx.Err() == nil; time.Sleep(200 * time.Millisecond) {
				v.askOnce(number, remote)
			}
		})
	}
}

func (v *target) askOnce(number int, remote *simnet.Remote) {
	body := binary.BigEndian.AppendUint64(nil, uint64(v.tally.Send(number, time.Now())))
	keys := remote.Keys()
	packet, err := datagram.AppendDatagram1(nil, keys.Destination, keys, body)
	if err == nil {
		err = remote.Send(v.keys.Destination.Hash(), 1, 7, i2cp.ProtocolDatagram, packet)
	}
	if err != nil {
		v.t.Errorf("remote %d: %v", number, err)
	}
}

func (v *target) hear(number int, m i2cp.Payload) {
	d, err := datagram.ParseDatagram1(m.Data)
	if m.Protocol == i2cp.ProtocolDatagram && err == nil && len(d.Payload) == 8 {
		v.tally.Answer(number, int(binary.BigEndian.Uint64(d.Payload)))
	}
}

func (v *target) requests() tally.Requests { return v.tally.Requests(time.Now(), 0) }
