package backend

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/backend/backendtest"
	"github.com/onelease/onelease/i2p/datagram"
	"github.com/onelease/onelease/i2p/sam"
	"github.com/onelease/onelease/i2p/streaming"
	"github.com/onelease/onelease/internal/owner"
)

// A pair is two Hosts behind the same frontends, which tell backends apart.
type pair struct {
	a, b      *rig
	frontends []*backendtest.Frontend
	stop      func()
}

func newSharedPair(t *testing.T, n int) *pair {
	t.Helper()
	keys := newKeys(t)
	p := &pair{}
	for i := range n {
		name := fmt.Sprint("router-", i)
		p.frontends = append(p.frontends, backendtest.NewShared(keys.Destination, name, bytes.Repeat([]byte{3}, owner.KeySize)))
	}
	start := func(name string) *rig {
		r := newRig(t, 0, func(cfg *Config) {
			cfg.Name, cfg.Signer, cfg.Destination = name, keys, keys.Destination
			for i, f := range p.frontends { // each calls them what it likes
				cfg.Frontends = append(cfg.Frontends, Frontend{Name: fmt.Sprint(name, i), Dial: f.Dial})
			}
		})
		r.keys = keys
		return r
	}
	p.a, p.b = start("a"), start("b")
	p.stop = func() {
		p.b.stop()
		p.a.stop()
		for _, f := range p.frontends {
			f.Close()
		}
	}
	return p
}

// sentBy is how many packets that want takes went out by each frontend since the
// last call.
func (p *pair) sentBy(want func(sam.Packet) bool) []int {
	synctest.Wait()
	n := make([]int, len(p.frontends))
	for i, f := range p.frontends {
		for _, packet := range f.Sent() {
			if want(packet) {
				n[i]++
			}
		}
	}
	return n
}

// heard has a Host hear a verified remote by one of its links, as if a packet of a
// stream had come.
func (r *rig) heard(link int, from *backendtest.Remote) {
	r.host.heardStream(r.host.links[link], datagram.NewSender(from.Destination))
}

// answers is the frontend by which a Host answers a remote.
func (r *rig) answers(remote *backendtest.Remote) int {
	synctest.Wait()
	r.host.mu.Lock()
	defer r.host.mu.Unlock()
	return r.host.routeLocked(remote.Destination.Hash()).index
}

// What one backend hears of a remote's way the other goes by.
func TestBackendsAgreeOnTheWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newSharedPair(t, 3)
		defer p.stop()
		remote := p.a.remote()
		expect := func(when string, want int) {
			t.Helper()
			if a, b := p.a.answers(remote), p.b.answers(remote); a != want || b != want {
				t.Errorf("%s: a answers by %d, b by %d, want %d", when, a, b, want)
			}
		}
		chosen := p.a.answers(remote)
		expect("of a remote that nobody knows", chosen)
		other := (chosen + 1) % 3
		p.a.heard(other, remote)
		expect("when a has heard it", other)
		p.b.heard(chosen, remote)
		expect("while it settles", other)
		time.Sleep(settleTime)
		p.b.heard(chosen, remote)
		expect("when b has heard it elsewhere", chosen)
		for range 3 { // it is news once
			p.b.heard(chosen, remote)
			p.a.heard(chosen, remote)
		}
		synctest.Wait()
		if s := p.b.host.Stats(); s.Remotes != 1 || s.Moved != 1 {
			t.Errorf("%+v", s)
		}
	})
}

// Two backends that first hear a remote at once, by two frontends, settle for one.
func TestBackendsHearAtOnce(t *testing.T) {
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			p := newSharedPair(t, 3)
			defer p.stop()
			remote := p.a.remote()
			p.a.heard(1, remote)
			p.b.heard(2, remote)
			if a, b := p.a.answers(remote), p.b.answers(remote); a != b || a == 0 {
				t.Errorf("a answers by %d, b by %d", a, b)
			}
		})
	}
}

// When a frontend is lost its remotes, which both have heard, get one hello at a
// time, and all by one other frontend.
func TestBackendsShareHellos(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newSharedPair(t, 3)
		defer p.stop()
		for _, f := range p.frontends {
			f.Status(time.Second, nil) // LeaseSets have to be looked up
		}
		remotes := []*backendtest.Remote{p.a.remote(), p.a.remote(), p.a.remote(), p.a.remote()}
		for _, r := range remotes {
			p.a.heard(0, r)
			p.b.heard(0, r)
		}
		p.sentBy(isHello)
		p.frontends[0].Kill()
		time.Sleep(helloAfter + 10*time.Millisecond)
		hellos := p.sentBy(isHello)
		if hellos[1]+hellos[2] != len(remotes) {
			t.Errorf("hellos to %d remotes: %v", len(remotes), hellos)
		}
		p.a.heard(1, remotes[0])
		if got := p.b.answers(remotes[0]); got != 1 || p.b.host.Stats().Stranded != len(remotes)-1 {
			t.Errorf("b answers by %d who was heard by 1: %+v", got, p.b.host.Stats())
		}
	})
}

