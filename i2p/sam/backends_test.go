package sam

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

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

// Dialogues of backends that have names; see dialogues.
var backendDialogues = map[string]string{
	"a name":        "HELLO> SESSION CREATE STYLE=RAW ID=a DESTINATION={B32} BACKEND=web-1\n< SESSION STATUS RESULT=OK DESTINATION={PUB} FRONTEND=f1 ID_KEY={KEY}",
	"bad name":      "HELLO> SESSION CREATE STYLE=RAW ID=a DESTINATION=TRANSIENT BACKEND=Web\n< SESSION STATUS RESULT=I2P_ERROR MESSAGE=\"BACKEND=*",
	"bad weight":    "HELLO> SESSION CREATE STYLE=RAW ID=a DESTINATION=TRANSIENT BACKEND=a WEIGHT=65536\n< SESSION STATUS RESULT=I2P_ERROR MESSAGE=\"WEIGHT=*",
	"bad standby":   "HELLO> SESSION CREATE STYLE=RAW ID=a DESTINATION=TRANSIENT BACKEND=a STANDBY=perhaps\n< SESSION STATUS RESULT=I2P_ERROR MESSAGE=\"STANDBY=*",
	"no name":       "HELLO> SESSION CREATE STYLE=RAW ID=a DESTINATION={B32} WEIGHT=3\n< SESSION STATUS RESULT=OK DESTINATION={PUB}\n> SESSION WEIGHT VALUE=1\n< SESSION WEIGHT RESULT=I2P_ERROR MESSAGE=*",
	"no session":    "HELLO> SESSION WEIGHT VALUE=1\n< SESSION WEIGHT RESULT=I2P_ERROR MESSAGE=*\n> SESSION HEARD DESTINATION={B32}\n> SESSION BEGAN ID=1 DESTINATION={B32}\n> PING\n< PONG",
	"weights":       "NAMED> SESSION WEIGHT VALUE=0\n< SESSION WEIGHT RESULT=OK VALUE=0\n> session weight VALUE=65535\n< SESSION WEIGHT RESULT=OK VALUE=65535",
	"not a weight":  "NAMED> SESSION WEIGHT VALUE=-1\n< SESSION WEIGHT RESULT=I2P_ERROR MESSAGE=*\n> SESSION WEIGHT\n< SESSION WEIGHT RESULT=I2P_ERROR MESSAGE=\"SESSION WEIGHT needs*",
	"bad facts":     "NAMED> SESSION HEARD\n> SESSION HEARD DESTINATION=x\n> SESSION BEGAN ID=x DESTINATION={B32}\n> SESSION BEGAN ID=1\n> PING\n< PONG",
	"taken by one":  "NAMED> PING\n< PONG\n= SESSION CREATE STYLE=RAW ID=b DESTINATION=TRANSIENT BACKEND=web-1\n< SESSION STATUS RESULT=DUPLICATED_ID MESSAGE=\"BACKEND=web-1: one of that name*",
	"looks like it": "NAMED> PING\n< PONG\n= SESSION CREATE STYLE=RAW ID=b DESTINATION=TRANSIENT BACKEND={TWIN}\n< SESSION STATUS RESULT=I2P_ERROR MESSAGE=\"BACKEND={TWIN}: its stream IDs would look like those of web-1*",
}

// twin is a name with the tag of another.
func twin(name string) string {
	for i := 0; ; i++ {
		if other := fmt.Sprint("w", i); owner.Tag(other) == owner.Tag(name) {
			return other
		}
	}
}

func TestBackendDialogues(t *testing.T) {
	other := twin("web-1")
	for name, script := range backendDialogues {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newFakeHost(t)
				s := newNamedServer(t, h)
				script = strings.NewReplacer("{PUB}", h.dest.Base64(), "{B32}", h.dest.Base32(), "{KEY}", hexKey(idKey), "{TWIN}", other).Replace(script)
				script = strings.Replace(script, "NAMED>", "HELLO> SESSION CREATE STYLE=RAW ID=a DESTINATION=TRANSIENT BACKEND=web-1\n< SESSION STATUS RESULT=OK*\n>", 1)
				script = strings.Replace(script, "HELLO>", "> HELLO VERSION\n< HELLO REPLY RESULT=OK*\n>", 1)
				k := newTalker(t, dial(s))
				for line := range strings.SplitSeq(script, "\n") {
					if want, reply := strings.CutPrefix(line, "< "); reply {
						k.expect(want)
						continue
					}
					if strings.HasPrefix(line, "= ") { // by another connection
						k = newTalker(t, dial(s))
						k.say("HELLO VERSION\n")
						k.expect("HELLO REPLY*")
					}
					k.say(line[2:] + "\n")
				}
			})
		})
	}
}

// Without a key all get everything, as from a frontend of an earlier version.
func TestNamesWithoutAKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFakeHost(t)
		s := newTestServer(t, h)
		attachBackend(t, s, "a", "")
		attachBackend(t, s, "b", "")
		if n := s.Deliver(data(1, 2)); n != 2 {
			t.Errorf("delivered to %d", n)
		}
		if err := s.SetIDKey([]byte("short")); err == nil {
			t.Error("a short key is taken")
		}
	})
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

