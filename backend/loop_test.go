package backend

import (
	"bytes"
	"io"
	"testing"
	"testing/synctest"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/sam"
)

// What a Host sends to itself comes in, as from anybody, and no frontend sees it.
func TestDatagramsToSelf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 2, nil)
		defer r.stop()
		for _, kind := range []Kind{Datagram, Datagram2, Datagram3, Raw} {
			from, to := r.listen(kind, 7), r.listen(kind, 8)
			write(t, from, i2p.NewAddr(r.keys.Destination, 8), "to myself")
			synctest.Wait()
			payload, addr := read(t, to)
			if payload != "to myself" || addr.Port != 7 || kind != Raw && addr.Hash != r.keys.Destination.Hash() {
				t.Errorf("%v: %q from %v", kind, payload, addr)
			}
			if kind == Raw {
				continue
			}
			write(t, to, addr, "back")
			synctest.Wait()
			if payload, _ := read(t, from); payload != "back" {
				t.Errorf("%v: the answer is %q", kind, payload)
			}
		}
		for i, sent := range r.sentBy() {
			if len(sent) > 0 {
				t.Errorf("frontend %d got %d packets", i, len(sent))
			}
		}
	})
}

// More than fits is dropped and counted, and what is left comes.
func TestTooMuchToSelf(t *testing.T) {
	h, err := NewHost(Config{Signer: newKeys(t), Frontends: []Frontend{{Addr: "127.0.0.1:1"}}})
	if err != nil {
		t.Fatal(err)
	}
	h.loop.running = true // nobody takes any
	const size = 1 << 10
	for range maxLooped/size + 3 {
		h.loopIn(sam.Packet{Data: make([]byte, size)})
	}
	if got := h.overflow.Load(); got != 3 || h.loop.bytes != maxLooped {
		t.Errorf("%d dropped, %d bytes wait", got, h.loop.bytes)
	}
}

// A stream to oneself carries bytes both ways, and ends.
func TestStreamToSelf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newStreamRig(t, 2, nil)
		defer r.stop()
		ln, err := r.host.Listen(80)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			conn, err := ln.Accept()
			if err == nil {
				io.Copy(conn, conn)
				conn.Close()
			}
		}()
		conn, err := r.host.DialContext(t.Context(), "i2p", r.keys.Destination.Base32()+":80")
		if err != nil {
			t.Fatal(err)
		}
		want := seeded(200_000)
		go func() {
			conn.Write(want)
			conn.(interface{ CloseWrite() error }).CloseWrite()
		}()
		got, err := io.ReadAll(conn)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d of %d bytes came, %v", len(got), len(want), err)
		}
		conn.Close()
	})
}
