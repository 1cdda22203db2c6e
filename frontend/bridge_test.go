package frontend

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/onelease/onelease/i2p"
)

// A fakeBridge is a stock SAM bridge as i2pd 2.45.1 has it: it splits options
// at spaces, forwards over UDP only if HOST and PORT are given, and takes raw
// datagrams on its UDP port.
type fakeBridge struct {
	t    *testing.T
	keys *i2p.Keys
	tcp  net.Listener
	udp  *net.UDPConn
	sent chan string // "ID DESTINATION payload" of what was sent
	wg   sync.WaitGroup

	mu      sync.Mutex
	refuse  string // answer to SESSION CREATE in place of OK
	mute    bool   // no answers any more
	conns   map[net.Conn]bool
	forward *net.UDPAddr
	options map[string]string
}

func startBridge(t *testing.T, keys *i2p.Keys) *fakeBridge {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	udp, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	b := &fakeBridge{t: t, keys: keys, tcp: tcp, udp: udp, sent: make(chan string, 100), conns: map[net.Conn]bool{}}
	b.wg.Go(b.accept)
	b.wg.Go(b.receive)
	t.Cleanup(func() {
		tcp.Close()
		udp.Close()
		b.drop()
		b.wg.Wait()
	})
	return b
}

// drop closes all control connections, as a router does that is restarted.
func (b *fakeBridge) drop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for c := range b.conns {
		c.Close()
	}
	b.forward, b.options = nil, nil
}

func (b *fakeBridge) accept() {
	for {
		c, err := b.tcp.Accept()
		if err != nil {
			return
		}
		b.mu.Lock()
		b.conns[c] = true
		b.mu.Unlock()
		b.wg.Go(func() { b.serve(c) })
	}
}

func (b *fakeBridge) serve(c net.Conn) {
	defer c.Close()
	in := bufio.NewReader(c)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		if answer := b.answer(strings.TrimSpace(line)); answer != "" {
			fmt.Fprintf(c, "%s\n", answer)
		}
	}
}

func (b *fakeBridge) answer(line string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.mute:
		return ""
	case strings.HasPrefix(line, "HELLO"):
		return "HELLO REPLY RESULT=OK VERSION=3.1"
	case line == "NAMING LOOKUP NAME=ME":
		return "NAMING REPLY RESULT=OK NAME=ME VALUE=" + b.keys.Destination.Base64()
	case strings.HasPrefix(line, "NAMING LOOKUP"):
		return "NAMING REPLY RESULT=KEY_NOT_FOUND NAME=" + strings.TrimPrefix(line, "NAMING LOOKUP NAME=")
	case b.refuse != "":
		return b.refuse
	}
	b.options = map[string]string{}
	for word := range strings.FieldsSeq(line) {
		key, value, _ := strings.Cut(word, "=")
		b.options[key] = value
	}
	if port, err := strconv.Atoi(b.options["PORT"]); err == nil && b.options["HOST"] != "" {
		b.forward = &net.UDPAddr{IP: net.ParseIP(b.options["HOST"]), Port: port}
	}
	return "SESSION STATUS RESULT=OK DESTINATION=" + b.options["DESTINATION"]
}

func (b *fakeBridge) receive() {
	buf := make([]byte, 1<<16)
	for {
		n, err := b.udp.Read(buf)
		if err != nil {
			return
		}
		header, data, _ := bytes.Cut(buf[:n], []byte("\n"))
		words := strings.Fields(string(header))
		b.sent <- fmt.Sprintf("%s %s %s", words[1], words[2], data)
	}
}

// option is one of the session's, and whether there is a session.
func (b *fakeBridge) option(name string) (string, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.options[name], b.options != nil
}

// deliver forwards a raw datagram to the session.
func (b *fakeBridge) deliver(data string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.forward == nil {
		b.t.Error("the session gave no HOST and PORT: i2pd would not forward to it")
		return
	}
	b.udp.WriteToUDP([]byte(data), b.forward)
}
