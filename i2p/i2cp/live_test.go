package i2cp_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/i2cp"
	"github.com/onelease/onelease/test/i2pd"
)

// The tests of this file run against stock i2pd; see package test/i2pd for
// how to turn them on.
func TestMain(m *testing.M) { os.Exit(i2pd.Main(m)) }

// TestLive goes through all that a Client does, on two routers of a network.
// ONELEASE_RECORD names a file to write the frames of the first to, which is
// how testdata came about.
func TestLive(t *testing.T) {
	net := i2pd.Start(t, i2pd.Config{Killable: []int{10, 11}})
	a := newParty(t, net.Router(10).I2CPAddr(), os.Getenv("ONELEASE_RECORD"))
	b := newParty(t, net.Router(11).I2CPAddr(), "")
	a.start()
	b.start()
	a.waitUp()
	b.waitUp()
	t.Run("lookups", func(t *testing.T) { liveLookups(t, a, b) })
	t.Run("messages", func(t *testing.T) { liveMessages(t, a, b) })
	t.Run("latency", func(t *testing.T) { liveLatency(t, a, b) })
	t.Run("reconfigure", func(t *testing.T) { liveReconfigure(t, a) })
	t.Run("duplicate", func(t *testing.T) { liveDuplicate(t, a) })
	t.Run("unasked", func(t *testing.T) { liveUnasked(t, a, b) })
	t.Run("unanswered", func(t *testing.T) { liveUnanswered(t, net.Router(10).I2CPAddr()) })
	t.Run("frozen", func(t *testing.T) { liveFrozen(t, net.Router(10), a) })
	t.Run("restart", func(t *testing.T) { liveRestart(t, net.Router(10), a) })
	t.Logf("a: %+v", a.Stats())
	t.Logf("b: %+v", b.Stats())
}

func liveLookups(t *testing.T, a, b *party) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	begin := time.Now()
	for again := time.Tick(200 * time.Millisecond); ; <-again { // i2pd finds nothing before it has tunnels
		dest, err := a.LookupHash(ctx, b.keys.Destination.Hash())
		if err == nil && dest == b.keys.Destination {
			break
		}
		if !errors.Is(err, i2cp.ErrNotFound) {
			t.Fatalf("look up b: %v", err)
		}
	}
	t.Logf("b found after %v", time.Since(begin))
	if dest, err := a.LookupName(ctx, b.keys.Destination.Base32()); err != nil || dest != b.keys.Destination {
		t.Errorf("look up b by b32: %v", err)
	}
	for _, name := range []string{"nobody.i2p", "x.b32.i2p", ""} {
		begin = time.Now()
		_, err := a.LookupName(ctx, name)
		t.Logf("look up %q: %v after %v", name, err, time.Since(begin))
		if !errors.Is(err, i2cp.ErrNotFound) {
			t.Errorf("look up %q: %v", name, err)
		}
	}
	begin = time.Now()
	_, err := a.LookupHash(ctx, i2p.Hash{1})
	t.Logf("look up nobody's hash: %v after %v", err, time.Since(begin))
	if !errors.Is(err, i2cp.ErrNotFound) {
		t.Errorf("look up nobody's hash: %v", err)
	}
}

// liveMessages has b answer first: i2pd 2.58 sends nothing after the first message of
// a new session until an answer has come, but says that it did.
func liveMessages(t *testing.T, a, b *party) {
	a.until(t, b, []byte("there"))
	b.until(t, a, []byte("back"))
	for _, size := range []int{0, 1, 1000, 30000, i2cp.MaxData} {
		data := make([]byte, size)
		begin := time.Now()
		got := a.until(t, b, data)
		if got.FromPort != 11 || got.ToPort != 22 || got.Protocol != i2cp.ProtocolRaw || len(got.Data) != size {
			t.Errorf("b got ports %d, %d, protocol %d, %d bytes", got.FromPort, got.ToPort, got.Protocol, len(got.Data))
		}
		t.Logf("%d bytes after %v", size, time.Since(begin))
	}
	stranger, err := i2p.GenerateKeys()
	if err == nil {
		err = a.Send(stranger.Destination, 1, 2, i2cp.ProtocolRaw, []byte("x"), i2cp.SendOptions{Nonce: 99})
	}
	if err != nil {
		t.Fatal(err)
	}
	if status := a.status(t, 99); status != i2cp.StatusNoLeaseSet {
		t.Errorf("message to nobody: %v", status)
	}
}

