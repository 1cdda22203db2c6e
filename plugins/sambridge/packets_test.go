package sambridge

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/i2p"
)

// withPackets gives the bridge a UDP port.
func withPackets(c *Config) {
	port, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		panic(err)
	}
	c.Packets = port
}

// A mailbox is a client's UDP socket.
type mailbox struct {
	t testing.TB
	*net.UDPConn
	bridge net.Addr
}

func (w *world) mailbox() *mailbox {
	w.t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(time.Minute))
	return &mailbox{w.t, conn, w.bridge.cfg.Packets.LocalAddr()}
}

func (m *mailbox) port() int { return m.LocalAddr().(*net.UDPAddr).Port }

func (m *mailbox) send(datagram string) {
	m.t.Helper()
	if _, err := m.WriteTo([]byte(datagram), m.bridge); err != nil {
		m.t.Fatal(err)
	}
}

func (m *mailbox) receive() string {
	m.t.Helper()
	b := make([]byte, 1<<16)
	n, _, err := m.ReadFrom(b)
	if err != nil {
		m.t.Fatal(err)
	}
	return string(b[:n])
}

// sessions begins sessions at once, since each takes a second, and returns their
// control connections by ID.
func (w *world) sessions(words ...string) map[string]*client {
	w.t.Helper()
	clients := map[string]*client{}
	for _, word := range words {
		_, id, _ := strings.Cut(word, "ID=")
		id, _, _ = strings.Cut(id, " ")
		clients[id] = w.hello()
		if !strings.Contains(word, "DESTINATION=") {
			word += " DESTINATION=TRANSIENT"
		}
		clients[id].say("SESSION CREATE " + word)
	}
	for id, c := range clients {
		if got := c.line(); !matches(got, "SESSION STATUS RESULT=OK DESTINATION=*") {
			w.t.Fatalf("session %s: %s", id, got)
		}
	}
	return clients
}

// received wants a datagram on a control connection.
func (c *client) received(line, data string) {
	c.t.Helper()
	if got := c.line(); got != line {
		c.t.Fatalf("got  %.900q\nwant %.900q", got, line)
	}
	c.hears(data)
}

// acquaint has the Destinations of sessions, pair by pair, begin sessions with each
// other in their routers: as with real ones, one that gets no answer sends only once.
func (w *world) acquaint(pairs ...[2]string) {
	w.t.Helper()
	for i, pair := range pairs {
		if i > 0 {
			<-time.After(300 * time.Millisecond) // i2pd takes in one new session in 200 ms
		}
		a, b := w.bridge.sessions.find("", pair[0]), w.bridge.sessions.find("", pair[1])
		w.introduce(a.Hosted.Host(), b.Hosted.Host())
	}
}

// introduce has a and b hear each other, on a port that nobody else uses.
func (w *world) introduce(a, b *backend.Host) {
	heard := map[*backend.Host]chan struct{}{a: make(chan struct{}, 100), b: make(chan struct{}, 100)}
	m := backend.Message{Kind: backend.Datagram2, ToPort: 65000, Data: []byte("x")}
	for host, came := range heard {
		stop, err := host.Tap(backend.Match{Kind: m.Kind, Port: m.ToPort}, func(backend.Message) { came <- struct{}{} })
		if err != nil {
			w.t.Error(err)
			return
		}
		defer stop()
	}
	for _, turn := range [][2]*backend.Host{{a, b}, {b, a}} {
		for came := false; !came; {
			m.Peer = i2p.NewAddr(turn[1].Destination(), 0)
			turn[0].SendMessage(m, backend.SendOptions{})
			select {
			case <-heard[turn[1]]:
				came = true
			case <-time.After(500 * time.Millisecond): // its LeaseSet was not to be found yet
			case <-w.t.Context().Done():
				return
			}
		}
	}
}

