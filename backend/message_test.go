package backend

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/sam"
)

// A tapped is what Taps were given, in words.
type tapped struct{ got []string }

func (g *tapped) tap(t *testing.T, h *Host, name string, m Match) (stop func()) {
	t.Helper()
	stop, err := h.Tap(m, func(m Message) {
		who := "nobody"
		if m.Peer != nil {
			who = m.Peer.String()
		}
		g.got = append(g.got, fmt.Sprintf("%s: %s %v %d %d>%d %s", name, m.Data, m.Kind, m.Protocol, m.FromPort, m.ToPort, who))
	})
	if err != nil {
		t.Fatal(err)
	}
	return stop
}

func TestTapsAreFoundFromExactToAny(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, nil)
		defer r.stop()
		remote := r.remote()
		var got tapped
		got.tap(t, r.host, "exact", Match{Kind: Raw, Protocol: 18, Port: 7})
		got.tap(t, r.host, "protocol", Match{Kind: Raw, Protocol: 18})
		got.tap(t, r.host, "port", Match{Kind: Raw, Port: 7})
		stop := got.tap(t, r.host, "any", Match{Kind: Raw})
		got.tap(t, r.host, "signed", Match{Kind: Datagram, Port: 7})
		packet := func(protocol uint8, port uint16) sam.Packet {
			return sam.Packet{FromPort: 3, ToPort: port, Protocol: protocol, Data: []byte("x")}
		}
		for _, p := range []sam.Packet{
			packet(18, 7), packet(18, 8), packet(200, 7), packet(0, 8), packet(255, 9),
			remote.Datagram(7, "y"), packet(17, 7),
		} {
			r.frontends[0].Deliver(p)
			synctest.Wait()
		}
		stop()
		r.frontends[0].Deliver(packet(200, 8))
		synctest.Wait()
		want := []string{
			"exact: x raw 18 3>7 nobody", "protocol: x raw 18 3>8 nobody", "port: x raw 200 3>7 nobody",
			"any: x raw 0 3>8 nobody", "any: x raw 255 3>9 nobody",
			"signed: y datagram 17 1000>7 " + i2p.NewAddr(remote.Destination, 1000).String(),
		}
		if !slices.Equal(got.got, want) {
			t.Errorf("got  %q\nwant %q", got.got, want)
		}
		if s := r.host.Stats(); s.Invalid != 1 || s.Unclaimed != 1 {
			t.Errorf("%d invalid, %d unclaimed, want 1 each", s.Invalid, s.Unclaimed)
		}
	})
}

// What a raw Tap listens to is as it was on the wire.
func TestRawTapOfAnotherProtocol(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, nil)
		defer r.stop()
		var got []byte
		if _, err := r.host.Tap(Match{Kind: Raw, Protocol: 17}, func(m Message) { got = bytes.Clone(m.Data) }); err != nil {
			t.Fatal(err)
		}
		p := r.remote().Datagram(7, "x")
		r.frontends[0].Deliver(p)
		synctest.Wait()
		if !bytes.Equal(got, p.Data) {
			t.Errorf("got %d bytes, want the %d of the packet", len(got), len(p.Data))
		}
	})
}

func TestTapRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, nil)
		defer r.stop()
		for name, m := range map[string]Match{
			"streams": {Kind: Raw, Protocol: ProtocolStreaming}, "a kind that is none": {Kind: 6},
		} {
			if _, err := r.host.Tap(m, func(Message) {}); err == nil {
				t.Errorf("%s: no error", name)
			}
		}
		r.listen(Datagram2, 7)
		if _, err := r.host.Tap(Match{Kind: Raw, Protocol: 19, Port: 7}, func(Message) {}); !errors.Is(err, ErrPortInUse) {
			t.Errorf("the same protocol and port: %v", err)
		}
	})
}

func TestSendMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, nil)
		defer r.stop()
		remote := r.remote()
		o := SendOptions{Tags: 12, TagThreshold: 3, Expires: 5 * time.Second, NoLeaseSet: true}
		for _, kind := range []Kind{Raw, Datagram, Datagram2, Datagram3} {
			m := Message{Kind: kind, FromPort: 4, ToPort: 5, Peer: &Addr{Destination: remote.Destination}, Data: []byte("out")}
			want := uint8(kind)
			if kind == Raw {
				m.Protocol, want = 201, 201
			}
			if err := r.host.SendMessage(m, o); err != nil {
				t.Fatal(err)
			}
			sent := r.sentBy()[0]
			if len(sent) != 1 || sent[0].Protocol != want || sent[0].FromPort != 4 || sent[0].ToPort != 5 || sent[0].Options != o {
				t.Errorf("%v: sent %+v", kind, sent)
			} else if got := remote.Open(sent[0]); got != "out" {
				t.Errorf("%v: sent %q", kind, got)
			}
		}
	})
}

func TestSendMessageRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, nil)
		defer r.stop()
		to := i2p.NewAddr(r.remote().Destination, 0)
		for name, m := range map[string]Message{
			"nobody":              {Kind: Raw, Protocol: 18, Data: []byte("x")},
			"only a hash":         {Kind: Raw, Protocol: 18, Peer: &Addr{Hash: to.Hash}, Data: []byte("x")},
			"streams":             {Kind: Raw, Protocol: 6, Peer: to, Data: []byte("x")},
			"raw as datagram2":    {Kind: Raw, Protocol: 19, Peer: to, Data: []byte("x")},
			"nothing":             {Kind: Raw, Protocol: 18, Peer: to},
			"too much":            {Kind: Datagram3, Peer: to, Data: make([]byte, 40000)},
			"a kind that is none": {Kind: 6, Peer: to, Data: []byte("x")},
		} {
			if err := r.host.SendMessage(m, SendOptions{}); err == nil {
				t.Errorf("%s: no error", name)
			}
		}
		if sent := r.sentBy()[0]; len(sent) != 0 {
			t.Errorf("sent %+v", sent)
		}
	})
}

// A remote that is in touch is sent a LeaseSet from time to time, whatever the
// sender wants: without the member's own it would stray.
func TestNoLeaseSetIsNotForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, nil)
		defer r.stop()
		remote := r.remote()
		send := func() bool {
			m := Message{Kind: Raw, Protocol: 18, Peer: i2p.NewAddr(remote.Destination, 0), Data: []byte("x")}
			if err := r.host.SendMessage(m, SendOptions{NoLeaseSet: true}); err != nil {
				t.Fatal(err)
			}
			return !r.sentBy()[0][0].Options.NoLeaseSet
		}
		if send() {
			t.Error("a remote that was never heard is told who we are")
		}
		r.listen(Datagram, 7)
		r.hear(0, remote)
		for i, want := range []bool{true, false, false, true} {
			if got := send(); got != want {
				t.Errorf("message %d after %d s: LeaseSet %v, want %v", i, i*9, got, want)
			}
			time.Sleep(9 * time.Second) // the bubble's clock
		}
	})
}
