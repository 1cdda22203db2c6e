package samclient

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
)

// A vector is a line of the keys that a real i2pd generated.
type vector struct{ signature, b32, public, private string }

func vectors(tb testing.TB) (all []vector) {
	tb.Helper()
	text, err := os.ReadFile("../../../i2p/testdata/dest-generate.tsv")
	if err != nil {
		tb.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) == 5 && f[0] != "#" {
			all = append(all, vector{f[0], f[2], f[3], f[4]})
		}
	}
	if len(all) == 0 {
		tb.Fatal("no vectors")
	}
	return all
}

func TestDestinationOfRealKeys(t *testing.T) {
	for _, v := range vectors(t) {
		got, err := destinationOf(v.private)
		if err != nil || got != v.public {
			t.Errorf("signature type %s: %.20s, %v", v.signature, got, err)
		}
	}
}

func TestDestinationErrorsQuoteNothing(t *testing.T) {
	private := vectors(t)[0].private
	for _, bad := range []string{"", "AAAA", private[:200], "!" + private} {
		_, err := destinationOf(bad)
		if !errors.Is(err, ErrProtocol) || (bad != "" && strings.Contains(err.Error(), bad)) {
			t.Errorf("%.10q: %v", bad, err)
		}
	}
}

func TestParseAnswer(t *testing.T) {
	got, err := parseAnswer("SESSION STATUS RESULT=OK DESTINATION=AA==\n", "SESSION STATUS")
	if err != nil || got["DESTINATION"] != "AA==" {
		t.Errorf("got %v, %v", got, err)
	}
	_, err = parseAnswer("SESSION STATUS RESULT=I2P_ERROR MESSAGE=\"no such style\"\n", "SESSION STATUS")
	if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "no such style") {
		t.Errorf("refusal: %v", err)
	}
	if _, err = parseAnswer("HTTP/1.1 400\n", "HELLO REPLY"); !errors.Is(err, ErrProtocol) {
		t.Errorf("other protocol: %v", err)
	}
}

func FuzzParseDatagram(f *testing.F) {
	f.Add([]byte("AAAA\npayload"))
	f.Add([]byte("AAAA FROM_PORT=1 TO_PORT=2\n"))
	f.Add([]byte("\n"))
	f.Fuzz(func(t *testing.T, packet []byte) {
		d, ok := parseDatagram(packet)
		if ok && (d.From == "" || strings.ContainsAny(d.From, " \n")) {
			t.Errorf("from %q", d.From)
		}
	})
}

// A bridge is a SAM bridge for one client, as i2pd's is seen from outside: it answers, and
// sends every datagram back as if the destination had.
type bridge struct {
	tcp net.Listener
	udp *net.UDPConn
	key vector
}

func newBridge(t *testing.T) *bridge {
	t.Helper()
	b := &bridge{key: vectors(t)[8]}
	var err error
	if b.tcp, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	if b.udp, err = net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.tcp.Close(); b.udp.Close() })
	return b
}

// serve answers the commands of one connection; status is the answer to SESSION CREATE,
// after which it returns the connection.
func (b *bridge) serve(t *testing.T, status string) (conn net.Conn, forward string) {
	conn, err := b.tcp.Accept()
	if err != nil {
		t.Error(err)
		return nil, ""
	}
	lines := bufio.NewScanner(conn)
	lines.Buffer(nil, 1<<16)
	for lines.Scan() {
		switch line := lines.Text(); {
		case strings.HasPrefix(line, "HELLO"):
			fmt.Fprintln(conn, "HELLO REPLY RESULT=OK VERSION=3.1")
		case strings.HasPrefix(line, "SESSION CREATE STYLE=DATAGRAM"):
			fmt.Fprintln(conn, status)
			return conn, line
		default:
			t.Errorf("unknown command %q", line)
		}
	}
	return conn, ""
}

func (b *bridge) echo() {
	buf := make([]byte, 64<<10)
	for {
		n, from, err := b.udp.ReadFromUDP(buf)
		if err != nil {
			return
		}
		header, payload, _ := strings.Cut(string(buf[:n]), "\n")
		_, _ = b.udp.WriteToUDP([]byte(strings.Fields(header)[2]+"\n"+payload), from)
	}
}

func TestRemote(t *testing.T) {
	b := newBridge(t)
	go b.echo()
	served := make(chan net.Conn, 1)
	go func() {
		conn, command := b.serve(t, "SESSION STATUS RESULT=OK DESTINATION="+b.key.private)
		if !strings.Contains(command, " HOST=127.0.0.1 PORT=") || !strings.HasSuffix(command, " inbound.length=1") {
			t.Errorf("created with %q", command)
		}
		served <- conn
	}()
	r, err := Open(t.Context(), b.tcp.Addr().String(),
		Options{UDPAddr: b.udp.LocalAddr().String(), Params: []string{"inbound.length=1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if r.Destination() != b.key.public || r.PrivateKey() != b.key.private {
		t.Error("not the Destination that the bridge gave")
	}
	if err := r.Send("AAAA", []byte("two\nlines")); err != nil {
		t.Fatal(err)
	}
	if d := <-r.Datagrams(); d.From != "AAAA" || string(d.Payload) != "two\nlines" {
		t.Errorf("got %+v", d)
	}
	if err := r.Send("AAAA", make([]byte, MaxPayload+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
	(<-served).Close() // the router dies
	if _, ok := <-r.Datagrams(); ok {
		t.Error("a datagram from a dead bridge")
	}
}

func TestOpenRefused(t *testing.T) {
	b := newBridge(t)
	go b.serve(t, "SESSION STATUS RESULT=DUPLICATED_ID")
	_, err := Open(t.Context(), b.tcp.Addr().String(), Options{UDPAddr: b.udp.LocalAddr().String()})
	if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "DUPLICATED_ID") {
		t.Errorf("got %v", err)
	}
}

// TestOpenCanceled: a bridge that never answers holds nobody longer than the context.
func TestOpenCanceled(t *testing.T) {
	b := newBridge(t)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		conn, err := b.tcp.Accept()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		cancel()
		_, _ = bufio.NewReader(conn).ReadString(0) // until the client hangs up
	}()
	_, err := Open(ctx, b.tcp.Addr().String(), Options{UDPAddr: b.udp.LocalAddr().String()})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestReadReceived(t *testing.T) {
	lines := bufio.NewReader(strings.NewReader("DATAGRAM RECEIVED DESTINATION=AAAA SIZE=9\ntwo\nlinesRAW RECEIVED SIZE=1\nxRAW RECEIVED SIZE=99999\n"))
	if d, err := readReceived(lines, "DATAGRAM"); err != nil || d.From != "AAAA" || string(d.Payload) != "two\nlines" {
		t.Errorf("got %+v, %v", d, err)
	}
	if d, err := readReceived(lines, "RAW"); err != nil || d.From != "" || string(d.Payload) != "x" {
		t.Errorf("got %+v, %v", d, err)
	}
	if _, err := readReceived(lines, "RAW"); !errors.Is(err, ErrProtocol) {
		t.Errorf("a size of 99999: %v", err)
	}
}
