package frontend

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/i2cp"
	"github.com/onelease/onelease/i2p/sam"
	"github.com/onelease/onelease/i2p/simnet"
)

// An inbox keeps what a backend or a remote was given.
type inbox struct {
	mu       sync.Mutex
	packets  []string
	statuses map[uint32]error
}

func (b *inbox) packet(p sam.Packet) { b.add(p.FromPort, p.ToPort, p.Protocol, p.Data) }
func (b *inbox) message(p i2cp.Payload) {
	b.add(p.FromPort, p.ToPort, p.Protocol, p.Data)
}

func (b *inbox) add(from, to uint16, protocol uint8, data []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.packets = append(b.packets, fmt.Sprintf("%d>%d/%d %s", from, to, protocol, data))
}

func (b *inbox) status(id uint32, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.statuses == nil {
		b.statuses = map[uint32]error{}
	}
	b.statuses[id] = err
}

func (b *inbox) has(packet string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.packets {
		if p == packet {
			return true
		}
	}
	return false
}

// told is the status of a packet, and whether there is one.
func (b *inbox) told(id uint32) (error, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	err, ok := b.statuses[id]
	return err, ok
}

// inTraffic is inWorld with a remote that can send and be reached.
func inTraffic(t *testing.T, test func(w *world, remote *simnet.Remote, mail *inbox)) {
	t.Helper()
	inWorld(t, simnet.I2PD258, nil, func(w *world) {
		mail := &inbox{}
		remote := w.network.NewRemote(simnet.RemoteConfig{Published: true, OnMessage: mail.message})
		// The test's balancer asks to publish in the wrong words: i2pd 2.58.
		w.untilServing()
		w.until("the remote can send and be found", func() bool {
			_, found := w.network.Lookup(remote.Destination().Hash())
			return found && remote.Ready()
		})
		w.until("the Destination can be found", func() bool {
			_, found := w.network.Lookup(w.keys.Destination.Hash())
			return found
		})
		test(w, remote, mail)
	})
}

func TestTwoBackends(t *testing.T) {
	inTraffic(t, func(w *world, remote *simnet.Remote, mail *inbox) {
		var one, two inbox
		a, b := w.attach("one", one.packet, one.status), w.attach("two", two.packet, two.status)
		defer a.Close()
		defer b.Close()
		if a.Destination() != w.keys.Destination {
			t.Error("the backend sees another Destination")
		}
		if err := remote.Send(w.keys.Destination.Hash(), 7, 8, 6, []byte("in")); err != nil {
			w.t.Fatal(err)
		}
		w.until("both have the packet", func() bool { return one.has("7>8/6 in") && two.has("7>8/6 in") })
		for i, backend := range []*sam.PacketClient{a, b} {
			p := sam.Packet{Peer: remote.Destination(), FromPort: 1, ToPort: 2, Protocol: 18, Data: fmt.Append(nil, "out ", i)}
			if err := backend.Send(p); err != nil {
				w.t.Fatal(err)
			}
		}
		w.until("the remote has both", func() bool { return mail.has("1>2/18 out 0") && mail.has("1>2/18 out 1") })
		if s := w.frontend.Status(); s.Backends != 2 || s.PacketsIn != 1 || s.PacketsOut != 2 || s.Dropped != 0 {
			t.Errorf("status %+v", s)
		}
	})
}

func TestSendStatus(t *testing.T) {
	inTraffic(t, func(w *world, remote *simnet.Remote, _ *inbox) {
		var one, two inbox
		a, b := w.attach("one", nil, one.status), w.attach("two", nil, two.status)
		defer a.Close()
		defer b.Close()
		unknown, err := i2p.GenerateKeys()
		if err != nil {
			w.t.Fatal(err)
		}
		a.Send(sam.Packet{Peer: remote.Destination(), Protocol: 18, ID: 5, Data: []byte("x")})
		b.Send(sam.Packet{Peer: unknown.Destination, Protocol: 18, ID: 5, Data: []byte("x")})
		w.until("both are told", func() bool {
			_, ok1 := one.told(5)
			_, ok2 := two.told(5)
			return ok1 && ok2
		})
		if err, _ := one.told(5); err != nil {
			t.Errorf("to a remote that is there: %v", err)
		}
		if err, _ := two.told(5); !errors.Is(err, sam.ResultCantReachPeer) {
			t.Errorf("to one that is not: %v, want CANT_REACH_PEER", err)
		}
	})
}

func TestPacketsWithoutABackendAreCounted(t *testing.T) {
	inTraffic(t, func(w *world, remote *simnet.Remote, _ *inbox) {
		remote.Send(w.keys.Destination.Hash(), 0, 0, 18, []byte("x"))
		w.until("it is counted", func() bool { s := w.frontend.Status(); return s.PacketsIn == 1 && s.Dropped == 1 })
	})
}

