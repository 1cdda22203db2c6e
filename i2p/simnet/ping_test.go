package simnet_test

import (
	"bytes"
	"encoding/binary"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/i2cp"
	"github.com/onelease/onelease/i2p/simnet"
)

// newPing is a packet of the streaming protocol with the flags for an echo, a
// signature and a sender. The payload is longer than what Java returns.
func newPing(t *testing.T, keys *i2p.Keys) []byte {
	b := binary.BigEndian.AppendUint32(nil, 0x01020304)
	b = append(b, make([]byte, 14)...)
	b = binary.BigEndian.AppendUint16(b, 1<<3|1<<5|1<<9)
	b = binary.BigEndian.AppendUint16(b, uint16(keys.Destination.Size()+64))
	b = keys.Destination.AppendTo(b)
	signAt := len(b)
	b = append(b, make([]byte, 64)...)
	b = append(b, pingPayload...)
	signature, err := keys.Sign(b)
	if err != nil {
		t.Fatal(err)
	}
	copy(b[signAt:], signature)
	return b
}

var pingPayload = []byte("0123456789abcdef0123456789abcdef and more")

// A pinging is two remotes, of which one was sent a ping.
type pinging struct {
	asker, asked simnet.RemoteConfig
	change       func(ping []byte) // of what is sent
	got          []i2cp.Payload    // what the asker was sent
}

func (p *pinging) run(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := simnet.New(simnet.Config{Seed: 1})
		defer n.Close()
		p.asker.Published, p.asked.Published = true, true
		p.asker.NoPongs = true
		p.asker.OnMessage = func(m i2cp.Payload) {
			m.Data = bytes.Clone(m.Data)
			p.got = append(p.got, m)
		}
		asker, asked := n.NewRemote(p.asker), n.NewRemote(p.asked)
		time.Sleep(30 * time.Second)
		ping := newPing(t, asker.Keys())
		if p.change != nil {
			p.change(ping)
		}
		if err := asker.Send(asked.Destination().Hash(), 1, 2, i2cp.ProtocolStreaming, ping); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
	})
}

func TestPong(t *testing.T) {
	wrongSignature := func(ping []byte) { ping[len(ping)-len(pingPayload)-1] ^= 1 }
	anonymous := func(ping []byte) { ping[19] &^= 1 << 5 }
	pong := func(ping []byte) { clear(ping[:4]) }
	for _, c := range []struct {
		name   string
		asked  simnet.RemoteConfig
		change func(ping []byte)
		want   bool
	}{
		{"2.45.1", simnet.RemoteConfig{Profile: simnet.I2PD245}, nil, true},
		{"2.58", simnet.RemoteConfig{Profile: simnet.I2PD258}, nil, true},
		{"Java datagrams", simnet.RemoteConfig{Profile: simnet.JavaI2P}, nil, false},
		{"Java streams", simnet.RemoteConfig{Profile: simnet.JavaI2P, Streams: true}, nil, true},
		{"2.45.1 tunnel", simnet.RemoteConfig{Profile: simnet.I2PD245, NoPongs: true}, nil, false},
		{"Java tunnel", simnet.RemoteConfig{Profile: simnet.JavaI2P, Streams: true, NoPongs: true}, nil, false},
		{"2.45.1 wrong signature", simnet.RemoteConfig{Profile: simnet.I2PD245}, wrongSignature, true},
		{"2.58 wrong signature", simnet.RemoteConfig{Profile: simnet.I2PD258}, wrongSignature, true},
		{"Java wrong signature", simnet.RemoteConfig{Profile: simnet.JavaI2P, Streams: true}, wrongSignature, false},
		{"2.45.1 anonymous", simnet.RemoteConfig{Profile: simnet.I2PD245}, anonymous, false},
		{"2.58 pong", simnet.RemoteConfig{Profile: simnet.I2PD258}, pong, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := pinging{asked: c.asked, change: c.change}
			p.run(t)
			if (len(p.got) == 1) != c.want || len(p.got) > 1 {
				t.Fatalf("got %d messages back, want a pong: %v", len(p.got), c.want)
			}
			if c.want {
				checkPong(t, p.got[0], c.asked.Streams)
			}
		})
	}
}

func checkPong(t *testing.T, m i2cp.Payload, java bool) {
	t.Helper()
	want := append([]byte{4: 1, 5: 2, 6: 3, 7: 4, 18: 2, 21: 0}, pingPayload...)
	var from, to uint16
	if java {
		want, from, to = want[:22+32], 2, 1
	}
	if !bytes.Equal(m.Data, want) || m.Protocol != i2cp.ProtocolStreaming || m.FromPort != from || m.ToPort != to {
		t.Errorf("pong %+v, want payload %x from port %d to %d", m, want, from, to)
	}
}

// A ping that names another sender than the session's: 2.45.1 answers to that.
func TestPingForAnother(t *testing.T) {
	for _, c := range []struct {
		profile simnet.Profile
		want    int
	}{{simnet.I2PD245, 1}, {simnet.I2PD258, 0}} {
		t.Run(c.profile.Name, func(t *testing.T) {
			inNetwork(t, c.profile, func(t *testing.T, n *simnet.Network, _ *simnet.Router) {
				remotes, got := ready(n, c.profile, 3)
				asked, asker, other := remotes[0], remotes[1], remotes[2]
				say(t, asked, other) // now it has its LeaseSet
				time.Sleep(time.Second)
				synctest.Wait()
				before := got[2]
				ping := newPing(t, other.Keys())
				if err := asker.Send(asked.Destination().Hash(), 0, 0, i2cp.ProtocolStreaming, ping); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				synctest.Wait()
				if got[1] != 0 || got[2]-before != c.want {
					t.Errorf("%d pongs to the asker and %d to the other, want 0 and %d", got[1], got[2]-before, c.want)
				}
			})
		})
	}
}
