package sambridge

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/sam"
)

// A sink is a control connection that takes all, or nothing at all.
type sink struct {
	net.Conn
	stuck chan struct{} // if set, Write waits for it
}

func (s *sink) Write(b []byte) (int, error) {
	if s.stuck != nil {
		<-s.stuck
	}
	return len(b), nil
}
func (s *sink) SetWriteDeadline(time.Time) error { return nil }
func (s *sink) RemoteAddr() net.Addr {
	return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}
}
func (s *sink) Close() error { return nil }

// pathSession is a session without a Destination, for what is below the Host.
func pathSession(t testing.TB, style style, nc net.Conn, limit int) *session {
	b := &Bridge{}
	b.udp.b = b
	c := &conn{b: b, nc: nc, minor: 3, out: &output{nc: nc, timeout: time.Second}}
	c.out.startQueue(limit)
	s := &session{b: b, ID: "a", Style: style, owner: c}
	s.packets.kind, s.packets.ports = backend.Kind(styleRows[style].protocol), true
	t.Cleanup(func() { b.udp.close() })
	return s
}

func messageTo(s *session, payload int) backend.Message {
	keys, _ := i2p.GenerateKeys()
	m := backend.Message{Kind: s.packets.kind, Protocol: uint8(s.packets.kind), FromPort: 1, ToPort: 2, Data: make([]byte, payload)}
	if m.Kind != backend.Raw {
		m.Peer = i2p.NewAddr(keys.Destination, 1)
	}
	return m
}

func TestDeliverAllocatesNothing(t *testing.T) {
	if testing.CoverMode() != "" || raceEnabled {
		t.Skip("the race detector allocates")
	}
	for _, style := range []style{styleDatagram, styleDatagram2, styleRaw} {
		s := pathSession(t, style, &sink{}, 64<<20)
		m := messageTo(s, 1000)
		s.ForwardPort, s.Header = 9, true
		if err := s.beginForward(); err != nil {
			t.Fatal(err)
		}
		for name, deliver := range map[string]func(backend.Message){"control": s.deliver, "UDP": s.deliverByUDP} {
			for range 2000 { // buffers grow to what they need
				deliver(m)
			}
			if n := testing.AllocsPerRun(1000, func() { deliver(m) }); n > 0 {
				t.Errorf("%v by %s: %v allocations", style, name, n)
			}
		}
	}
}

func TestOutgoingAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	s := pathSession(t, styleRaw, &sink{}, 1<<20)
	keys, _ := i2p.GenerateKeys()
	line := []byte("3.3 a " + keys.Destination.Base64() + " FROM_PORT=1 TO_PORT=2 PROTOCOL=9 SEND_TAGS=4\npayload")
	var cmd sam.Command
	var failed error
	n := testing.AllocsPerRun(1000, func() {
		_, to, _, err := cmd.ParseDatagram(line)
		if err == nil {
			_, err = s.outgoing(&cmd, to)
		}
		if err != nil {
			failed = err
		}
	})
	if n > 0 || failed != nil {
		t.Errorf("%v allocations, %v", n, failed)
	}
}

// A client that does not read loses datagrams, which are counted, and holds nobody up.
func TestSlowClientLosesDatagrams(t *testing.T) {
	stuck := &sink{stuck: make(chan struct{})}
	s := pathSession(t, styleRaw, stuck, 10_000)
	defer s.owner.out.close()
	defer close(stuck.stuck)
	for range 100 {
		s.deliver(messageTo(s, 1000))
	}
	delivered, dropped := s.b.stats.deliveredDatagrams.Load(), s.b.stats.droppedDatagrams.Load()
	if dropped < 75 || delivered+dropped != 100 {
		t.Errorf("%d delivered, %d dropped", delivered, dropped)
	}
}