// Each style over the control connections, with ports of the session and of the
// datagram.
func TestDatagramsOnTheControlConnection(t *testing.T) {
	w := newWorld(t, nil)
	all := w.sessions(
		"STYLE=DATAGRAM ID=a1 FROM_PORT=3 TO_PORT=4", "STYLE=DATAGRAM ID=b1",
		"STYLE=DATAGRAM2 ID=a2 FROM_PORT=3 TO_PORT=4", "STYLE=DATAGRAM2 ID=b2",
		"STYLE=DATAGRAM3 ID=a3 FROM_PORT=3 TO_PORT=4", "STYLE=DATAGRAM3 ID=b3",
		"STYLE=RAW ID=a4 FROM_PORT=3 TO_PORT=4 PROTOCOL=200", "STYLE=RAW ID=b4",
	)
	w.acquaint([2]string{"a1", "b1"}, [2]string{"a2", "b2"}, [2]string{"a3", "b3"}, [2]string{"a4", "b4"})
	for n, style := range []string{1: "DATAGRAM", 2: "DATAGRAM2", 3: "DATAGRAM3", 4: "RAW"} {
		if style == "" {
			continue
		}
		t.Run(style, func(t *testing.T) {
			id := fmt.Sprint(n)
			a, b := all["a"+id], all["b"+id]
			verb, from := "DATAGRAM", " DESTINATION="+w.of("a"+id)
			switch style {
			case "RAW":
				verb, from = "RAW", ""
			case "DATAGRAM3":
				hash := w.bridge.sessions.find("", "a"+id).Hosted.Keys().Destination.Hash()
				from = " DESTINATION=" + base64Of(hash[:])
			}
			protocol := map[bool]string{true: " PROTOCOL=200"}[style == "RAW"]
			to := w.of("b" + id)
			a.say(verb + " SEND SIZE=6 DESTINATION=" + to + "\nfirst\n")
			b.received(verb+" RECEIVED"+from+" SIZE=6 FROM_PORT=3 TO_PORT=4"+protocol, "first\n")
			override := ""
			if style == "RAW" {
				override, protocol = " PROTOCOL=0", " PROTOCOL=0"
			}
			a.say(verb + " SEND DESTINATION=" + to + " FROM_PORT=65535 TO_PORT=0 SIZE=6 SEND_TAGS=4 TAG_THRESHOLD=2 EXPIRES=30 SEND_LEASESET=false" + override + "\nsecond")
			b.received(verb+" RECEIVED"+from+" SIZE=6 FROM_PORT=65535 TO_PORT=0"+protocol, "second")
			a.talk("PING x", "PONG x") // nothing was answered
		})
	}
}

// Before SAM 3.2 nothing is said of ports.
func TestDatagramsOfOldVersions(t *testing.T) {
	w := newWorld(t, withPackets)
	old := func(words string) *client {
		c := w.connect()
		c.talk("HELLO VERSION MIN=3.0 MAX=3.1", "HELLO REPLY RESULT=OK VERSION=3.1")
		c.talk("SESSION CREATE DESTINATION=TRANSIENT "+words, "SESSION STATUS RESULT=OK*")
		return c
	}
	box := w.mailbox()
	a, b := old("STYLE=DATAGRAM ID=a"), old("STYLE=DATAGRAM ID=b")
	old(fmt.Sprint("STYLE=DATAGRAM ID=c PORT=", box.port()))
	from := w.of("a")
	w.acquaint([2]string{"a", "b"}, [2]string{"a", "c"})
	a.say("DATAGRAM SEND SIZE=1 DESTINATION=" + w.of("b") + "\nx")
	b.received("DATAGRAM RECEIVED DESTINATION="+from+" SIZE=1", "x")
	box.send("3.0 a " + w.of("c") + "\nby UDP\n")
	if got := box.receive(); got != from+"\nby UDP\n" {
		t.Errorf("forwarded %.700q", got)
	}
}

