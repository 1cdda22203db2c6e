package sam

import (
	"fmt"
	"strings"
	"testing"

	"github.com/onelease/onelease/i2p"
	datagrams "github.com/onelease/onelease/i2p/datagram"
	"github.com/onelease/onelease/i2p/streaming"
	"github.com/onelease/onelease/internal/owner"
)

func TestNamedDeliverAllocatesNothing(t *testing.T) {
	for _, backends := range []int{1, 2} {
		s, kinds := hotNamed(t, backends)
		for kind, p := range kinds {
			run := func() { s.Deliver(p) }
			for range 5000 {
				run()
			}
			if n := testing.AllocsPerRun(2000, run); n != 0 {
				t.Errorf("%s to one of %d: %v allocations", kind, backends, n)
			}
		}
	}
}

// hotNamed is a server with backends, or with one plain session if there are 0,
// whose connections swallow what they get.
func hotNamed(t testing.TB, backends int) (*Server, map[string]Packet) {
	t.Helper()
	s := newNamedServer(t, newFakeHost(t))
	names := []string{"ID=plain LISTEN_PROTOCOL=0"}
	if backends > 0 {
		names = nil
	}
	for i := range backends {
		names = append(names, fmt.Sprintf("ID=%d LISTEN_PROTOCOL=0 BACKEND=web-%d", i, i))
	}
	for _, name := range names {
		c := newConn(s, &endless{frame: []byte("PONG\n")})
		c.ctx, c.cancel = t.Context(), func() {}
		for _, line := range []string{"HELLO VERSION", "SESSION CREATE STYLE=RAW DESTINATION=TRANSIENT " + name} {
			if err := c.handle([]byte(line)); err != nil {
				t.Fatal(err)
			}
		}
		t.Cleanup(func() { c.shutdown(false) })
	}
	three, _ := datagrams.AppendDatagram3(nil, i2p.Hash{1}, nil, make([]byte, 1400))
	stream := streaming.Packet{SendID: s.ids.Load().Join(owner.Tag("web-0"), 5), ReceiveID: 6, Seq: 1, Payload: make([]byte, 1378)}
	one := newCaller(t).datagram(t)
	one.Data = append(one.Data, make([]byte, 950)...)
	return s, map[string]Packet{
		"stream":    {Protocol: ProtocolStreaming, Data: stream.AppendTo(nil)},
		"datagram":  one,
		"datagram3": {Protocol: datagrams.Protocol3, Data: three},
		"raw":       {Protocol: ProtocolRaw, Data: make([]byte, 1400)},
	}
}

// BenchmarkDeliver is the frontend's work for a packet from the router, with one
// session without a name, with one backend and with two.
func BenchmarkDeliver(b *testing.B) {
	for _, kind := range []string{"stream", "datagram", "datagram3", "raw"} {
		for i, name := range []string{"plain", "one", "two"} {
			b.Run(kind+"/"+name, func(b *testing.B) {
				s, kinds := hotNamed(b, i)
				b.ReportAllocs()
				for b.Loop() {
					s.Deliver(kinds[kind])
				}
			})
		}
	}
}

// Whatever a backend says and a router hands in, the server answers a PING after.
func FuzzBackendLines(f *testing.F) {
	f.Add("SESSION WEIGHT VALUE=0", []byte("x"))
	f.Add("SESSION HEARD DESTINATION="+i2p.Hash{}.Base32(), []byte{})
	f.Add("SESSION BEGAN ID=1 DESTINATION="+i2p.Hash{}.Base32(), data(0, 1).Data)
	f.Fuzz(func(t *testing.T, line string, packet []byte) {
		if strings.ContainsAny(line, "\r\n") || !strings.HasPrefix(line, "SESSION ") || strings.HasPrefix(line, "SESSION CREATE") {
			t.Skip()
		}
		s := newNamedServer(t, newFakeHost(t))
		for _, name := range []string{"a", "b"} {
			c := newConn(s, &endless{frame: []byte("PONG\n")})
			c.ctx, c.cancel = t.Context(), func() {}
			c.handle([]byte("HELLO VERSION"))
			c.handle([]byte("SESSION CREATE STYLE=RAW DESTINATION=TRANSIENT LISTEN_PROTOCOL=0 ID=" + name + " BACKEND=" + name))
			c.handle([]byte(line)) // an error ends the connection, as it may
			defer c.shutdown(false)
		}
		s.Deliver(Packet{Protocol: ProtocolStreaming, Data: packet})
		s.Deliver(Packet{Protocol: datagrams.Protocol2, Data: packet})
		for _, info := range s.Sessions() {
			if w := info.Backend.Weight; w < 0 || w > owner.MaxWeight {
				t.Errorf("weight %d", w)
			}
		}
	})
}