func TestBadBackendLeavesOthersAlone(t *testing.T) {
	inTraffic(t, func(w *world, remote *simnet.Remote, _ *inbox) {
		var good inbox
		backend := w.attach("good", good.packet, good.status)
		defer backend.Close()
		for _, line := range []string{
			"GARBAGE\n", "HELLO VERSION\nRAW SEND SIZE=abc\n", strings.Repeat("x", 1<<20) + "\n", "\x00\xff\n",
			"HELLO VERSION\nSESSION CREATE STYLE=RAW ID=good DESTINATION=TRANSIENT\n",
			"HELLO VERSION\nSESSION CREATE STYLE=RAW ID=bad DESTINATION=TRANSIENT\nRAW SEND DESTINATION=nonsense SIZE=1\nx",
		} {
			bad, err := w.frontend.DialSAM(t.Context())
			if err != nil {
				w.t.Fatal(err)
			}
			go io.Copy(io.Discard, bad)
			bad.Write([]byte(line))
			synctest.Wait()
			bad.Close()
		}
		remote.Send(w.keys.Destination.Hash(), 7, 8, 6, []byte("in"))
		w.until("the good one has the packet", func() bool { return good.has("7>8/6 in") })
		select {
		case <-backend.Done():
			t.Errorf("the good backend lost its session: %v", backend.Err())
		default:
		}
	})
}

func TestSendResults(t *testing.T) {
	for s := range i2cp.Status(255) {
		done, err := sendResult(s)
		switch s {
		case i2cp.StatusAvailable, i2cp.StatusAccepted:
			if done {
				t.Errorf("status %d: taken for the last word", s)
			}
		case i2cp.StatusBestEffortSuccess, i2cp.StatusHandedOn, i2cp.StatusLocalSuccess:
			if !done || err != nil {
				t.Errorf("status %d: %v, %v", s, done, err)
			}
		default:
			var result sam.Result
			if !done || !errors.As(err, &result) || result == sam.ResultOK || err.Error() == "" {
				t.Errorf("status %d: %v, %v", s, done, err)
			}
		}
	}
	if _, err := sendResult(i2cp.StatusNoLeaseSet); !errors.Is(err, sam.ResultCantReachPeer) {
		t.Errorf("status 21: %v", err)
	}
}

// publisherOnly is a Config change.
func publisherOnly(cfg *Config) { cfg.Publisher = true }

func TestPublisherWaitsForItsFirstSession(t *testing.T) {
	inPreparedWorld(t, simnet.I2PD258, func(w *world, cfg *Config) {
		publisherOnly(cfg)
		w.leader.noSession, w.leader.noInstall = true, true
	}, func(w *world) {
		time.Sleep(30 * time.Second)
		if s := w.frontend.Status(); s.RouterUp || s.RouterError == "" || w.asked() != 1 {
			w.t.Fatalf("status %+v, asked %d times", s, w.asked())
		}
		w.leader.send(w.leader.session())
		w.until("the router asks for a LeaseSet", func() bool { return w.leader.lastPool().GetRequested() })
		time.Sleep(7 * time.Second)
		w.leader.set(func() { w.leader.stream.Send(w.leader.signLocked(otherLeases(), 2*time.Minute)) })
		w.until("it has it", func() bool { return w.leader.lastInstalled() != nil })
		if e := w.leader.lastInstalled().GetError(); e != "" {
			t.Errorf("not installed: %s", e)
		}
		w.until("it is published", func() bool { _, ok := w.network.Lookup(w.keys.Destination.Hash()); return ok })
		w.router.Kill()
		w.leader.stop()
		w.router.Restart()
		w.until("it answers the router with what it has", func() bool { s := w.frontend.Status(); return s.RouterUp && s.Serving })
	})
}

func TestPublisherRefusesBackends(t *testing.T) {
	inWorld(t, simnet.I2PD258, func(cfg *Config) {
		cfg.Publisher = true
	}, func(w *world) {
		if _, err := w.frontend.DialSAM(t.Context()); !errors.Is(err, ErrPublisherOnly) {
			t.Errorf("DialSAM: %v", err)
		}
	})
	inListener(t, publisherOnly, func(ln dialer) {
		_, err := sam.Dial(context.Background(), sam.ClientConfig{Dial: ln.Dial})
		if err == nil || !strings.Contains(err.Error(), "only publishes") || !errors.Is(err, sam.ResultI2PError) {
			t.Errorf("attach: %v, want that this frontend only publishes", err)
		}
		hung, err := ln.Dial(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := bufio.NewReader(hung).ReadString('\n'); !errors.Is(err, io.EOF) {
			t.Errorf("a client that says nothing: %v, want that it is hung up on", err)
		}
	})
}
