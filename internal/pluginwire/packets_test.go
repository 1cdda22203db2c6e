package pluginwire

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/datagram"
	"github.com/onelease/onelease/i2p/streaming"
	"github.com/onelease/onelease/internal/coalesce"
)

func packetConns(t testing.TB) (host, plugin *PacketConn) {
	h, p := sockets(t)
	host, plugin = NewPacketConn(h, nil), NewPacketConn(p, nil)
	t.Cleanup(func() { host.Close(); plugin.Close() })
	return host, plugin
}

func TestPackets(t *testing.T) {
	host, plugin := packetConns(t)
	from := []*i2p.Addr{newAddr(t, 1), {Port: 2}, {Hash: i2p.Hash{3}, Port: 3}}
	seen := make([]net.Addr, len(from))
	buffer := make([]byte, datagram.MaxSize)
	for i := range 300 {
		sent := bytes.Repeat([]byte{byte(i)}, i*i%datagram.MaxSize)
		if n, err := host.WriteTo(sent, from[i%3]); n != len(sent) || err != nil {
			t.Fatal(n, err)
		}
		n, got, err := plugin.ReadFrom(buffer)
		if err != nil || !bytes.Equal(buffer[:n], sent) || *got.(*i2p.Addr) != *from[i%3] {
			t.Fatalf("packet %d: %d bytes from %v, %v", i, n, got, err)
		}
		if was := seen[i%3]; was != nil && was != got {
			t.Fatal("an address was parsed anew")
		}
		seen[i%3] = got
	}
	host.WriteTo([]byte("long"), from[0])
	host.TellLost(77)
	host.WriteTo([]byte("next"), from[0])
	if n, _, err := plugin.ReadFrom(buffer[:2]); n != 2 || err != nil {
		t.Error(n, err)
	}
	if n, _, err := plugin.ReadFrom(buffer); string(buffer[:n]) != "next" || err != nil || plugin.Lost() != 77 {
		t.Errorf("%q, %v, %d lost", buffer[:n], err, plugin.Lost())
	}
}

func TestPacketConnErrors(t *testing.T) {
	host, plugin := packetConns(t)
	to := newAddr(t, 1)
	_, err := plugin.WriteTo(make([]byte, datagram.MaxSize+1), to)
	want(t, "a huge one", err, datagram.ErrTooLarge)
	if _, err := plugin.WriteTo(nil, &net.UDPAddr{}); err == nil || !strings.Contains(err.Error(), "*i2p.Addr") {
		t.Errorf("to a UDP address: %v", err)
	}
	plugin.SetDeadline(time.Unix(1, 0))
	_, err = plugin.WriteTo(nil, to)
	want(t, "a write after the deadline", err, os.ErrDeadlineExceeded)
	_, _, err = plugin.ReadFrom(nil)
	want(t, "a read after the deadline", err, os.ErrDeadlineExceeded)
	plugin.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	_, _, err = plugin.ReadFrom(nil)
	want(t, "a read until the deadline", err, os.ErrDeadlineExceeded)
	plugin.SetDeadline(time.Time{})

	for err = nil; err == nil; { // nobody reads
		_, err = plugin.WriteTo(make([]byte, 10_000), to)
	}
	want(t, "a write to one who does not read", err, coalesce.ErrFull)

	waits := make(chan error)
	go func() {
		_, _, err := plugin.ReadFrom(nil)
		waits <- err
	}()
	host.WriteTo(nil, to) // an empty datagram is one
	if err := <-waits; err != nil {
		t.Error(err)
	}
	go func() {
		_, _, err := plugin.ReadFrom(nil)
		waits <- err
	}()
	host.Close()
	want(t, "a read when the other has closed", <-waits, net.ErrClosed)
	if err := plugin.Close(); err != nil {
		t.Error(err)
	}
	want(t, "a second Close", plugin.Close(), net.ErrClosed)
	_, err = plugin.WriteTo(nil, to)
	want(t, "a write after Close", err, net.ErrClosed)
	want(t, "a deadline after Close", plugin.SetDeadline(time.Time{}), net.ErrClosed)
}

func TestClosedPacketConnHasSentItAll(t *testing.T) {
	host, plugin := packetConns(t)
	for i := range 100 {
		host.WriteTo(fmt.Append(nil, i), newAddr(t, 1))
	}
	host.Close()
	buffer := make([]byte, 10)
	for i := range 100 {
		if n, _, err := plugin.ReadFrom(buffer); string(buffer[:n]) != fmt.Sprint(i) || err != nil {
			t.Fatal(i, buffer[:n], err)
		}
	}
}

func TestOpenPackets(t *testing.T) {
	local, from := newAddr(t, 7), newAddr(t, 1)
	c, err := OpenPackets(t.Context(), serveOne(t, func(p Preface, raw net.Conn) {
		host := NewPacketConn(raw, nil)
		if p.Role != Packets || p.ID != 9 {
			t.Errorf("%+v", p)
		}
		host.Begin()
		host.WriteTo([]byte("hello"), from)
		host.Close()
	}), secret, 9, local)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	buffer := make([]byte, 10)
	if n, got, err := c.ReadFrom(buffer); string(buffer[:n]) != "hello" || got.String() != from.String() || c.LocalAddr() != local || err != nil {
		t.Errorf("%q from %v: %v", buffer[:n], got, err)
	}
	_, err = OpenPackets(t.Context(), serveOne(t, func(_ Preface, raw net.Conn) {
		NewPacketConn(raw, nil).Refuse(streaming.ErrPortInUse)
	}), secret, 9, local)
	want(t, "a port that is refused", err, streaming.ErrPortInUse)
}

func TestPacketAllocations(t *testing.T) {
	host, plugin := packetConns(t)
	to, data, buffer := newAddr(t, 1), make([]byte, 1400), make([]byte, 2000)
	trip := func() {
		if err := host.WritePacket(data, to); err != nil {
			t.Fatal(err)
		}
		if _, _, err := plugin.ReadPacket(buffer); err != nil {
			t.Fatal(err)
		}
	}
	for range 100 { // the buffers grow to their size
		trip()
	}
	if n := testing.AllocsPerRun(500, trip); n > 0 {
		t.Errorf("%v allocations per packet", n)
	}
	h, p := conns(t)
	if n := testing.AllocsPerRun(500, func() { h.Write(data); p.Read(buffer) }); n > 0 {
		t.Errorf("%v allocations per write and read", n)
	}
}

func FuzzPackets(f *testing.F) {
	f.Add(appendFrame(nil, typePacket, func(b []byte) []byte { return append(AppendAddr(b, nil), "x"...) }))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, p := net.Pipe()
		go func() { h.Write(b); h.Close() }()
		c := NewPacketConn(p, nil)
		for range len(b) + 1 {
			if _, _, err := c.ReadPacket(nil); err != nil {
				break
			}
		}
		c.Close()
	})
}
