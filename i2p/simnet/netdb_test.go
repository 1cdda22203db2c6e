package simnet_test

import (
	"bytes"
	"crypto/ecdh"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/simnet"
)

// A holder is a client whose LeaseSets the test installs by hand, unasked.
type holder struct {
	*testClient
	leases []i2p.Lease
	key    *ecdh.PrivateKey // of the last push
}

// newHolder has been asked for its first LeaseSet.
func newHolder(t *testing.T, r *simnet.Router, options i2p.Mapping) *holder {
	h := &holder{testClient: dial(t, r, newKeys(t))}
	options["inbound.quantity"] = "1"
	h.start()
	h.create(options)
	h.leases = h.waitRequest(1)
	return h
}

// push installs a LeaseSet published at that time, or later if it has to be.
func (h *holder) push(at time.Time) []byte {
	h.key = newX25519()
	raw := signLeases(h.t, h.keys, h.key, at, h.leases)
	h.install(raw, h.key)
	return raw
}

func (h *holder) hash() i2p.Hash { return h.keys.Destination.Hash() }

// held says whether the netDB holds exactly raw.
func held(n *simnet.Network, h i2p.Hash, raw []byte) bool {
	got, ok := n.Lookup(h)
	return ok && bytes.Equal(got, raw)
}

func TestVerifyByBytesRepublishes(t *testing.T) {
	inNetwork(t, simnet.I2PD258, func(t *testing.T, n *simnet.Network, r *simnet.Router) {
		h := newHolder(t, r, i2p.Mapping{})
		mine := h.push(time.Now())
		time.Sleep(30 * time.Second)
		// Another publisher of the same Destination has other bytes, older.
		other := &holder{testClient: dial(t, n.NewRouter(simnet.RouterConfig{}), h.keys)}
		other.start()
		other.create(i2p.Mapping{"inbound.quantity": "1"})
		other.leases = other.waitRequest(1)
		other.push(time.Now().Add(-time.Minute))
		time.Sleep(5 * time.Minute)
		s := n.Stats()
		if s.Refused < 2 || s.Publishes != 1 {
			t.Errorf("%d published and %d refused in 5 minutes, want the other to try again and again", s.Publishes, s.Refused)
		}
		if !held(n, h.hash(), mine) {
			t.Error("an older LeaseSet took the place of the newer")
		}
	})
}

func TestNetDBTakesOnlyNewer(t *testing.T) {
	inNetwork(t, simnet.I2PD258, func(t *testing.T, n *simnet.Network, r *simnet.Router) {
		h := newHolder(t, r, i2p.Mapping{})
		begin := time.Now()
		first := h.push(begin)
		time.Sleep(25 * time.Second)
		h.push(time.Now().Add(2*time.Minute + 10*time.Second))
		time.Sleep(time.Second)
		if !held(n, h.hash(), first) {
			t.Error("one from more than 2 minutes ahead was taken")
		}
		time.Sleep(25 * time.Second)
		newer := h.push(time.Now())
		time.Sleep(22 * time.Second) // the refused one may be waiting to be tried again
		if !held(n, h.hash(), newer) {
			t.Error("a newer one was not taken")
		}
		for _, f := range n.Floodfills()[:2] {
			f.SetDown(true)
		}
		if !held(n, h.hash(), newer) {
			t.Error("not flooded: gone with two floodfills")
		}
		time.Sleep(11 * time.Minute)
		if _, ok := n.Lookup(h.hash()); ok {
			t.Error("still there after it expired")
		}
	})
}

func TestDontPublish(t *testing.T) {
	for _, c := range []struct {
		profile simnet.Profile
		value   string
		want    bool
	}{
		{simnet.I2PD245, "true", false}, {simnet.I2PD245, "false", true},
		{simnet.I2PD258, "true", true}, {simnet.I2PD258, "false", false},
		{simnet.JavaI2P, "true", false}, {simnet.JavaI2P, "false", true},
	} {
		t.Run(c.profile.Name+" "+c.value, func(t *testing.T) {
			inNetwork(t, c.profile, func(t *testing.T, n *simnet.Network, r *simnet.Router) {
				h := newHolder(t, r, i2p.Mapping{"i2cp.dontPublishLeaseSet": c.value})
				h.push(time.Now())
				time.Sleep(10 * time.Second)
				if _, ok := n.Lookup(h.hash()); ok != c.want {
					t.Errorf("published: %v, want %v", ok, c.want)
				}
			})
		})
	}
}

func TestUnpublishedFlagErases(t *testing.T) {
	inNetwork(t, simnet.I2PD258, func(t *testing.T, n *simnet.Network, r *simnet.Router) {
		h := newHolder(t, r, i2p.Mapping{})
		h.push(time.Now())
		time.Sleep(25 * time.Second)
		key := newX25519()
		ls := &i2p.LeaseSet2{Destination: h.keys.Destination, Published: time.Now(), Expires: time.Now().Add(time.Minute),
			Flags: i2p.FlagUnpublished, Keys: []i2p.EncryptionKey{{Type: i2p.CryptoX25519, Key: key.PublicKey().Bytes()}}}
		raw, err := ls.Sign(h.keys)
		if err != nil {
			t.Fatal(err)
		}
		h.install(raw, key)
		time.Sleep(time.Second)
		if f := closest(n, h.hash()); f != nil {
			if _, ok := f.Lookup(h.hash()); ok {
				t.Error("the flag did not erase the entry")
			}
		}
	})
}

// closest is the floodfill that is asked first.
func closest(n *simnet.Network, key i2p.Hash) *simnet.Floodfill {
	var best *simnet.Floodfill
	var least i2p.Hash
	for _, f := range n.Floodfills() {
		d := f.Hash()
		for i := range d {
			d[i] ^= key[i]
		}
		if best == nil || bytes.Compare(d[:], least[:]) < 0 {
			best, least = f, d
		}
	}
	return best
}

func TestFailedFirstPublish(t *testing.T) {
	for _, c := range []struct {
		profile simnet.Profile
		retried bool
	}{{simnet.I2PD245, false}, {simnet.I2PD258, true}} {
		t.Run(c.profile.Name, func(t *testing.T) {
			inNetwork(t, c.profile, func(t *testing.T, n *simnet.Network, r *simnet.Router) {
				h := newHolder(t, r, i2p.Mapping{})
				if !r.FailNextPublish(h.hash()) {
					t.Fatal("no such Destination")
				}
				h.push(time.Now())
				time.Sleep(time.Minute)
				if _, ok := n.Lookup(h.hash()); ok != c.retried {
					t.Errorf("published within a minute: %v, want %v", ok, c.retried)
				}
			})
		})
	}
}

func TestLookupOnlyOfPublished(t *testing.T) {
	inNetwork(t, simnet.I2PD258, func(t *testing.T, n *simnet.Network, r *simnet.Router) {
		public := n.NewRemote(simnet.RemoteConfig{Published: true})
		private := n.NewRemote(simnet.RemoteConfig{})
		time.Sleep(30 * time.Second)
		if err := private.Send(public.Destination().Hash(), 1, 2, 18, []byte("x")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if _, ok := n.Lookup(private.Destination().Hash()); ok {
			t.Error("the netDB has a LeaseSet that nobody published")
		}
		if _, ok := public.LeaseSet(private.Destination().Hash()); !ok {
			t.Error("the bundled LeaseSet did not reach whom it was bundled to")
		}
	})
}