// All that is sent by UDP, and forwarded.
func TestDatagramsByUDP(t *testing.T) {
	w := newWorld(t, withPackets)
	boxes := map[string]*mailbox{"b1": w.mailbox(), "b2": w.mailbox(), "b3": w.mailbox(), "b4": w.mailbox(), "b5": w.mailbox()}
	forward := func(id string) string { return fmt.Sprint(" ID=", id, " PORT=", boxes[id].port()) }
	w.sessions(
		"STYLE=DATAGRAM ID=a1 FROM_PORT=3 TO_PORT=4", "STYLE=DATAGRAM"+forward("b1"),
		"STYLE=DATAGRAM2 ID=a2", "STYLE=DATAGRAM2 HOST=127.0.0.1"+forward("b2"),
		"STYLE=DATAGRAM3 ID=a3", "STYLE=DATAGRAM3 HOST=localhost"+forward("b3"),
		"STYLE=RAW ID=a4 PROTOCOL=77", "STYLE=RAW"+forward("b4"), "STYLE=RAW HEADER=true"+forward("b5"),
	)
	name := func(id string) string { return w.of(id) }
	hash := w.bridge.sessions.find("", "a3").Hosted.Keys().Destination.Hash()
	sender := w.mailbox()
	w.acquaint([2]string{"a1", "b1"}, [2]string{"a2", "b2"}, [2]string{"a3", "b3"}, [2]string{"a4", "b4"}, [2]string{"a4", "b5"})
	for what, c := range map[string]struct{ header, to, want string }{
		"datagram":  {"3.0 a1 %s", "b1", name("a1") + " FROM_PORT=3 TO_PORT=4\npayload"},
		"ports":     {"3.3 a1 %s FROM_PORT=9 TO_PORT=10 SEND_TAGS=2 SEND_LEASESET=true", "b1", name("a1") + " FROM_PORT=9 TO_PORT=10\npayload"},
		"datagram2": {"3.2 a2 %s", "b2", name("a2") + " FROM_PORT=0 TO_PORT=0\npayload"},
		"datagram3": {"3.3 a3 %s TO_PORT=5", "b3", base64Of(hash[:]) + " FROM_PORT=0 TO_PORT=5\npayload"},
		"raw":       {"3.1 a4 %s", "b4", "payload"},
		"header":    {"3.3 a4 %s TO_PORT=1 PROTOCOL=9", "b5", "FROM_PORT=0 TO_PORT=1 PROTOCOL=9\npayload"},
	} {
		box, datagram := boxes[c.to], fmt.Sprintf(c.header, name(c.to))+"\npayload"
		sender.send(datagram)
		got := box.receive()
		if got != c.want {
			t.Errorf("%s: got %.800q", what, got)
		}
	}
	if s := w.bridge.Status(); s.BadDatagrams > 0 || s.DeliveredDatagrams == 0 || s.SentDatagrams == 0 {
		t.Errorf("%+v", s)
	}
	for _, nonsense := range []string{
		"", "x", "3.3 a1\npayload", "4.0 a1 " + name("b1") + "\nx", "3.3 nobody " + name("b1") + "\nx", "3.3 a1 " + name("b1") + "\n",
		"3.3 a1 short\nx", "3.3 a1 " + name("b1") + " FROM_PORT=-1\nx", "3.3 a1 " + name("b1") + "\n" + strings.Repeat("x", 40000),
	} {
		before := w.bridge.Status().BadDatagrams
		sender.send(nonsense)
		w.until("nonsense is counted", func() bool { return w.bridge.Status().BadDatagrams > before })
	}
}

