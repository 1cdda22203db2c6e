package simnet_test

import (
	"crypto/ecdh"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/simnet"
)

// inNetwork runs f with one router of that make, in virtual time.
func inNetwork(t *testing.T, profile simnet.Profile, f func(t *testing.T, n *simnet.Network, r *simnet.Router)) {
	synctest.Test(t, func(t *testing.T) {
		n := simnet.New(simnet.Config{Seed: 1})
		defer n.Close()
		f(t, n, n.NewRouter(simnet.RouterConfig{Name: "r", Profile: profile}))
	})
}

// seen runs f with what the client has seen so far.
func (c *testClient) seen(f func()) {
	synctest.Wait()
	c.record(f)
}

// waitRequest waits for the n-th lease request and returns it and its time.
func (c *testClient) waitRequest(n int) []i2p.Lease {
	c.t.Helper()
	for range 60 * 1000 {
		var got []i2p.Lease
		c.record(func() {
			if len(c.requests) >= n {
				got = c.requests[n-1]
			}
		})
		if got != nil {
			return got
		}
		time.Sleep(time.Millisecond)
	}
	c.t.Fatal("no lease request within a minute")
	return nil
}

func TestUnansweredRequestEndsSession(t *testing.T) {
	inNetwork(t, simnet.I2PD258, func(t *testing.T, n *simnet.Network, r *simnet.Router) {
		c := open(t, r, newKeys(t), nil)
		c.waitRequest(1)
		asked := time.Now()
		time.Sleep(time.Minute)
		c.seen(func() {
			if len(c.requests) != 1 {
				t.Errorf("%d requests while the first was pending, want 1", len(c.requests))
			}
			if !errors.Is(c.ended, io.EOF) {
				t.Errorf("connection ended with %v, want EOF", c.ended)
			}
			if d := c.endedAt.Sub(asked); d < 9990*time.Millisecond || d > 10*time.Second {
				t.Errorf("connection ended after %v, want 10 s", d)
			}
		})
	})
}

func TestRequests(t *testing.T) {
	inNetwork(t, simnet.I2PD245, func(t *testing.T, n *simnet.Network, r *simnet.Router) {
		c := dial(t, r, newKeys(t))
		c.answerAlone(newX25519())
		c.start()
		c.create(i2p.Mapping{"inbound.quantity": "3", "inbound.length": "0"})
		time.Sleep(20 * time.Second)
		c.seen(func() {
			if len(c.requests) != 3 || len(c.requests[0]) != 1 || len(c.requests[2]) != 3 {
				t.Errorf("%d requests in 20 s, want 3, of 1, 2 and 3 leases", len(c.requests))
			}
		})
		time.Sleep(30 * time.Minute)
		c.seen(func() {
			if len(c.requests) < 9 || len(c.requests) > 16 {
				t.Errorf("%d requests in half an hour, want one per tunnel and 8.5 minutes", len(c.requests))
			}
			for _, leases := range c.requests {
				checkLeases(t, leases, 5)
			}
			if c.ended != nil {
				t.Errorf("ended: %v", c.ended)
			}
		})
	})
}

// checkLeases wants different gateways, ends in the future and not too many.
func checkLeases(t *testing.T, leases []i2p.Lease, most int) {
	t.Helper()
	if len(leases) > most {
		t.Errorf("%d leases, want at most quantity + 2", len(leases))
	}
	gateways := map[i2p.Hash]bool{}
	for _, lease := range leases {
		if gateways[lease.Gateway] {
			t.Errorf("two leases at one gateway")
		}
		gateways[lease.Gateway] = true
	}
}

