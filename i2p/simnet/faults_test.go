package simnet_test

import (
	"context"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/i2cp"
	"github.com/onelease/onelease/i2p/simnet"
)

// a client and a remote that have each other's LeaseSets
func newPair(t *testing.T, n *simnet.Network, r *simnet.Router) (*testClient, *simnet.Remote, *int) {
	t.Helper()
	got := new(int)
	remote := n.NewRemote(simnet.RemoteConfig{Published: true, OnMessage: func(i2cp.Payload) { *got++ }})
	c := dial(t, r, newKeys(t))
	c.answerAlone(newX25519())
	c.onMessage = func(p i2cp.Payload) { c.send(remote.Destination(), p.Data, 0) }
	c.start()
	c.create(i2p.Mapping{"inbound.quantity": "3", "i2cp.dontPublishLeaseSet": "true"})
	time.Sleep(30 * time.Second)
	remote.Send(c.keys.Destination.Hash(), 0, 0, i2cp.ProtocolRaw, []byte("first"))
	time.Sleep(time.Second)
	synctest.Wait()
	if *got != 1 {
		t.Fatalf("%d echoes of the first message", *got)
	}
	return c, remote, got
}

func TestKillAndRestart(t *testing.T) {
	inNetwork(t, simnet.I2PD258, func(t *testing.T, n *simnet.Network, r *simnet.Router) {
		c, remote, got := newPair(t, n, r)
		r.Kill()
		remote.Send(c.keys.Destination.Hash(), 0, 0, i2cp.ProtocolRaw, []byte("into nothing"))
		time.Sleep(time.Second)
		c.seen(func() {
			if !errors.Is(c.ended, syscall.ECONNRESET) {
				t.Errorf("killed: connection ended with %v, want a reset", c.ended)
			}
		})
		if s := n.Stats(); s.Lost[simnet.LostNoTunnel] != 1 || *got != 1 {
			t.Errorf("lost %v, %d echoes: want the message to vanish", s.Lost, *got)
		}
		hash := r.Hash()
		r.Restart()
		if r.Hash() != hash {
			t.Error("a restarted router has another identity")
		}
		again := open(t, r, c.keys, nil)
		again.waitRequest(1)
	})
}

func TestFreezeAndThaw(t *testing.T) {
	inNetwork(t, simnet.I2PD258, func(t *testing.T, n *simnet.Network, r *simnet.Router) {
		c, remote, got := newPair(t, n, r)
		r.Freeze()
		late := dial(t, r, newKeys(t)) // connects, and nobody answers
		late.start()
		late.create(nil)
		remote.Send(c.keys.Destination.Hash(), 0, 0, i2cp.ProtocolRaw, []byte("lost"))
		c.send(remote.Destination(), []byte("kept by the socket"), 0)
		time.Sleep(30 * time.Second)
		c.seen(func() {
			if c.ended != nil || *got != 1 {
				t.Errorf("frozen: ended %v, %d echoes", c.ended, *got)
			}
		})
		late.seen(func() {
			if len(late.states) != 0 {
				t.Errorf("a frozen router answered: %v", late.states)
			}
		})
		r.Thaw()
		time.Sleep(time.Second)
		synctest.Wait()
		if s := n.Stats(); *got != 2 || s.Lost[simnet.LostFrozen] != 1 {
			t.Errorf("thawed: %d messages, lost %v", *got, s.Lost)
		}
		late.seen(func() {
			if len(late.states) != 1 {
				t.Errorf("thawed: session states %v", late.states)
			}
		})
	})
}

func TestFailTunnel(t *testing.T) {
	inNetwork(t, simnet.I2PD258, func(t *testing.T, n *simnet.Network, r *simnet.Router) {
		c, _, _ := newPair(t, n, r)
		before := len(c.requests)
		if r.FailTunnel(c.keys.Destination.Hash(), 3) || !r.FailTunnel(c.keys.Destination.Hash(), 0) {
			t.Error("FailTunnel: want the fourth of three to be none, the first to fail")
		}
		time.Sleep(30 * time.Second)
		c.seen(func() {
			if len(c.requests) != before+2 || len(c.requests[before]) != 2 || len(c.requests[before+1]) != 3 {
				t.Errorf("%d requests, want one of 2 leases and one of 3", len(c.requests)-before)
			}
		})
	})
}

func TestChurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := simnet.New(simnet.Config{Seed: 5, PeerLife: 10 * time.Minute})
		defer n.Close()
		r := n.NewRouter(simnet.RouterConfig{})
		c := dial(t, r, newKeys(t))
		c.answerAlone(newX25519())
		c.start()
		c.create(i2p.Mapping{"inbound.quantity": "3"})
		tier := r.FastTier()
		time.Sleep(time.Hour)
		s := r.Stats()
		if s.TunnelsLost < 5 || s.TunnelsBuilt < s.TunnelsLost+3 {
			t.Errorf("in an hour %d tunnels built and %d lost", s.TunnelsBuilt, s.TunnelsLost)
		}
		if now := r.FastTier(); len(now) != len(tier) || now[0] == tier[0] && now[1] == tier[1] && now[2] == tier[2] {
			t.Errorf("the fast tier did not change")
		}
		c.seen(func() {
			if last := c.requests[len(c.requests)-1]; c.ended != nil || len(last) < 2 {
				t.Errorf("ended %v, %d leases", c.ended, len(last))
			}
		})
	})
}

func TestLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		link := simnet.Link{Latency: 20 * time.Millisecond, Jitter: 20 * time.Millisecond, Loss: 0.1, Reorder: 0.1, Duplicate: 0.05}
		n := simnet.New(simnet.Config{Seed: 2})
		defer n.Close()
		var order []byte
		to := n.NewRemote(simnet.RemoteConfig{Published: true, Profile: simnet.I2PD245, OnMessage: func(p i2cp.Payload) { order = append(order, p.Data[0]) }})
		from := n.NewRemote(simnet.RemoteConfig{Published: true, Profile: simnet.I2PD245})
		time.Sleep(30 * time.Second)
		n.SetLink(link)
		for i := range 200 {
			from.Send(to.Destination().Hash(), 0, 0, i2cp.ProtocolRaw, []byte{byte(i)})
			time.Sleep(10 * time.Millisecond)
			if i == 0 {
				time.Sleep(time.Second)
			}
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if s := n.Stats(); s.Lost[simnet.LostOnLink] < 5 || s.Lost[simnet.LostOnLink] > 40 {
			t.Errorf("lost %d of 200 on the link, want about 20", s.Lost[simnet.LostOnLink])
		}
		twice, late := 0, 0
		for i := 1; i < len(order); i++ {
			if order[i] == order[i-1] {
				twice++
			} else if order[i] < order[i-1] {
				late++
			}
		}
		if late == 0 {
			t.Errorf("nothing came out of order (%d of %d twice)", twice, len(order))
		}
	})
}

// TestSeed runs the same thing twice.
func TestSeed(t *testing.T) {
	play := func(seed uint64) (s simnet.Stats) {
		synctest.Test(t, func(t *testing.T) {
			r := startRun(t, plan{seed: seed, profile: simnet.I2PD245, remotes: 3, life: 5 * time.Minute})
			r.finish()
			s = r.n.Stats()
		})
		return s
	}
	one, two, other := play(7), play(7), play(8)
	if one != two {
		t.Errorf("one seed, two runs:\n%+v\n%+v", one, two)
	}
	if one == other {
		t.Error("two seeds, one run")
	}
}

// TestTCP serves over real sockets, in real time.
func TestTCP(t *testing.T) {
	n := simnet.New(simnet.Config{Link: simnet.Link{Instant: true},
		Tunnels: simnet.TunnelTimes{First: time.Millisecond, Rest: 5 * time.Millisecond}})
	r := n.NewRouter(simnet.RouterConfig{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error)
	go func() { served <- r.ServeI2CP(l) }()
	dialer := net.Dialer{}
	conn, err := dialer.DialContext(context.Background(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	c := &testClient{t: t, conn: conn, keys: newKeys(t)}
	conn.Write([]byte{i2cp.ProtocolByte})
	installed := make(chan struct{}, 10)
	c.answerAlone(newX25519())
	answer := c.onLeases
	c.onLeases = func(leases []i2p.Lease) { answer(leases); installed <- struct{}{} }
	ended := make(chan struct{})
	go func() { defer close(ended); c.read() }()
	c.create(nil)
	<-installed
	r.Kill()
	<-ended
	// The kernel says EOF where it had sent everything, as for a real process.
	if !errors.Is(c.ended, syscall.ECONNRESET) && !errors.Is(c.ended, io.EOF) {
		t.Errorf("killed: connection ended with %v, want a reset or EOF", c.ended)
	}
	n.Close()
	l.Close()
	if err := <-served; !errors.Is(err, net.ErrClosed) {
		t.Errorf("ServeI2CP: %v", err)
	}
}
