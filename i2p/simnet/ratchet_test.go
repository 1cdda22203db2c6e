package simnet_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/i2cp"
	"github.com/onelease/onelease/i2p/simnet"
)

// ready makes remotes of that make that count what they get, ready to talk.
func ready(n *simnet.Network, profile simnet.Profile, count int) ([]*simnet.Remote, []int) {
	got := make([]int, count)
	var remotes []*simnet.Remote
	for i := range count {
		remotes = append(remotes, n.NewRemote(simnet.RemoteConfig{Profile: profile, Published: true,
			OnMessage: func(i2cp.Payload) { got[i]++ }}))
	}
	time.Sleep(30 * time.Second)
	return remotes, got
}

func say(t *testing.T, from, to *simnet.Remote) {
	t.Helper()
	if err := from.Send(to.Destination().Hash(), 0, 0, i2cp.ProtocolRaw, []byte("x")); err != nil {
		t.Fatal(err)
	}
}

// TestNewSessionsTooOften starts many sessions with one Destination at once.
func TestNewSessionsTooOften(t *testing.T) {
	for _, c := range []struct {
		profile simnet.Profile
		want    int
	}{{simnet.I2PD245, 6}, {simnet.I2PD258, 1}} {
		t.Run(c.profile.Name, func(t *testing.T) {
			inNetwork(t, c.profile, func(t *testing.T, n *simnet.Network, _ *simnet.Router) {
				remotes, got := ready(n, c.profile, 7)
				for _, from := range remotes[1:] {
					say(t, from, remotes[0])
				}
				time.Sleep(time.Minute)
				synctest.Wait()
				if got[0] != c.want {
					t.Errorf("%d of 6 simultaneous new sessions got through, want %d", got[0], c.want)
				}
			})
		})
	}
}

// TestUntilReply sends five messages before the other side answers.
func TestUntilReply(t *testing.T) {
	for _, c := range []struct {
		profile     simnet.Profile
		before, all int
	}{{simnet.I2PD245, 5, 10}, {simnet.I2PD258, 1, 6}} {
		t.Run(c.profile.Name, func(t *testing.T) {
			inNetwork(t, c.profile, func(t *testing.T, n *simnet.Network, _ *simnet.Router) {
				remotes, got := ready(n, c.profile, 2)
				five := func() {
					for range 5 {
						say(t, remotes[0], remotes[1])
						time.Sleep(time.Second)
					}
					synctest.Wait()
				}
				if five(); got[1] != c.before {
					t.Errorf("%d of 5 came before the reply, want %d", got[1], c.before)
				}
				say(t, remotes[1], remotes[0])
				time.Sleep(time.Second)
				if five(); got[1] != c.all || got[0] != 1 {
					t.Errorf("%d of 10 came in all, want %d", got[1], c.all)
				}
			})
		})
	}
}

// TestOldKeyIsNotHeld rotates a service's key under a remote that knows the
// old LeaseSet.
func TestOldKeyIsNotHeld(t *testing.T) {
	inNetwork(t, simnet.I2PD245, func(t *testing.T, n *simnet.Network, r *simnet.Router) {
		h := newHolder(t, r, i2p.Mapping{})
		came := 0
		h.onMessage = func(i2cp.Payload) { came++ }
		h.push(time.Now())
		remotes, _ := ready(n, simnet.I2PD245, 1)
		send := func() {
			remotes[0].Send(h.hash(), 0, 0, i2cp.ProtocolRaw, []byte("x"))
			time.Sleep(time.Second)
			synctest.Wait()
		}
		if send(); came != 1 {
			t.Fatalf("%d messages came with the first key", came)
		}
		h.push(time.Now())
		if send(); came != 1 || r.Stats().Lost[simnet.LostWrongKey] != 1 {
			t.Errorf("%d messages came, lost %v: want the new session for the old key to be dropped", came, r.Stats().Lost)
		}
	})
}

// TestBundledOnlyIfNewer has a router bundle a LeaseSet older than what the
// remote knows.
func TestBundledOnlyIfNewer(t *testing.T) {
	inNetwork(t, simnet.I2PD245, func(t *testing.T, n *simnet.Network, r *simnet.Router) {
		h := newHolder(t, r, i2p.Mapping{})
		published := h.push(time.Now())
		remotes, got := ready(n, simnet.I2PD245, 1)
		remotes[0].Send(h.hash(), 0, 0, i2cp.ProtocolRaw, []byte("x"))
		time.Sleep(time.Second)
		for _, c := range []struct {
			at    time.Time
			taken bool
		}{{time.Now().Add(-5 * time.Minute), false}, {time.Now(), true}} {
			key := newX25519()
			raw := signLeases(t, h.keys, key, c.at, capped(h.leases, 5*time.Minute))
			h.install(raw, key)
			for range 2 { // the first is a reply to the new session, which brings no LeaseSet unless it is due
				h.send(remotes[0].Destination(), []byte("y"), 0)
				time.Sleep(time.Second)
			}
			want := published
			if c.taken {
				want = raw
			}
			if known, _ := remotes[0].LeaseSet(h.hash()); string(known) != string(want) {
				t.Errorf("published at %v: taken %v, want %v", c.at, !c.taken, c.taken)
			}
		}
		synctest.Wait()
		if got[0] != 4 {
			t.Errorf("%d of 4 messages came", got[0])
		}
	})
}

// TestSendErrors asks for what a remote cannot do.
func TestSendErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := simnet.New(simnet.Config{})
		r := n.NewRemote(simnet.RemoteConfig{})
		for _, c := range []struct {
			change func()
			size   int
			want   error
		}{
			{func() {}, 1, simnet.ErrNotReady},
			{func() { time.Sleep(time.Minute) }, 1, nil},
			{func() {}, i2cp.MaxData + 1, i2cp.ErrTooBig},
			{func() { r.Router().Freeze() }, 1, simnet.ErrRouterDown},
			{func() { r.Router().Kill() }, 1, simnet.ErrRouterDown},
			{func() { r.Router().Restart(); time.Sleep(time.Minute) }, 1, nil},
			{func() { r.Close() }, 1, simnet.ErrClosed},
			{func() { n.Close() }, 1, simnet.ErrClosed},
		} {
			c.change()
			if err := r.Send(i2p.Hash{1}, 0, 0, 18, make([]byte, c.size)); !is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		}
	})
}
