package simnet_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/i2cp"
	"github.com/onelease/onelease/i2p/simnet"
)

// A keeping is a holder and a remote with an established session.
type keeping struct {
	t      *testing.T
	h      *holder
	remote *simnet.Remote
	came   atomic.Int64 // at the holder
}

func newKeeping(t *testing.T, n *simnet.Network, r *simnet.Router, keeps bool) *keeping {
	k := &keeping{t: t, h: newHolder(t, r, i2p.Mapping{})}
	k.h.onMessage = func(i2cp.Payload) { k.came.Add(1) }
	k.h.push(time.Now())
	k.remote = n.NewRemote(simnet.RemoteConfig{Profile: r.Profile(), Published: true, KeepsSession: keeps})
	time.Sleep(30 * time.Second)
	for range 2 {
		k.ask()
		k.answer(i2cp.ProtocolRaw, []byte("x"))
	}
	return k
}

// ask says whether a message of the remote arrives.
func (k *keeping) ask() bool {
	k.t.Helper()
	before := k.came.Load()
	if err := k.remote.Send(k.h.hash(), 0, 0, i2cp.ProtocolRaw, []byte("x")); err != nil {
		k.t.Fatal(err)
	}
	time.Sleep(250 * time.Millisecond)
	synctest.Wait()
	return k.came.Load() > before
}

func (k *keeping) answer(protocol uint8, data []byte) {
	payload := i2cp.AppendPayload(nil, 0, 0, protocol, data)
	k.h.write(i2cp.SendMessage{Session: k.h.session(), To: k.remote.Destination(), Payload: payload}.AppendFrame(nil))
	time.Sleep(250 * time.Millisecond)
}

// begun is how many sessions the remote has begun.
func (k *keeping) begun() uint64 { return k.remote.Router().Stats().NewSessions }

// TestKeptSession rotates the key and lets the remote know. One that keeps its
// session begins another only for the answer to a ping. Others begin one with
// each message, as the holder answers on the session that it has.
func TestKeptSession(t *testing.T) {
	for keeps, want := range map[bool][3]uint64{false: {1, 2, 3}, true: {0, 1, 1}} {
		inNetwork(t, simnet.I2PD245, func(t *testing.T, n *simnet.Network, r *simnet.Router) {
			k := newKeeping(t, n, r, keeps)
			before := k.begun()
			k.h.push(time.Now())
			k.answer(i2cp.ProtocolRaw, []byte("x")) // brings the LeaseSet
			var got [3]uint64
			arrived := k.ask()
			got[0] = k.begun() - before
			k.answer(i2cp.ProtocolStreaming, newPing(t, k.h.keys))
			got[1] = k.begun() - before
			k.answer(i2cp.ProtocolRaw, []byte("x"))
			arrived = k.ask() && arrived
			got[2] = k.begun() - before
			if got != want || !arrived {
				t.Errorf("keeps %v: begun %v sessions after a message, a ping and a message, want %v; arrived %v", keeps, got, want, arrived)
			}
		})
	}
}

// TestKeptLease has the remote's messages go unanswered and measures until it
// gives its lease up, for one of many that lead nowhere.
func TestKeptLease(t *testing.T) {
	for _, c := range []struct {
		profile     simnet.Profile
		keeps       bool
		least, most time.Duration
	}{
		{simnet.I2PD245, false, 24 * time.Second, 30 * time.Second},
		{simnet.I2PD245, true, 9 * time.Second, 11 * time.Second},
		{simnet.I2PD258, false, 23 * time.Second, 26 * time.Second},
		{simnet.I2PD258, true, 16 * time.Second, 19 * time.Second},
	} {
		inNetwork(t, c.profile, func(t *testing.T, n *simnet.Network, r *simnet.Router) {
			k := newKeeping(t, n, r, c.keeps)
			for i := range i2p.MaxLeases - 1 {
				k.h.leases = append(k.h.leases, i2p.Lease{Gateway: i2p.Hash{byte(i)}, Tunnel: 1, End: k.h.leases[0].End})
			}
			k.h.install(signLeases(t, k.h.keys, k.h.key, time.Now(), k.h.leases), k.h.key)
			k.answer(i2cp.ProtocolRaw, []byte("x"))
			begin := time.Now()
			for k.ask() && time.Since(begin) < time.Minute {
			}
			after := time.Since(begin)
			t.Logf("%s, keeps %v: another lease after %v", c.profile.Name, c.keeps, after)
			if after < c.least || after > c.most {
				t.Errorf("%s, keeps %v: another lease after %v, want %v to %v", c.profile.Name, c.keeps, after, c.least, c.most)
			}
		})
	}
}
