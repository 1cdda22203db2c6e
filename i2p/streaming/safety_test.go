package streaming

import (
	"context"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/datagram"
)

// A forger makes packets by hand, and has its own Origin.
type forger struct {
	t      *testing.T
	origin datagram.Origin
	at     *end
	remote *Remote
}

func newForger(t *testing.T, at *end) *forger {
	origin := newOrigin(t, i2p.SigEd25519)
	return &forger{t, origin, at, NewRemote(origin.Destination)}
}

// sign returns the packet signed.
func (f *forger) sign(p Packet) []byte {
	f.t.Helper()
	b, err := p.AppendSigned(nil, &f.origin)
	if err != nil {
		f.t.Fatal(err)
	}
	return b
}

// syn is a SYN with that ID, with the receiver's hash.
func (f *forger) syn(id uint32) Packet {
	return Packet{ReceiveID: id, Flags: FlagSync | FlagFrom | FlagNoAck, NACKs: f.at.remote.Hash[:]}
}

func (f *forger) receive(b []byte, via any) bool {
	return f.at.Receive(Inbound{Data: b, FromPort: 7, ToPort: 80, Via: via})
}

// listening is a Stack that listens on port 80, and its wire.
func listening(t *testing.T, cfg Config) (*wire, *end) {
	t.Helper()
	w := newWire(9)
	e := w.add(t, cfg)
	ln, err := e.Listen(80)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return w, e
}

// The same SYN over two ways, and again when the stream has ended, is one
// stream, and the reply is sent again.
func TestSYNComesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, e := listening(t, Config{})
		f := newForger(t, e)
		syn := f.sign(f.syn(77))
		if !f.receive(syn, "one") || !f.receive(syn, "two") {
			t.Error("a SYN is not claimed")
		}
		if s := e.Stats(); s.Accepted != 1 || s.Open != 1 || e.count != 1 {
			t.Errorf("%+v, %d packets sent", s, e.count)
		}
		if !slices.Equal(e.heard, []any{"one", "two"}) {
			t.Errorf("heard by %v", e.heard)
		}
		time.Sleep(time.Second)
		f.receive(syn, "two")
		if e.count != 2 {
			t.Errorf("%d packets sent, want the SYN reply twice", e.count)
		}
		e.with(f.remote.Hash)[0].Reset()
		f.receive(syn, "one")
		if s := e.Stats(); s.Accepted != 1 || s.Open != 0 {
			t.Errorf("a late SYN began another stream: %+v", s)
		}
	})
}

// What is not signed, or for somebody else, begins nothing and ends nothing,
// and is answered by nothing.
func TestUnsignedSYN(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, e := listening(t, Config{})
		f := newForger(t, e)
		plain := f.syn(1)
		plain.From = f.origin.Destination.Bytes()
		bad := f.sign(f.syn(2))
		bad[len(bad)-1] ^= 1
		other := f.syn(3)
		other.NACKs = f.remote.Hash[:]
		nobody := f.syn(4)
		nobody.Flags = FlagSync | FlagNoAck
		for name, b := range map[string][]byte{
			"unsigned": plain.AppendTo(nil), "wrongly signed": bad, "for somebody else": f.sign(other), "from nobody": f.sign(nobody),
		} {
			f.receive(b, nil)
			if s := e.Stats(); s.Accepted != 0 || e.count != 0 || len(e.heard) != 0 {
				t.Errorf("a SYN that is %s: %+v, %d packets sent, heard %v", name, s, e.count, e.heard)
			}
		}
		if s := e.Stats(); s.Unsigned != 4 {
			t.Errorf("%+v", s)
		}
	})
}

func TestUnsignedEnds(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, w *wire, a, b *end) {
		dialled, accepted := connect(t, a, b)
		f := newForger(t, b)
		for _, flags := range []Flags{FlagClose, FlagReset} {
			p := Packet{SendID: accepted.id, ReceiveID: accepted.remoteID, Seq: 1, Flags: flags}
			f.receive(p.AppendTo(nil), nil)
			f.receive(f.sign(p), nil) // by somebody else
		}
		if s := b.Stats(); s.Unsigned != 4 || s.Open != 1 {
			t.Errorf("%+v", s)
		}
		// Nor does one with the wrong ID.
		f.receive((&Packet{SendID: accepted.id, ReceiveID: 1, Seq: 1, Payload: []byte("forged")}).AppendTo(nil), nil)
		dialled.Write([]byte("true"))
		dialled.CloseWrite()
		if got, err := io.ReadAll(accepted); string(got) != "true" || err != nil {
			t.Errorf("read %q, %v", got, err)
		}
	})
}

func TestOfflineSignature(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(2)
		a := w.add(t, Config{Origin: offlineOrigin(t, time.Now().Add(time.Hour))})
		b := w.add(t, Config{Origin: offlineOrigin(t, time.Now().Add(time.Hour))})
		dialled, accepted := connect(t, a, b)
		transfer(t, dialled, accepted, 1, 1000)
		transfer(t, accepted, dialled, 2, 1000)
		time.Sleep(time.Second)
		if s := b.Stats(); s.Open != 0 || s.Unsigned != 0 {
			t.Errorf("%+v", s)
		}
		late := w.add(t, Config{Origin: offlineOrigin(t, time.Now().Add(-time.Hour))})
		late.Listen(80)
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if _, err := a.Dial(ctx, late.remote, 0, 80); err == nil {
			t.Error("a remote whose permission has ended is taken")
		}
	})
}

// What is sent to somebody who may know nothing of it is not more than what came.
func TestNoAmplification(t *testing.T) {
	for _, c := range []struct {
		name   string
		port   uint16
		packet func(f *forger, i int) []byte
		times  int // as much as came may go out
	}{
		{"SYNs to a closed port", 81, func(f *forger, i int) []byte { return f.sign(f.syn(uint32(1 + i))) }, 1},
		{"SYNs without the receiver's hash", 80, func(f *forger, i int) []byte {
			p := f.syn(uint32(1 + i))
			p.NACKs = nil
			return f.sign(p)
		}, maxSyncs},
		{"pings", 80, func(f *forger, i int) []byte {
			return f.sign(Packet{SendID: uint32(1 + i), Flags: FlagEcho | FlagFrom})
		}, 1},
		{"data of unknown streams", 80, func(f *forger, i int) []byte {
			return (&Packet{SendID: uint32(1 + i), ReceiveID: 2, Seq: 3, Payload: []byte("x")}).AppendTo(nil)
		}, 0},
		{"eager data", 80, func(f *forger, i int) []byte {
			return (&Packet{ReceiveID: uint32(1 + i), Seq: 3, Payload: []byte("x")}).AppendTo(nil)
		}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, e := listening(t, Config{})
				f := newForger(t, e)
				came := 0
				for i := range 100 {
					b := c.packet(f, i)
					came += len(b)
					e.Receive(Inbound{Data: b, ToPort: c.port})
				}
				for _, st := range e.with(f.remote.Hash) {
					st.Write(make([]byte, 100<<10)) // the application has much to say
				}
				time.Sleep(time.Hour)
				if sent := e.sentBytes(); sent > c.times*(came+came/50) {
					t.Errorf("%d bytes came, %d were sent", came, sent)
				}
				if n := e.Stats().Open; n != 0 {
					t.Errorf("%d streams are left open", n)
				}
			})
		})
	}
}