// liveLatency sends to and fro, two messages at a time: i2pd leaves Nagle's
// algorithm on, so that it is the second that waits if we are late to acknowledge.
func liveLatency(t *testing.T, a, b *party) {
	var trips []time.Duration
	for range 200 {
		begin := time.Now()
		a.two(t, b)
		b.two(t, a)
		trips = append(trips, time.Since(begin))
	}
	slices.Sort(trips)
	t.Logf("two messages to and fro: p50 %v, p90 %v, p99 %v, most %v", trips[100], trips[180], trips[198], trips[199])
}

// two sends two messages and waits for both.
func (p *party) two(t *testing.T, to *party) {
	t.Helper()
	for range 2 {
		if err := p.Send(to.keys.Destination, 0, 0, i2cp.ProtocolRaw, make([]byte, 100), i2cp.SendOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		select {
		case <-to.messages:
		case <-time.After(5 * time.Second):
			t.Log("a message was lost")
		}
	}
}

func liveReconfigure(t *testing.T, a *party) {
	signed, err := a.config(i2p.Mapping{"inbound.quantity": "4"})
	if err == nil {
		err = a.Reconfigure(t.Context(), signed)
	}
	if err != nil {
		t.Error(err)
	}
	stranger := newParty(t, "", "")
	signed, err = stranger.config(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Reconfigure(t.Context(), signed); !errors.Is(err, i2cp.ErrInvalidSession) {
		t.Errorf("with another Destination: %v", err)
	}
}

func liveDuplicate(t *testing.T, a *party) {
	twin := newParty(t, a.addr, "")
	twin.keys = a.keys
	twin.start()
	select {
	case err := <-twin.done:
		t.Logf("Run returned: %v", err)
		if !errors.Is(err, i2cp.ErrInvalidSession) {
			t.Errorf("Run returned %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Error("the router took the Destination twice")
	}
}

// liveUnasked installs a newer LeaseSet that nobody asked for.
func liveUnasked(t *testing.T, a, b *party) {
	if err := a.install(); err != nil {
		t.Fatal(err)
	}
	b.until(t, a, []byte("after an unasked LeaseSet"))
}

// liveUnanswered does not answer a request and measures the router's patience.
func liveUnanswered(t *testing.T, addr string) {
	mute := newParty(t, addr, "")
	mute.mute.Store(true)
	mute.start()
	asked := <-mute.asked
	err := <-mute.downs
	took := time.Since(asked)
	t.Logf("unanswered: %v after %v", err, took)
	if !errors.Is(err, i2cp.ErrDisconnected) || took < 9*time.Second || took > 12*time.Second {
		t.Errorf("unanswered: %v after %v", err, took)
	}
}

// liveFrozen stops the router's process, and lets it go on.
func liveFrozen(t *testing.T, r *i2pd.Router, a *party) {
	a.drain()
	if err := r.Stop(); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	err := <-a.downs
	t.Logf("frozen: %v after %v", err, time.Since(begin))
	if !errors.Is(err, i2cp.ErrUnresponsive) {
		t.Errorf("frozen: %v", err)
	}
	if err := r.Continue(); err != nil {
		t.Fatal(err)
	}
	begin = time.Now()
	a.waitUp()
	t.Logf("up again after %v", time.Since(begin))
}

// liveRestart kills the router and starts it again.
func liveRestart(t *testing.T, r *i2pd.Router, a *party) {
	a.drain()
	r.Kill()
	begin := time.Now()
	err := <-a.downs
	t.Logf("killed: %v after %v", err, time.Since(begin))
	if !errors.Is(err, i2cp.ErrDisconnected) {
		t.Errorf("killed: %v", err)
	}
	err = <-a.downs
	t.Logf("then: %v", err)
	if !errors.Is(err, i2cp.ErrUnreachable) {
		t.Errorf("then: %v", err)
	}
	if err := r.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	begin = time.Now()
	a.waitUp()
	t.Logf("up again after %v", time.Since(begin))
}