func TestWeights(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newNamedServer(t, newFakeHost(t))
		attachBackend(t, s, "a", "WEIGHT=3")
		b := attachBackend(t, s, "b", "")
		attachBackend(t, s, "idle", "WEIGHT=0")
		attachBackend(t, s, "standby", "STANDBY=true WEIGHT=100")
		share := func() map[string]int {
			got := map[string]int{}
			for i := range 4000 {
				var hash i2p.Hash
				hash[0], hash[1], hash[9] = byte(i), byte(i>>8), 1
				d, _ := datagrams.AppendDatagram3(nil, hash, nil, []byte("x"))
				got[who(s, Packet{Protocol: datagrams.Protocol3, Data: d})]++
			}
			return got
		}
		if got := share(); math.Abs(float64(got["a"]-3000)) > 150 || got["a"]+got["b"] != 4000 {
			t.Errorf("3:1 is %v", got)
		}
		b.say("SESSION WEIGHT VALUE=0\n")
		synctest.Wait()
		if got := share(); got["a"] != 4000 {
			t.Errorf("with b drained: %v", got)
		}
	})
}

// A standby serves while no primary does. With nobody who takes anything, a SYN is
// dropped and counted: the remote sends it again.
func TestStandby(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newNamedServer(t, newFakeHost(t))
		a := attachBackend(t, s, "a", "")
		standby := attachBackend(t, s, "standby", "STANDBY=true")
		c := newCaller(t)
		if got := who(s, c.syn(t, 1)); got != "a" {
			t.Errorf("went to %q", got)
		}
		a.say("SESSION WEIGHT VALUE=0\n")
		synctest.Wait()
		if again, fresh := who(s, c.syn(t, 1)), who(s, c.syn(t, 2)); again != "a" || fresh != "standby" {
			t.Errorf("of who drains, the SYN again went to %q, a new one to %q", again, fresh)
		}
		a.nc.Close()
		synctest.Wait()
		if got := who(s, c.syn(t, 1)); got != "standby" {
			t.Errorf("the SYN again, of a backend that is gone, went to %q", got)
		}
		standby.say("SESSION WEIGHT VALUE=0\n")
		synctest.Wait()
		if got := who(s, c.syn(t, 3)); got != "" || s.Stats().Unserved != 1 {
			t.Errorf("went to %q: %+v", got, s.Stats())
		}
	})
}

// A backend that is silent for 2 s gets nothing new until it speaks, and goes on
// getting its own. Its name is then free for another.
func TestSilentBackend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newNamedServer(t, newFakeHost(t))
		silent, speaks := attachBackend(t, s, "silent", "WEIGHT=65535"), attachBackend(t, s, "speaks", "")
		c := newCaller(t)
		speak := func(d time.Duration) {
			for range int(d / time.Second) {
				time.Sleep(time.Second)
				speaks.say("PONG\n") // nobody answers, so that nothing has to be read
			}
			synctest.Wait()
		}
		if got := who(s, c.syn(t, 1)); got != "silent" {
			t.Fatalf("went to %q", got)
		}
		speak(3 * time.Second)
		if again, fresh := who(s, c.syn(t, 1)), who(s, c.syn(t, 2)); again != "speaks" || fresh != "speaks" {
			t.Errorf("of a silent one, the SYN again went to %q, a new one to %q", again, fresh)
		}
		if got := who(s, data(s.ids.Load().Join(owner.Tag("silent"), 1), 6)); got != "silent" {
			t.Errorf("its own went to %q", got)
		}
		silent.say("PONG\n")
		synctest.Wait()
		if got := who(s, c.syn(t, 3)); got != "silent" {
			t.Errorf("when it speaks again, a SYN went to %q", got)
		}
		speak(3 * time.Second)
		next := attachTalker(t, dial(s), "next", "BACKEND=silent LISTEN_PROTOCOL=0 WEIGHT=65535")
		next.say("PONG\n")
		synctest.Wait()
		if got := len(s.Sessions()); got != 2 {
			t.Errorf("%d sessions, want the new one in place of the silent", got)
		}
		time.Sleep(3 * time.Second)
		if got := who(s, c.syn(t, 4)); got == "" {
			t.Error("with all silent, a SYN went to nobody")
		}
	})
}

// A SYN that comes again after the backends have changed is its first owner's, at
// the frontends too that it did not come by.
func TestSynAgainAfterAChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := newNamedServer(t, newFakeHost(t)), newNamedServer(t, newFakeHost(t))
		attachBackend(t, one, "a", "")
		a := attachBackend(t, two, "a", "")
		callers := map[uint32]caller{}
		for id := uint32(1); id <= 20; id++ {
			c := newCaller(t)
			callers[id] = c
			if got := who(one, c.syn(t, id)); got != "a" {
				t.Fatalf("went to %q", got)
			}
			a.say(string(appendBegan(nil, c.Destination.Hash(), id)))
		}
		synctest.Wait()
		attachBackend(t, one, "b", "WEIGHT=65535")
		attachBackend(t, two, "b", "WEIGHT=65535")
		forged := newCaller(t)
		if got := who(two, forged.syn(t, 1)); got != "b" {
			t.Errorf("another's SYN with a known ID went to %q", got)
		}
		for id, c := range callers {
			if got := who(one, c.syn(t, id)) + " " + who(two, c.syn(t, id)) + " " + who(two, data(0, id)); id != 1 && got != "a a a" {
				t.Errorf("SYN %d came again and went to %s", id, got)
			}
		}
	})
}

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
