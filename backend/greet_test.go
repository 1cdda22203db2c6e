package backend

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/sam"
	"github.com/onelease/onelease/i2p/streaming"
)

// toStranger is a raw message to somebody who was never heard.
func toStranger(t *testing.T) (Message, i2p.Hash) {
	to := i2p.NewAddr(newKeys(t).Destination, 0)
	return Message{Kind: Raw, Protocol: 18, Peer: to, Data: []byte("x")}, to.Hash
}

func (r *rig) send(m Message, o SendOptions) {
	r.t.Helper()
	if err := r.host.SendMessage(m, o); err != nil {
		r.t.Fatal(err)
	}
}

// greetedBy is the ping that went out, and by which frontend; -1 if none did.
func (r *rig) greetedBy() (by int, ping sam.Packet) {
	r.t.Helper()
	by = -1
	for i, packets := range r.hellosBy() {
		for _, p := range packets {
			if by >= 0 {
				r.t.Fatal("more than one greeting")
			}
			by, ping = i, p
		}
	}
	return by, ping
}

func pongOf(t *testing.T, ping sam.Packet) sam.Packet {
	var p streaming.Packet
	if err := p.Parse(ping.Data); err != nil {
		t.Fatal(err)
	}
	pong := streaming.Packet{ReceiveID: p.SendID, Flags: streaming.FlagEcho, Payload: p.Payload}
	return sam.Packet{Protocol: ProtocolStreaming, Data: pong.AppendTo(nil)}
}

// What waits goes by the way that the pong came, and so does all after it.
func TestGreetingFindsTheLink(t *testing.T) {
	for by := range 3 {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, 3, nil)
			defer r.stop()
			m, hash := toStranger(t)
			r.send(m, SendOptions{})
			r.send(m, SendOptions{})
			_, ping := r.greetedBy()
			r.frontends[by].Deliver(pongOf(t, ping))
			synctest.Wait()
			r.send(m, SendOptions{})
			_, unsent := r.greetedBy()
			if unsent.Data != nil {
				t.Error("greeted again")
			}
			time.Sleep(greetingAgain)
			r.send(m, SendOptions{})
			r.host.mu.Lock()
			known := r.host.remotes.byHash[hash]
			r.host.mu.Unlock()
			if known == nil || known.link != r.host.links[by] {
				t.Error("the remote is not known by that link")
			}
			for i := range 3 {
				if i != by && len(r.frontends[i].Sent()) > 0 {
					t.Errorf("sent by %d, want all by %d", i, by)
				}
			}
		})
	}
}

// One that answers no pings gets what waited after a moment, the rest at once, and is
// greeted by another link later.
func TestGreetingWithoutAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 2, nil)
		defer r.stop()
		m, _ := toStranger(t)
		for range maxGreetedPackets + 3 {
			r.send(m, SendOptions{})
		}
		first, _ := r.greetedBy()
		if n := total(r.sentBy()); first < 0 || n != 0 || r.host.Stats().Overflow != 3 {
			t.Errorf("greeted by %d, %d sent, %d lost", first, n, r.host.Stats().Overflow)
		}
		time.Sleep(greetingPatience)
		if n := total(r.sentBy()); n != maxGreetedPackets {
			t.Errorf("%d sent after a moment", n)
		}
		r.send(m, SendOptions{})
		if n := total(r.sentBy()); n != 1 {
			t.Errorf("%d sent at once", n)
		}
		time.Sleep(greetingAgain)
		r.send(m, SendOptions{})
		if second, _ := r.greetedBy(); second != 1-first {
			t.Errorf("greeted by %d, and then by %d", first, second)
		}
	})
}

// A pong of somebody else, or none of ours, changes nothing.
func TestFalsePong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, nil)
		defer r.stop()
		m, hash := toStranger(t)
		r.send(m, SendOptions{})
		_, ping := r.greetedBy()
		pong := pongOf(t, ping)
		pong.Data[len(pong.Data)-1] ^= 1
		r.frontends[0].Deliver(pong)
		synctest.Wait()
		if n := total(r.sentBy()); n != 0 || r.host.remotes.byHash[hash] != nil {
			t.Errorf("%d sent", n)
		}
	})
}

// Who is likely to be answered is answered by the way that the question came.
func TestGreetingGoesWhereRawCameIn(t *testing.T) {
	for by := range 3 {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, 3, nil)
			defer r.stop()
			r.listen(Raw, 0)
			for range 5 {
				r.frontends[by].Deliver(sam.Packet{Protocol: 18, Data: []byte("question")})
				synctest.Wait()
				m, _ := toStranger(t)
				r.send(m, SendOptions{})
				if got, _ := r.greetedBy(); got != by {
					t.Errorf("greeted by %d, want %d", got, by)
				}
			}
		})
	}
}

// Strangers that are not to know who sends are not greeted, nor are others by a Host
// that cannot sign.
func TestNoGreeting(t *testing.T) {
	for _, c := range []struct {
		signs bool
		o     SendOptions
	}{{true, SendOptions{NoLeaseSet: true}}, {false, SendOptions{}}} {
		t.Run(fmt.Sprint(c.signs), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, 1, func(cfg *Config) {
					if !c.signs {
						cfg.Signer = nil
					}
				})
				defer r.stop()
				m, _ := toStranger(t)
				r.send(m, c.o)
				synctest.Wait()
				sent := r.frontends[0].Sent()
				if len(sent) != 1 || sent[0].Protocol != 18 {
					t.Errorf("sent %d packets, want the message alone and at once", len(sent))
				}
			})
		})
	}
}