// Subsessions get what is for their protocol and port, and send by UDP.
func TestSubsessionsOfDatagrams(t *testing.T) {
	w := newWorld(t, withPackets)
	var all, exact, datagram = w.mailbox(), w.mailbox(), w.mailbox()
	clients := w.sessions("STYLE=PRIMARY ID=p", "STYLE=DATAGRAM ID=d", "STYLE=RAW ID=r")
	p := clients["p"]
	add := func(words string, box *mailbox) {
		p.talk(fmt.Sprint("SESSION ADD ", words, " PORT=", box.port()), "SESSION STATUS RESULT=OK*")
	}
	add("STYLE=RAW ID=all LISTEN_PROTOCOL=0 HEADER=true", all)
	add("STYLE=RAW ID=exact FROM_PORT=7 PROTOCOL=50 LISTEN_PORT=8 LISTEN_PROTOCOL=51 HEADER=true", exact)
	add("STYLE=DATAGRAM ID=datagram FROM_PORT=5", datagram)
	p.talk("SESSION ADD STYLE=RAW ID=x LISTEN_PORT=8 LISTEN_PROTOCOL=51 PORT=9", "SESSION STATUS RESULT=I2P_ERROR*")
	p.talk("SESSION ADD STYLE=RAW ID=x PROTOCOL=19 PORT=9", "SESSION STATUS RESULT=I2P_ERROR*")
	p.talk("SESSION ADD STYLE=DATAGRAM3 ID=x", "SESSION STATUS RESULT=I2P_ERROR ID=x MESSAGE=\"DATAGRAM3 subsession must specify PORT*")
	p.say("RAW SEND SIZE=1 DESTINATION=" + w.of("p"))
	p.talk("x", "RAW STATUS RESULT=I2P_ERROR MESSAGE=\"this is a PRIMARY session*")

	to := w.of("p")
	w.acquaint([2]string{"r", "p"}, [2]string{"d", "p"})
	raw := func(ports string, box *mailbox) {
		t.Helper()
		clients["r"].say("RAW SEND SIZE=1 DESTINATION=" + to + " " + ports + "\nx")
		if got := box.receive(); got != ports+"\nx" {
			t.Errorf("%s: got %q", ports, got)
		}
	}
	for ports, box := range map[string]*mailbox{
		"FROM_PORT=1 TO_PORT=8 PROTOCOL=51": exact, "FROM_PORT=1 TO_PORT=8 PROTOCOL=50": all,
		"FROM_PORT=1 TO_PORT=9 PROTOCOL=51": all, "FROM_PORT=1 TO_PORT=0 PROTOCOL=18": all,
	} {
		raw(ports, box)
	}
	from := w.of("d")
	clients["d"].say("DATAGRAM SEND SIZE=1 TO_PORT=5 DESTINATION=" + to + "\ny")
	if got := datagram.receive(); got != from+" FROM_PORT=0 TO_PORT=5\ny" {
		t.Errorf("datagram %.700q", got)
	}
	exact.send("3.3 exact " + w.of("r") + " TO_PORT=2\nz")
	clients["r"].received("RAW RECEIVED SIZE=1 FROM_PORT=7 TO_PORT=2 PROTOCOL=50", "z")
	p.talk("SESSION REMOVE ID=exact", "SESSION STATUS RESULT=OK*")
	raw("FROM_PORT=1 TO_PORT=8 PROTOCOL=51", all)
}

// Receivers may be spelt as b32 and host names. What is sent while they are looked up
// waits.
func TestDatagramsToNames(t *testing.T) {
	w := newWorld(t, withPackets)
	clients := w.sessions("STYLE=RAW ID=a", "STYLE=RAW ID=b")
	a, b := clients["a"], clients["b"]
	dest := w.bridge.sessions.find("", "b").Hosted.Keys().Destination
	w.network.SetName("b.i2p", dest.Hash())
	w.acquaint([2]string{"a", "b"})
	var group sync.WaitGroup
	group.Go(func() {
		for _, payload := range []string{"1", "2", "3", "4"} {
			b.received("RAW RECEIVED SIZE=1 FROM_PORT=0 TO_PORT=0 PROTOCOL=18", payload)
		}
	})
	a.say("RAW SEND SIZE=1 DESTINATION=B.i2p\n1RAW SEND SIZE=1 DESTINATION=b.i2p\n2")
	w.until("two are sent", func() bool { return w.bridge.Status().SentDatagrams == 2 })
	w.mailbox().send("3.3 a " + dest.Base32() + "\n3")
	w.until("three are sent", func() bool { return w.bridge.Status().SentDatagrams == 3 })
	a.say("RAW SEND SIZE=1 DESTINATION=" + dest.Base32() + "\n4")
	group.Wait()
	a.say("RAW SEND SIZE=1 DESTINATION=nobody.i2p\n5")
	if got := a.line(); !matches(got, "RAW STATUS RESULT=KEY_NOT_FOUND MESSAGE=*") {
		t.Errorf("to nobody: %s", got)
	}
	if got := w.bridge.Status().UnsentDatagrams; got != 1 {
		t.Errorf("%d unsent, want 1", got)
	}
}