// invalid are LeaseSets that i2pd drops in silence.
var invalid = map[string]func(keys *i2p.Keys, key *ecdh.PrivateKey, ls *i2p.LeaseSet2) (*i2p.Keys, *ecdh.PrivateKey){
	"another's signature": func(keys *i2p.Keys, key *ecdh.PrivateKey, ls *i2p.LeaseSet2) (*i2p.Keys, *ecdh.PrivateKey) {
		other, _ := i2p.GenerateKeys()
		return other, key
	},
	"expires too late": func(keys *i2p.Keys, key *ecdh.PrivateKey, ls *i2p.LeaseSet2) (*i2p.Keys, *ecdh.PrivateKey) {
		ls.Published = time.Now().Add(100 * time.Second)
		ls.Expires = time.Now().Add(12*time.Minute + 2*time.Second)
		return keys, key
	},
	"lease ends too late": func(keys *i2p.Keys, key *ecdh.PrivateKey, ls *i2p.LeaseSet2) (*i2p.Keys, *ecdh.PrivateKey) {
		ls.Leases[0].End = time.Now().Add(12*time.Minute + 2*time.Second)
		return keys, key
	},
	"published too long ago": func(keys *i2p.Keys, key *ecdh.PrivateKey, ls *i2p.LeaseSet2) (*i2p.Keys, *ecdh.PrivateKey) {
		ls.Published = time.Now().Add(-12*time.Minute - 2*time.Second)
		ls.Expires = ls.Published.Add(660 * time.Second)
		return keys, key
	},
	"another private key": func(keys *i2p.Keys, key *ecdh.PrivateKey, ls *i2p.LeaseSet2) (*i2p.Keys, *ecdh.PrivateKey) {
		return keys, newX25519()
	},
	"of another Destination": func(keys *i2p.Keys, key *ecdh.PrivateKey, ls *i2p.LeaseSet2) (*i2p.Keys, *ecdh.PrivateKey) {
		other, _ := i2p.GenerateKeys()
		ls.Destination = other.Destination
		return other, key
	},
}

// installBroken installs a LeaseSet that spoil has made invalid.
func (c *testClient) installBroken(leases []i2p.Lease, spoil func(*i2p.Keys, *ecdh.PrivateKey, *i2p.LeaseSet2) (*i2p.Keys, *ecdh.PrivateKey)) {
	key := newX25519()
	now := time.Now().Truncate(time.Second)
	ls := &i2p.LeaseSet2{Destination: c.keys.Destination, Published: now, Expires: now.Add(10 * time.Minute),
		Keys: []i2p.EncryptionKey{{Type: i2p.CryptoX25519, Key: key.PublicKey().Bytes()}}, Leases: leases}
	signer, private := spoil(c.keys, key, ls)
	raw, err := ls.Sign(signer)
	if err != nil {
		c.t.Fatal(err)
	}
	c.install(raw, private)
}

func TestInvalidLeaseSetIsNoAnswer(t *testing.T) {
	for name, spoil := range invalid {
		t.Run(name, func(t *testing.T) {
			inNetwork(t, simnet.I2PD258, func(t *testing.T, n *simnet.Network, r *simnet.Router) {
				c := open(t, r, newKeys(t), nil)
				leases := c.waitRequest(1)
				asked := time.Now()
				time.Sleep(4 * time.Second)
				c.installBroken(leases, spoil)
				time.Sleep(time.Minute)
				c.seen(func() {
					if d := c.endedAt.Sub(asked); d < 9990*time.Millisecond || d > 10*time.Second {
						t.Errorf("connection ended after %v (%v), want 10 s after the request", d, c.ended)
					}
				})
				if s := r.Stats(); s.Invalid != 1 {
					t.Errorf("%d invalid LeaseSets counted, want 1", s.Invalid)
				}
			})
		})
	}
}

func TestUnaskedLeaseSetAnswers(t *testing.T) {
	inNetwork(t, simnet.I2PD258, func(t *testing.T, n *simnet.Network, r *simnet.Router) {
		c := open(t, r, newKeys(t), i2p.Mapping{"inbound.quantity": "1"})
		leases := c.waitRequest(1)
		key := newX25519()
		for i := range 5 { // one asked for, four not
			c.install(signLeases(t, c.keys, key, time.Now().Add(time.Duration(i)*time.Second), leases), key)
		}
		time.Sleep(time.Minute)
		c.seen(func() {
			if c.ended != nil {
				t.Errorf("ended: %v", c.ended)
			}
		})
	})
}

func TestJavaPatienceAndDisconnect(t *testing.T) {
	inNetwork(t, simnet.JavaI2P, func(t *testing.T, n *simnet.Network, r *simnet.Router) {
		c := open(t, r, newKeys(t), nil)
		c.waitRequest(1)
		asked := time.Now()
		time.Sleep(10 * time.Minute)
		c.seen(func() {
			if d := c.endedAt.Sub(asked).Round(time.Second); d != 6*time.Minute || len(c.reasons) != 1 {
				t.Errorf("ended after %v, %q; want 6 min and a Disconnect", d, c.reasons)
			}
		})
		c = open(t, r, newKeys(t), nil)
		c.installBroken(c.waitRequest(1), invalid["another private key"])
		time.Sleep(time.Second)
		c.seen(func() {
			if c.ended == nil || len(c.reasons) != 1 {
				t.Errorf("an invalid LeaseSet: ended %v, %q; want a Disconnect", c.ended, c.reasons)
			}
		})
	})
}
