package sam

import (
	"bytes"
	"testing"
	"testing/synctest"

	"github.com/onelease/onelease/i2p"
	datagrams "github.com/onelease/onelease/i2p/datagram"
	"github.com/onelease/onelease/i2p/streaming"
	"github.com/onelease/onelease/internal/owner"
)

var idKey = bytes.Repeat([]byte{7}, owner.KeySize)

// newNamedServer is a server that tells backends apart.
func newNamedServer(t testing.TB, h Host) *Server {
	s := newTestServer(t, h)
	s.cfg.Name = "f1"
	if err := s.SetIDKey(idKey); err != nil {
		t.Fatal(err)
	}
	return s
}

// A caller is a remote that begins streams, or whoever signs like one.
type caller struct{ *i2p.Keys }

func newCaller(t testing.TB) caller {
	t.Helper()
	keys, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	return caller{keys}
}

func (c caller) signed(t testing.TB, p streaming.Packet) Packet {
	t.Helper()
	b, err := p.AppendSigned(nil, &datagrams.Origin{Destination: c.Destination, Signer: c.Keys})
	if err != nil {
		t.Fatal(err)
	}
	return Packet{Protocol: ProtocolStreaming, Data: b}
}

// syn is one with that ID, which begins a stream.
func (c caller) syn(t testing.TB, id uint32) Packet {
	return c.signed(t, streaming.Packet{ReceiveID: id, Flags: streaming.FlagSync | streaming.FlagFrom})
}

func (c caller) datagram(t testing.TB) Packet {
	t.Helper()
	b, err := datagrams.AppendDatagram1(nil, c.Destination, c.Keys, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	return Packet{Protocol: ProtocolDatagram, Data: b}
}

func data(sendID, receiveID uint32) Packet {
	p := streaming.Packet{SendID: sendID, ReceiveID: receiveID, Seq: 1, Payload: []byte("x")}
	return Packet{Protocol: ProtocolStreaming, Data: p.AppendTo(nil)}
}

// delivered is how many packets each backend was given, by name.
func delivered(s *Server) map[string]int {
	got := map[string]int{}
	for _, info := range s.Sessions() {
		if info.Backend != nil {
			got[info.Backend.Name] = int(info.Delivered)
		}
	}
	return got
}

// who is the one backend that is given p; empty if none is, "several" if more are.
func who(s *Server, p Packet) string {
	before, name := delivered(s), ""
	s.Deliver(p)
	for backend, n := range delivered(s) {
		switch {
		case n == before[backend]:
		case name == "" && n == before[backend]+1:
			name = backend
		default:
			name = "several"
		}
	}
	return name
}

// attachBackend is a client by hand whose bytes nobody needs.
func attachBackend(t testing.TB, s *Server, name, options string) *talker {
	t.Helper()
	return attachTalker(t, dial(s), "session-"+name, "LISTEN_PROTOCOL=0 BACKEND="+name+" "+options)
}

func TestPacketsGoToTheirOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newNamedServer(t, newFakeHost(t))
		a := attachBackend(t, s, "a", "")
		attachBackend(t, s, "b", "")
		ids := s.ids.Load()
		for random := range uint16(50) {
			for _, name := range []string{"a", "b"} {
				id := ids.Join(owner.Tag(name), random)
				pong := streaming.Packet{ReceiveID: id, Flags: streaming.FlagEcho}
				for what, p := range map[string]Packet{
					"data": data(id, 6), "pong": {Protocol: ProtocolStreaming, Data: pong.AppendTo(nil)},
				} {
					if got := who(s, p); got != name {
						t.Errorf("%s of %s went to %q", what, name, got)
					}
				}
			}
		}
		a.nc.Close()
		synctest.Wait()
		if got := who(s, data(ids.Join(owner.Tag("a"), 1), 6)); got != "" || s.Stats().Orphaned != 1 {
			t.Errorf("a packet of a backend that is gone went to %q: %+v", got, s.Stats())
		}
		if s.Deliver(Packet{Protocol: ProtocolStreaming, Data: []byte("x")}) != 0 || s.Stats().Unmatched != 1 {
			t.Errorf("no packet: %+v", s.Stats())
		}
		attachTalker(t, dial(s), "plain", "LISTEN_PROTOCOL=0") // gets what was lost as well
		if n := s.Deliver(data(ids.Join(owner.Tag("a"), 1), 6)); n != 1 || s.Stats().Orphaned != 1 {
			t.Errorf("with a plain session: %d, %+v", n, s.Stats())
		}
	})
}

// All that a remote begins goes to one backend, at any frontend.
func TestRemoteKeepsToABackend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := newNamedServer(t, newFakeHost(t)), newNamedServer(t, newFakeHost(t))
		for _, name := range []string{"a", "b", "c"} {
			attachBackend(t, one, name, "")
		}
		for _, name := range []string{"c", "b", "a"} {
			attachBackend(t, two, name, "")
		}
		got := map[string]int{}
		for id := range uint32(60) {
			c := newCaller(t)
			ping := c.signed(t, streaming.Packet{SendID: 9, Flags: streaming.FlagEcho | streaming.FlagFrom})
			name := who(one, c.syn(t, 2*id+1))
			got[name]++
			for what, other := range map[string]string{
				"the SYN again": who(one, c.syn(t, 2*id+1)), "the SYN elsewhere": who(two, c.syn(t, 2*id+1)),
				"another SYN": who(two, c.syn(t, 2*id+2)), "a ping": who(one, ping), "a datagram": who(two, c.datagram(t)),
				"early data": who(one, data(0, 2*id+1)),
			} {
				if other != name {
					t.Errorf("%s of a remote of %s went to %q", what, name, other)
				}
			}
		}
		if len(got) != 3 || got["several"] > 0 {
			t.Errorf("60 remotes went to %v", got)
		}
		raw := Packet{Protocol: ProtocolRaw, FromPort: 1, ToPort: 2, Data: []byte("x")}
		if name := who(one, raw); name == "" || name != who(two, raw) {
			t.Errorf("a raw packet went to %q", name)
		}
		if n := one.Deliver(data(0, 12345)); n != 3 {
			t.Errorf("data that overtook its SYN went to %d", n)
		}
	})
}
