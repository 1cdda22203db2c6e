package streaming

import (
	"slices"
	"testing"
)

func TestPing(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, w *wire, a, b *end) {
		ping, err := AppendPing(nil, &a.cfg.Origin, 42, []byte("payload"))
		if err != nil {
			t.Fatal(err)
		}
		var pong []byte
		w.ends[a.remote.Hash] = nil // so that the pong is not delivered
		w.drop = func(*end, *Packet) bool { return false }
		link := &capture{}
		b.cfg.Link = link
		if !b.Receive(Inbound{Data: ping, Via: "way"}) {
			t.Error("a ping is not claimed")
		}
		pong = link.packet
		id, payload, ok := ParsePong(pong)
		if !ok || id != 42 || string(payload) != "payload" || link.via != "way" {
			t.Errorf("pong %x, heard by %v", pong, link.via)
		}
		if b.Receive(Inbound{Data: pong}) {
			t.Error("a pong that nobody asked for is claimed")
		}
		for range 10 * pongRate {
			b.Receive(Inbound{Data: ping})
		}
		if link.count > pongRate {
			t.Errorf("%d pongs at once", link.count)
		}
	})
}

// A capture is a Link that keeps the last packet.
type capture struct {
	packet []byte
	via    any
	count  int
}

func (c *capture) Heard(_ *Remote, via any) { c.via = via }
func (c *capture) Send(_ *Remote, _, _ uint16, packet []byte) error {
	c.packet, c.count = slices.Clone(packet), c.count+1
	return nil
}
