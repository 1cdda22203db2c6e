package sam

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/eyedeekay/i2pkeys"
	"github.com/eyedeekay/sam3"
)

// listen serves s on TCP and UDP of the loopback until the test ends.
func listen(t testing.TB, s *Server) (tcp string, udpPort int) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	udp, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	if err := s.StartUDP(udp); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return ln.Addr().String(), udp.LocalAddr().(*net.UDPAddr).Port
}

func TestUDP(t *testing.T) {
	h := newFakeHost(t)
	s := newTestServer(t, h)
	addr, port := listen(t, s)
	mine, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer mine.Close()
	k := newTalker(t, tcpDial(t, addr))
	k.say("HELLO VERSION\n")
	k.expect("HELLO*")
	k.say("SESSION CREATE STYLE=RAW ID=a DESTINATION=TRANSIENT HOST=192.0.2.1 PORT=9\n")
	k.expect("SESSION STATUS RESULT=I2P_ERROR MESSAGE=\"HOST=192.0.2.1 is not 127.0.0.1*")
	myPort := strconv.Itoa(mine.LocalAddr().(*net.UDPAddr).Port)
	k.say("SESSION CREATE STYLE=RAW ID=a DESTINATION=TRANSIENT LISTEN_PROTOCOL=0 TO_PORT=5 HEADER=true PORT=" + myPort + "\n")
	k.expect("SESSION STATUS RESULT=OK*")

	if n := s.Deliver(Packet{FromPort: 1, ToPort: 2, Protocol: 6, Data: []byte("in")}); n != 1 {
		t.Errorf("delivered to %d", n)
	}
	b := make([]byte, 1000)
	mine.SetReadDeadline(time.Now().Add(10 * time.Second))
	n, _, err := mine.ReadFromUDP(b)
	if want := "FROM_PORT=1 TO_PORT=2 PROTOCOL=6\nin"; err != nil || string(b[:n]) != want {
		t.Errorf("got %q, %v", b[:n], err)
	}

	bad := []string{"", "x", "3.0 a\n", "3.0 a " + h.peer.Base64() + "\n", "2.0 a " + h.peer.Base64() + "\nx", "3.0 b " + h.peer.Base64() + "\nx",
		"3.3 a " + h.peer.Base64() + " TO_PORT=x\nx", "3.3 a " + h.peer.Base64() + " =\nx", "3.3 a " + strings.Repeat("A", 300) + "\nx"}
	good := []string{"3.0 a " + h.peer.Base64() + "\nout", "3.3 a " + h.peer.Base32() + " TO_PORT=9 PROTOCOL=6 SEND_LEASESET=false\r\nout"}
	for _, datagram := range append(bad, good...) {
		if _, err := mine.WriteTo([]byte(datagram), &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []Packet{{Peer: h.peer, ToPort: 5, Protocol: 18}, {Peer: h.peer, ToPort: 9, Protocol: 6}} {
		if got := <-h.sent; !samePacket(got, want) || string(got.Data) != "out" {
			t.Errorf("%+v", got)
		}
	}
	if got := s.Stats().BadDatagrams; got != uint64(len(bad)) {
		t.Errorf("%d bad datagrams, want %d", got, len(bad))
	}
}

func TestUDPRefusals(t *testing.T) {
	s := newTestServer(t, newFakeHost(t))
	open, err := net.ListenUDP("udp", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	if err := s.StartUDP(open); err == nil || !strings.Contains(err.Error(), "not a loopback address") {
		t.Error(err)
	}
	listen(t, s)
	second, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if err := s.StartUDP(second); err == nil || !strings.Contains(err.Error(), "has a UDP socket already") {
		t.Error(err)
	}
	s.Close()
	if err := s.StartUDP(second); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

func tcpDial(t testing.TB, addr string) net.Conn {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return nc
}

// An error message survives the close of a TCP connection with unread input.
func TestRefusalArrives(t *testing.T) {
	addr, _ := listen(t, newTestServer(t, newFakeHost(t)))
	k := newTalker(t, tcpDial(t, addr))
	k.say("STREAM CONNECT\n" + strings.Repeat("more to come\n", 100000))
	k.expect("HELLO REPLY RESULT=I2P_ERROR MESSAGE=*")
	k.expectEnd()
}

// The stock Go library as a backend. Two of its habits show: it wants back the
// DESTINATION that it gave, so its keys are the hosted public base64; and it
// glues PORT to the last option, so there must be an empty last option, and
// i2cp.leaseSetEncType, or it would add that one at the end itself.
func TestSam3(t *testing.T) {
	h := newFakeHost(t)
	s := newTestServer(t, h)
	addr, port := listen(t, s)
	library, err := sam3.NewSAM(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer library.Close()
	if got, err := library.Lookup("peer.i2p"); err != nil || got.Base64() != h.peer.Base64() {
		t.Errorf("lookup: %v, %v", got, err)
	}
	if _, err := library.Lookup("x.i2p"); err == nil {
		t.Error("lookup of nothing succeeded")
	}
	if keys, err := library.NewKeys(); err != nil || len(keys.String()) < 884 {
		t.Errorf("keys of %d characters, %v", len(keys.String()), err)
	}
	public := i2pkeys.I2PAddr(h.dest.Base64())
	session, err := library.NewRawSession("stock", i2pkeys.NewKeys(public, h.dest.Base64()), []string{"i2cp.leaseSetEncType=4", ""}, port)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	for range 2 { // by b32, which it spells addresses as: looked up, then cached
		if _, err := session.WriteTo([]byte("out"), i2pkeys.I2PAddr(h.peer.Base64())); err != nil {
			t.Fatal(err)
		}
		if got := <-h.sent; got.Peer != h.peer || string(got.Data) != "out" {
			t.Errorf("%+v", got)
		}
	}
	if n := s.Deliver(Packet{Protocol: ProtocolRaw, Data: []byte("in")}); n != 1 {
		t.Fatalf("delivered to %d", n)
	}
	b := make([]byte, 100)
	session.SetReadDeadline(time.Now().Add(10 * time.Second))
	if n, err := session.Read(b); err != nil || string(b[:n]) != "in" {
		t.Errorf("read %q, %v", b[:n], err)
	}
}

// A backend that never stops sending still reads why its session ended.
func TestToldWhileSending(t *testing.T) {
	h := newFakeHost(t)
	s := newTestServer(t, &swallower{fakeHost: h, s: NewServer(ServerConfig{Host: h})})
	addr, _ := listen(t, s)
	c, err := Dial(t.Context(), ClientConfig{Addr: addr})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	p := Packet{Peer: h.peer, Data: make([]byte, 30000)}
	for n := 0; c.Err() == nil; n++ {
		c.Send(p)
		if n == 1000 {
			s.CloseSessions("the router died")
		}
	}
	if !strings.Contains(c.Err().Error(), "the router died") {
		t.Error(c.Err())
	}
}

// A failing listener fails Accept a number of times.
type failing struct {
	net.Listener
	left int
}

func (f *failing) Accept() (net.Conn, error) {
	if f.left--; f.left >= 0 {
		return nil, errors.New("too many open files")
	}
	return f.Listener.Accept()
}

func TestServeRidesOutErrors(t *testing.T) {
	s := newTestServer(t, newFakeHost(t))
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- s.Serve(t.Context(), &failing{ln, 2}) }()
	attachTalker(t, tcpDial(t, ln.Addr().String()), "a", "").nc.Close()
	s.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := s.Serve(t.Context(), &failing{ln, 100}); err != nil {
		t.Errorf("after Close: %v", err)
	}
	ln, _ = net.Listen("tcp", "127.0.0.1:0")
	if err := newTestServer(t, newFakeHost(t)).Serve(t.Context(), &failing{ln, 100}); err == nil {
		t.Error("no error from a listener that is broken for good")
	}
}
