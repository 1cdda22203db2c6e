package backend

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/backend/backendtest"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/sam"
	"github.com/onelease/onelease/i2p/streaming"
)

// A rig is a Host that runs with frontends in memory, inside a synctest bubble.
type rig struct {
	t         *testing.T
	keys      *i2p.Keys
	frontends []*backendtest.Frontend
	host      *Host
	stop      func()
}

// makeRig makes a Host with n frontends. Nothing runs.
func makeRig(t *testing.T, n int, change func(*Config)) *rig {
	t.Helper()
	r := &rig{t: t, keys: newKeys(t)}
	cfg := Config{Signer: r.keys, Destination: r.keys.Destination, Logger: slog.New(slog.DiscardHandler)}
	for i := range n {
		f := backendtest.NewFrontend(r.keys.Destination)
		r.frontends = append(r.frontends, f)
		cfg.Frontends = append(cfg.Frontends, Frontend{Name: fmt.Sprint("f", i), Dial: f.Dial})
	}
	if change != nil {
		change(&cfg)
	}
	host, err := NewHost(cfg)
	if err != nil {
		t.Fatal(err)
	}
	r.host = host
	r.stop = func() {
		for _, f := range r.frontends {
			f.Close()
		}
	}
	return r
}

// newRig starts a Host with n frontends, all of which are up on return.
func newRig(t *testing.T, n int, change func(*Config)) *rig {
	t.Helper()
	r := makeRig(t, n, change)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.host.Run(ctx) }()
	closeFrontends := r.stop
	r.stop = func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		synctest.Wait() // the frontends read what the Host said last
		closeFrontends()
	}
	synctest.Wait()
	return r
}

func newKeys(t testing.TB) *i2p.Keys {
	t.Helper()
	keys, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func (r *rig) listen(kind Kind, port uint16) net.PacketConn {
	r.t.Helper()
	c, err := r.host.ListenPacket(kind, port)
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

// remote is a new remote.
func (r *rig) remote() *backendtest.Remote {
	r.t.Helper()
	return backendtest.NewRemote(r.t, r.keys.Destination)
}

// hear has a remote's datagram come in by frontend f.
func (r *rig) hear(f int, from *backendtest.Remote) {
	r.t.Helper()
	r.frontends[f].Deliver(from.Datagram(7, "here"))
	synctest.Wait()
}

// sentBy are the packets, but for hellos and pings, that went out by each frontend.
func (r *rig) sentBy() [][]sam.Packet {
	return r.collect(func(p sam.Packet) bool { return !isHello(p) && !isRevisit(p) })
}

// hellosBy are the hellos that went out by each frontend.
func (r *rig) hellosBy() [][]sam.Packet { return r.collect(isHello) }

func (r *rig) collect(want func(sam.Packet) bool) [][]sam.Packet {
	synctest.Wait()
	all := make([][]sam.Packet, len(r.frontends))
	for i, f := range r.frontends {
		for _, p := range f.Sent() {
			if want(p) {
				all[i] = append(all[i], p)
			}
		}
	}
	return all
}

func isHello(p sam.Packet) bool { return p.Protocol == HelloProtocol && !isRevisit(p) }

// isRevisit reports whether p is a ping to a silent visitor, or an ack.
func isRevisit(p sam.Packet) bool {
	var ping streaming.Packet
	return p.Protocol == ProtocolStreaming && ping.Parse(p.Data) == nil && ping.Flags&streaming.FlagEcho != 0 && len(ping.Payload) == 0
}

// counts are the lengths of lists, for short expectations.
func counts(lists [][]sam.Packet) string {
	var b strings.Builder
	for _, l := range lists {
		fmt.Fprint(&b, len(l), " ")
	}
	return strings.TrimSpace(b.String())
}

// read reads one datagram that is there already.
func read(t *testing.T, c net.PacketConn) (string, *Addr) {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(time.Second))
	buffer := make([]byte, 64<<10)
	n, from, err := c.ReadFrom(buffer)
	if err != nil {
		t.Fatal(err)
	}
	return string(buffer[:n]), from.(*Addr)
}

func write(t *testing.T, c net.PacketConn, to net.Addr, payload string) {
	t.Helper()
	if n, err := c.WriteTo([]byte(payload), to); err != nil || n != len(payload) {
		t.Fatalf("WriteTo: %d, %v", n, err)
	}
}