func TestForwardIP(t *testing.T) {
	for _, c := range []struct {
		own, host  string
		allowPlain bool
		want       string // empty: refused
	}{
		{"127.0.0.1", "", false, "127.0.0.1"}, {"127.0.0.1", "localhost", false, "127.0.0.1"}, {"127.0.0.1", "::1", false, "::1"},
		{"127.0.0.1", "127.0.0.2", false, "127.0.0.2"}, {"::1", "", false, "::1"}, {"::ffff:127.0.0.1", "127.0.0.1", false, "127.0.0.1"},
		{"127.0.0.1", "10.0.0.1", true, ""}, {"127.0.0.1", "x.example", true, ""}, {"127.0.0.1", "0.0.0.0", true, ""},
		{"10.0.0.1", "", false, ""}, {"10.0.0.1", "", true, "10.0.0.1"}, {"10.0.0.1", "10.0.0.1", true, "10.0.0.1"},
		{"10.0.0.1", "127.0.0.1", true, ""}, {"10.0.0.1", "localhost", true, ""}, {"10.0.0.1", "10.0.0.2", true, ""},
	} {
		own := netip.MustParseAddr(c.own)
		s := &session{b: &Bridge{cfg: Config{AllowPlain: c.allowPlain}}, owner: &conn{nc: from{addr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(own, 1))}}}
		s.ForwardHost = c.host
		ip, err := s.forwardIP()
		if c.want == "" && err == nil || c.want != "" && (err != nil || ip.String() != c.want) {
			t.Errorf("%+v: %v, %v", c, ip, err)
		}
	}
}

type from struct {
	net.Conn
	addr net.Addr
}

func (f from) RemoteAddr() net.Addr { return f.addr }

// Names that change are looked up anew after a while, others are kept.
func TestPeerCache(t *testing.T) {
	var c peerCache
	keys, _ := i2p.GenerateKeys()
	peer := i2p.NewAddr(keys.Destination, 0)
	c.put("old.i2p", peer, -time.Second)
	c.put("new.i2p", peer, lifeOf("new.i2p"))
	c.put(peer.Hash.Base32(), peer, lifeOf(peer.Hash.Base32()))
	for name, want := range map[string]*i2p.Addr{"old.i2p": nil, "new.i2p": peer, peer.Hash.Base32(): peer, "other.i2p": nil} {
		if got := c.find([]byte(name)); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
	for i := range 5 * peersMost {
		c.put(strings.Repeat("x", i%7)+string(rune('0'+i)), peer, forGood)
		c.find([]byte("new.i2p")) // in use, so it stays
	}
	if len(c.young) > peersMost || len(c.old) > peersMost || c.find([]byte("new.i2p")) == nil {
		t.Errorf("%d and %d entries", len(c.young), len(c.old))
	}
}

// Whatever comes by UDP, what is understood has a receiver.
func FuzzUDP(f *testing.F) {
	keys, _ := i2p.GenerateKeys()
	for _, seed := range []string{
		"3.0 a " + keys.Destination.Base64() + "\nx", "3.3 a b.i2p FROM_PORT=1 TO_PORT=2 PROTOCOL=3 SEND_TAGS=4 TAG_THRESHOLD=5 EXPIRES=6 SEND_LEASESET=false\nx",
		"3.3 a " + keys.Destination.Base32() + " SEND_LEASESET\r\nx", "3.3 a " + strings.Repeat("a", 56) + ".b32.i2p\n\n", "3.3  a\n", "3.1 b c\nx",
	} {
		f.Add([]byte(seed))
	}
	s := pathSession(f, styleRaw, &sink{}, 1<<20)
	s.ready.Store(true)
	s.b.sessions.byKey = map[key]*session{{"", "a"}: s}
	here := netip.MustParseAddrPort("127.0.0.1:9")
	f.Fuzz(func(t *testing.T, b []byte) {
		var cmd sam.Command
		id, to, payload, err := cmd.ParseDatagram(b)
		if err != nil {
			return
		}
		if len(payload) == 0 {
			t.Error("no payload")
		}
		found := s.b.udp.find(id, here)
		if (found != nil) != (string(id) == "a") {
			t.Errorf("session %q: %v", id, found)
		}
		out, err := s.outgoing(&cmd, to)
		if err == nil && (out.name == "") == (out.message.Peer == nil) {
			t.Errorf("to %q: %+v", to, out)
		}
	})
}
