package sam

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/streaming"
	"github.com/onelease/onelease/internal/owner"
)

func TestHeardIsToldToOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFakeHost(t)
		s := newNamedServer(t, h)
		heard := make(chan i2p.Hash, 1)
		a := connect(t, s, ClientConfig{Backend: "a", OnHeard: func(i2p.Hash) { t.Error("told its own") }})
		b := connect(t, s, ClientConfig{Backend: "b", Weight: 5, Standby: true, OnHeard: func(r i2p.Hash) { heard <- r }})
		connect(t, s, ClientConfig{OnHeard: func(i2p.Hash) { t.Error("told one without a name") }})
		if a.Frontend() != "f1" || string(a.IDKey()) != string(idKey) || b.Weight() != 5 {
			t.Errorf("%q, key %x, weight %d", a.Frontend(), a.IDKey(), b.Weight())
		}
		a.Heard(h.peer.Hash())
		if got := <-heard; got != h.peer.Hash() {
			t.Errorf("heard %v", got)
		}
		b.SetWeight(9)
		b.Began(h.peer.Hash(), 77)
		synctest.Wait()
		if got, ok := s.began.find(77); !ok || got != (beginning{owner.KeyOf(h.peer.Hash()), owner.Tag("b")}) || b.Weight() != 9 {
			t.Errorf("began %v %v, weight %d", got, ok, b.Weight())
		}
	})
}

// While one backend's ping to a remote is under way another's waits with it.
func TestPingsAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFakeHost(t)
		s := newNamedServer(t, h)
		told := make(chan string, 3)
		status := func(name string) func(uint32, error) {
			return func(id uint32, err error) { told <- fmt.Sprintf("%s%d%v", name, id, err == nil) }
		}
		a := connect(t, s, ClientConfig{Backend: "a", SendStatus: true, OnStatus: status("a")})
		b := connect(t, s, ClientConfig{Backend: "b", SendStatus: true, OnStatus: status("b")})
		ping := streaming.Packet{SendID: 9, Flags: streaming.FlagEcho, Payload: []byte("x")}
		send := func(c *PacketClient, id uint32) { // one after the other
			c.Send(Packet{Peer: h.peer, Protocol: ProtocolStreaming, ID: id, Data: ping.AppendTo(nil)})
			synctest.Wait()
		}
		send(a, 1)
		send(b, 2)
		first := <-h.sent
		if len(h.sent) != 0 {
			t.Fatal("both pings were sent")
		}
		s.Status(first.ID, nil)
		if got := []string{<-told, <-told}; !(got[0] == "a1true" && got[1] == "b2true" || got[0] == "b2true" && got[1] == "a1true") {
			t.Errorf("told %v", got)
		}
		send(b, 3)
		send(a, 4)
		second := <-h.sent
		b.Close() // whose ping it was
		synctest.Wait()
		s.Status(second.ID, ResultCantReachPeer)
		if got := <-told; got != "a4false" {
			t.Errorf("told %v", got)
		}
		if n := len(s.pings.byID) + len(s.pings.byPeer); n != 0 {
			t.Errorf("%d pings are left", n)
		}
		send(a, 5) // alone now, and no one's to wait for
		s.Status((<-h.sent).ID, nil)
		<-told
	})
}

// A ping whose status never comes keeps others waiting for 15 s.
func TestPingsWaitNotForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFakeHost(t)
		s := newNamedServer(t, h)
		attachBackend(t, s, "b", "")
		a := attachBackend(t, s, "a", "SEND_STATUS=true")
		ping := streaming.Packet{SendID: 9, Flags: streaming.FlagEcho}
		for id := range uint32(3) {
			a.say(rawSend(Packet{Peer: h.peer, Protocol: ProtocolStreaming, ID: id + 1, Data: ping.AppendTo(nil)}))
			synctest.Wait()
			time.Sleep(8 * time.Second)
		}
		if n := len(h.sent); n != 2 { // the second waits, the third does not
			t.Errorf("%d were sent", n)
		}
	})
}
