package backend

import (
	"bytes"
	"errors"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/datagram"
	"github.com/onelease/onelease/i2p/sam"
)

func TestEveryKindRoundTrips(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, nil)
		defer r.stop()
		remote := r.remote()
		f := r.frontends[0]
		f.Name(remote.Destination.Base32(), remote.Destination)
		for kind, in := range map[Kind]sam.Packet{
			Raw:       {FromPort: 1000, ToPort: 7, Protocol: 18, Data: []byte("in")},
			Datagram:  remote.Datagram(7, "in"),
			Datagram2: remote.Datagram2(7, "in"),
			Datagram3: remote.Datagram3(7, "in"),
		} {
			conn := r.listen(kind, 7)
			f.Deliver(in)
			synctest.Wait()
			payload, from := read(t, conn)
			if payload != "in" || from.Port != 1000 || from.Network() != "i2p" {
				t.Errorf("%v: %q from %v", kind, payload, from)
			}
			to := from
			if kind == Raw {
				if from.Hash != (i2p.Hash{}) || from.String() != "unknown:1000" {
					t.Errorf("raw: from %v", from)
				}
				if _, err := conn.WriteTo([]byte("x"), from); err == nil {
					t.Error("raw: an answer to nobody was taken")
				}
				to = i2p.NewAddr(remote.Destination, 1000)
			} else if from.String() != remote.Destination.Base32()+":1000" {
				t.Errorf("%v: from %v", kind, from)
			}
			write(t, conn, to, "out")
			time.Sleep(greetingPatience) // of a raw one, by the bubble's clock
			sent := r.sentBy()[0]
			if len(sent) != 1 || Kind(sent[0].Protocol) != kind || sent[0].ToPort != 1000 || sent[0].FromPort != 7 {
				t.Fatalf("%v: sent %+v", kind, sent)
			}
			if got := remote.Open(sent[0]); got != "out" {
				t.Errorf("%v: sent %q", kind, got)
			}
		}
	})
}

func TestDatagram3LooksItsSenderUpOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, nil)
		defer r.stop()
		conn := r.listen(Datagram3, 7)
		remote, other := r.remote(), r.remote()
		r.frontends[0].Deliver(remote.Datagram3(7, "in"))
		synctest.Wait()
		_, from := read(t, conn)
		if !from.Destination.IsZero() {
			t.Fatal("a Datagram3 has no Destination")
		}
		if _, err := conn.WriteTo([]byte("x"), from); !errors.Is(err, sam.ResultKeyNotFound) {
			t.Errorf("sender that nobody knows: %v", err)
		}
		third := &Addr{Hash: newKeys(t).Destination.Hash()}
		r.frontends[0].Name(third.Hash.Base32(), other.Destination)
		if _, err := conn.WriteTo([]byte("x"), third); !errors.Is(err, i2p.ErrInvalid) {
			t.Errorf("lookup with a wrong answer: %v", err)
		}
		r.frontends[0].Name(remote.Destination.Base32(), remote.Destination)
		write(t, conn, from, "x")
		r.frontends[0].OnLookup(func(string) { t.Error("the name is looked up again") })
		write(t, conn, from, "x")
		if sent := r.sentBy()[0]; len(sent) != 2 {
			t.Errorf("%d packets", len(sent))
		}
	})
}

func TestPacketConnDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, nil)
		defer r.stop()
		conn := r.listen(Raw, 7)
		buffer := make([]byte, 10)
		start := time.Now()
		conn.SetReadDeadline(start.Add(time.Second))
		_, _, err := conn.ReadFrom(buffer)
		checkOpError(t, err, "read", os.ErrDeadlineExceeded)
		if got := time.Since(start); got != time.Second {
			t.Errorf("ReadFrom returned after %v, want 1s", got)
		}
		_, _, err = conn.ReadFrom(buffer) // it stays passed
		checkOpError(t, err, "read", os.ErrDeadlineExceeded)
		var timeout net.Error
		if !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("%v is no timeout", err)
		}
		// A deadline that has passed wins over what is there.
		r.frontends[0].Deliver(sam.Packet{ToPort: 7, Protocol: 18, Data: []byte("x")})
		synctest.Wait()
		_, _, err = conn.ReadFrom(buffer)
		checkOpError(t, err, "read", os.ErrDeadlineExceeded)
		if payload, _ := read(t, conn); payload != "x" { // which moves it
			t.Errorf("read %q", payload)
		}
		// It may be moved under a waiting reader, both ways.
		conn.SetReadDeadline(time.Time{})
		failed := make(chan error, 1)
		go func() { _, _, err := conn.ReadFrom(buffer); failed <- err }()
		synctest.Wait()
		conn.SetReadDeadline(time.Now().Add(time.Hour))
		conn.SetReadDeadline(time.Now().Add(-time.Hour))
		checkOpError(t, <-failed, "read", os.ErrDeadlineExceeded)
		conn.SetDeadline(time.Now().Add(-time.Hour))
		_, err = conn.WriteTo([]byte("x"), i2p.NewAddr(r.keys.Destination, 1))
		checkOpError(t, err, "write", os.ErrDeadlineExceeded)
	})
}

func checkOpError(t *testing.T, err error, op string, want error) {
	t.Helper()
	var opError *net.OpError
	if !errors.Is(err, want) || !errors.As(err, &opError) || opError.Op != op || opError.Net != "i2p" {
		t.Errorf("got %v, want a net.OpError of %s with %v", err, op, want)
	}
}

func TestPacketConnClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, nil)
		conn, second := r.listen(Raw, 7), r.listen(Raw, 8)
		failed := make(chan error, 2)
		for range 2 {
			go func() { _, _, err := conn.ReadFrom(nil); failed <- err }()
		}
		synctest.Wait()
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
		for range 2 {
			checkOpError(t, <-failed, "read", net.ErrClosed)
		}
		checkOpError(t, conn.Close(), "close", net.ErrClosed)
		_, err := conn.WriteTo([]byte("x"), i2p.NewAddr(r.keys.Destination, 1))
		checkOpError(t, err, "write", net.ErrClosed)
		checkOpError(t, conn.SetDeadline(time.Now()), "set", net.ErrClosed)
		conn = r.listen(Raw, 7) // the port is free again
		go func() { _, _, err := second.ReadFrom(nil); failed <- err }()
		r.stop()
		checkOpError(t, <-failed, "read", net.ErrClosed)
		if _, err := r.host.ListenPacket(Raw, 9); !errors.Is(err, net.ErrClosed) {
			t.Errorf("listen on a host that has ended: %v", err)
		}
	})
}

func TestPortsAndKinds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, nil)
		defer r.stop()
		any, seven := r.listen(Raw, 0), r.listen(Raw, 7)
		for _, port := range []uint16{7, 8, 0} {
			r.frontends[0].Deliver(sam.Packet{ToPort: port, Protocol: 18, Data: []byte{byte(port)}})
		}
		r.frontends[0].Deliver(r.remote().Datagram(7, "nobody listens to these"))
		r.frontends[0].Deliver(sam.Packet{ToPort: 7, Protocol: 224, Data: []byte("nor these")})
		synctest.Wait()
		for _, want := range []struct {
			conn    net.PacketConn
			payload string
		}{{seven, "\x07"}, {any, "\x08"}, {any, "\x00"}} {
			if got, _ := read(t, want.conn); got != want.payload {
				t.Errorf("read %q, want %q", got, want.payload)
			}
		}
		if s := r.host.Stats(); s.Unclaimed != 2 || s.Frontends[0].In != 5 {
			t.Errorf("%+v", s)
		}
		if _, err := r.host.ListenPacket(Raw, 7); !errors.Is(err, ErrPortInUse) {
			t.Errorf("a port twice: %v", err)
		}
		if _, err := r.host.ListenPacket(6, 7); err == nil {
			t.Error("an unknown kind is taken")
		}
		if a := seven.LocalAddr().(*Addr); a.Destination != r.keys.Destination || a.Port != 7 {
			t.Errorf("local address %v", a)
		}
	})
}

func TestReadFromCutsAndWriteToRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, nil)
		defer r.stop()
		conn, signed := r.listen(Raw, 7), r.listen(Datagram, 7)
		for _, payload := range []string{"12345", "67890"} {
			r.frontends[0].Deliver(sam.Packet{ToPort: 7, Protocol: 18, Data: []byte(payload)})
		}
		synctest.Wait()
		buffer := make([]byte, 3)
		if n, _, err := conn.ReadFrom(buffer); n != 3 || err != nil || string(buffer) != "123" {
			t.Errorf("%d, %v, %q", n, err, buffer)
		}
		if payload, _ := read(t, conn); payload != "67890" {
			t.Errorf("after a cut one: %q", payload)
		}
		to := i2p.NewAddr(newKeys(t).Destination, 1)
		large := make([]byte, datagram.MaxSize+1)
		for _, c := range []net.PacketConn{conn, signed} {
			if _, err := c.WriteTo(large, to); !errors.Is(err, ErrTooLarge) || !strings.Contains(err.Error(), "32768") {
				t.Errorf("a payload that does not fit: %v", err)
			}
			if _, err := c.WriteTo([]byte("x"), &net.UDPAddr{}); err == nil {
				t.Error("a UDP address is taken")
			}
			if _, err := c.WriteTo([]byte("x"), nil); err == nil {
				t.Error("no address is taken")
			}
		}
		if _, err := conn.WriteTo(nil, to); err == nil {
			t.Error("an empty raw datagram is taken")
		}
		write(t, signed, to, "") // the signature makes it not empty
		r.frontends[0].Kill()
		synctest.Wait()
		if _, err := conn.WriteTo([]byte("x"), to); !errors.Is(err, ErrNoFrontend) {
			t.Errorf("without a frontend: %v", err)
		}
	})
}

func TestReceiveBufferIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, func(c *Config) { c.ReceiveBuffer = datagram.MaxSize })
		defer r.stop()
		conn := r.listen(Raw, 7)
		const packets, size = 40, 1000
		for i := range packets {
			r.frontends[0].Deliver(sam.Packet{ToPort: 7, Protocol: 18, Data: bytes.Repeat([]byte{byte(i)}, size)})
		}
		synctest.Wait()
		fit := datagram.MaxSize / (size + entryCost)
		for i := range fit {
			if payload, _ := read(t, conn); payload != strings.Repeat(string([]byte{byte(i)}), size) {
				t.Fatalf("packet %d is wrong", i)
			}
		}
		if s := r.host.Stats(); s.Overflow != uint64(packets-fit) {
			t.Errorf("%d dropped, want %d", s.Overflow, packets-fit)
		}
	})
}

// Readers and writers at once; the race detector looks on.
func TestPacketConnConcurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 2, nil)
		defer r.stop()
		conn := r.listen(Raw, 7)
		to := i2p.NewAddr(r.keys.Destination, 7)
		for _, f := range r.frontends { // what is sent comes back
			f.OnSend(func(p sam.Packet) { p.FromPort = p.ToPort; f.Deliver(p) })
		}
		const writers, each = 4, 50
		var group, readers sync.WaitGroup
		var mu sync.Mutex
		seen := map[string]int{}
		for range 3 {
			readers.Go(func() {
				buffer := make([]byte, 10)
				for {
					n, _, err := conn.ReadFrom(buffer)
					if err != nil {
						return
					}
					mu.Lock()
					seen[string(buffer[:n])]++
					mu.Unlock()
				}
			})
		}
		for w := range writers {
			group.Go(func() {
				for i := range each {
					if _, err := conn.WriteTo([]byte{byte(w), byte(i)}, to); err != nil {
						t.Error(err)
					}
				}
			})
		}
		group.Wait()
		synctest.Wait()
		conn.Close()
		readers.Wait()
		if len(seen) != writers*each {
			t.Errorf("%d different datagrams came back, want %d", len(seen), writers*each)
		}
	})
}