// A frontend with another key would not find the owner of our packets.
func TestFrontendWithAnotherKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys := newKeys(t)
		odd := backendtest.NewShared(keys.Destination, "odd", make([]byte, owner.KeySize))
		good := backendtest.NewShared(keys.Destination, "good", bytes.Repeat([]byte{3}, owner.KeySize))
		defer odd.Close()
		defer good.Close()
		r := newRig(t, 0, func(cfg *Config) {
			cfg.Name, cfg.Signer, cfg.Destination = "a", keys, keys.Destination
			cfg.Frontends = []Frontend{{Name: "good", Dial: good.Dial}, {Name: "odd", Dial: func(ctx context.Context) (net.Conn, error) {
				time.Sleep(time.Second) // the other is first
				return odd.Dial(ctx)
			}}}
		})
		defer r.stop()
		time.Sleep(2 * time.Second)
		if s := r.host.Stats().Frontends; !s[0].TellsApart || s[0].State != LinkUp || s[1].State != LinkRefused {
			t.Errorf("%+v", s)
		}
		ids, _ := owner.NewIDs(bytes.Repeat([]byte{3}, owner.KeySize))
		if tag := ids.Tag(r.host.newID()); tag != owner.Tag("a") {
			t.Errorf("tag %x", tag)
		}
	})
}

// A Host has no weight before something listens, and none after a drain.
func TestWeightFollowsWhatListens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newSharedPair(t, 2)
		defer p.stop()
		weights := func() (all string) {
			synctest.Wait()
			for _, f := range p.frontends {
				for _, s := range f.Sessions() {
					if s.Backend.Name == "a" {
						all += fmt.Sprint(s.Backend.Weight, " ")
					}
				}
			}
			return all
		}
		if got := weights(); got != "0 0 " {
			t.Errorf("before anything listens: %s", got)
		}
		p.a.listen(Datagram, 7)
		if got := weights(); got != "1 1 " || p.a.host.Stats().Weight != 1 {
			t.Errorf("when something listens: %s", got)
		}
		p.a.host.SetWeight(7)
		p.frontends[0].Kill()
		p.frontends[0].Up()
		time.Sleep(time.Second)
		if got := weights(); got != "7 7 " {
			t.Errorf("after a reconnect: %s", got)
		}
		if err := p.a.host.Drain(t.Context()); err != nil || weights() != "0 0 " {
			t.Errorf("drained: %v, %s", err, weights())
		}
		p.a.listen(Datagram, 8)
		if got := weights(); got != "0 0 " {
			t.Errorf("drained, and something listens: %s", got)
		}
		for _, bad := range []int{-1, maxWeight + 1} {
			if err := p.a.host.SetWeight(bad); !errors.Is(err, ErrConfig) {
				t.Errorf("weight %d: %v", bad, err)
			}
		}
	})
}

func TestDrainNeedsAName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, nil)
		defer r.stop()
		if err := r.host.Drain(t.Context()); !errors.Is(err, ErrConfig) {
			t.Error(err)
		}
	})
}

// Drain waits for the streams that there are, and the Host for no other's.
func TestDrainWaitsForStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newSharedPair(t, 1)
		defer p.stop()
		nets := backendtest.NewNet(t, p.frontends)
		defer nets.Close()
		ln, err := p.a.host.Listen(80)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		near, err := nets.NewRemote(0, false).Stack.Dial(t.Context(), streaming.NewRemote(p.a.keys.Destination), 0, 80)
		if err != nil {
			t.Fatal(err)
		}
		far, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		limited, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := p.a.host.Drain(limited); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("with a stream: %v", err)
		}
		if err := p.b.host.Drain(t.Context()); err != nil {
			t.Errorf("without one: %v", err)
		}
		go func() { near.Write([]byte("x")); near.Close() }()
		io.Copy(io.Discard, far)
		far.Close()
		began := time.Now()
		if err := p.a.host.Drain(t.Context()); err != nil || time.Since(began) > 5*time.Second {
			t.Errorf("when it has ended: %v, after %v", err, time.Since(began))
		}
	})
}
