package backend

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/synctest"

	"github.com/onelease/onelease/i2p"
)

// What neighbors send each other comes in, and no frontend sees it, also when all are
// lost. When one has ended, its packets go out as any other's.
func TestNeighbors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var neighbors Neighbors
		join := func(c *Config) { c.Neighbors = &neighbors }
		a, b := newStreamRig(t, 1, join), newStreamRig(t, 1, join)
		defer a.stop()
		for _, f := range append(a.frontends, b.frontends...) {
			f.Close()
		}
		from, to := a.listen(Datagram, 7), b.listen(Datagram, 8)
		write(t, from, i2p.NewAddr(b.keys.Destination, 8), "over the fence")
		synctest.Wait()
		if payload, addr := read(t, to); payload != "over the fence" || addr.Hash != a.keys.Destination.Hash() || addr.Port != 7 {
			t.Errorf("%q from %v", payload, addr)
		}
		echo(t, b.rig)
		conn, err := a.host.DialContext(t.Context(), "i2p", b.keys.Destination.Base32()+":80")
		if err != nil {
			t.Fatal(err)
		}
		want := seeded(100_000)
		go conn.Write(want)
		got := make([]byte, len(want))
		if _, err := io.ReadFull(conn, got); err != nil || !bytes.Equal(got, want) {
			t.Errorf("the echo is wrong, %v", err)
		}
		b.stop()
		if _, err := from.WriteTo([]byte("gone"), i2p.NewAddr(b.keys.Destination, 8)); !errors.Is(err, ErrNoFrontend) {
			t.Errorf("to one that has ended: %v", err)
		}
	})
}

// echo answers all streams to port 80 with what they say.
func echo(t *testing.T, r *rig) {
	t.Helper()
	ln, err := r.host.Listen(80)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				io.Copy(conn, conn)
				conn.Close()
			}()
		}
	}()
}

// Neighbors must know whose packets are whose.
func TestNeighborsNeedADestination(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"no Destination": func(c *Config) { c.Destination = i2p.Destination{} },
		"a Name":         func(c *Config) { c.Name = "one" },
	} {
		keys := newKeys(t)
		cfg := Config{Signer: keys, Destination: keys.Destination, Neighbors: new(Neighbors), Frontends: []Frontend{{Addr: "127.0.0.1:1"}}}
		change(&cfg)
		if _, err := NewHost(cfg); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
