package i2cp

import (
	"bytes"
	"crypto/ecdh"
	"errors"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p"
)

func TestInstallOrder(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		signed, keys := leaseSet(t, time.Now(), nil)
		if err := r.InstallLeaseSet(signed, keys); err != ErrNoSession {
			r.Errorf("before a session: %v", err)
		}
		end := r.establish()
		if err := r.InstallLeaseSet(signed, keys); err != ErrTooEarly {
			r.Errorf("before a request: %v", err)
		}
		end.send(RequestVariableLeaseSet{testSession, testLeases()})
		if leases := next[[]i2p.Lease](r); len(leases) != 1 || leases[0].Tunnel != 2 {
			r.Errorf("leases %+v", leases)
		}
		r.installs(end, signed, keys)
		r.installs(end, signed, keys) // the same, as it was: fine
		newer, _ := leaseSet(t, time.Now().Add(time.Second), nil)
		r.installs(end, newer, keys) // unasked: fine
		if err := r.InstallLeaseSet(signed, keys); !errors.Is(err, ErrNotNewer) {
			r.Errorf("an older one: %v", err)
		}
		twin, _ := leaseSet(t, time.Now().Add(time.Second), func(ls *i2p.LeaseSet2) { ls.Leases = nil })
		if err := r.InstallLeaseSet(twin, keys); !errors.Is(err, ErrNotNewer) {
			r.Errorf("another of the same second: %v", err)
		}
		end.conn.Close()
		next[down](r)
		end = r.ready()
		if err := r.InstallLeaseSet(signed, keys); !errors.Is(err, ErrNotNewer) {
			r.Errorf("an older one after a reconnect: %v", err)
		}
		r.installs(end, newer, keys) // the last, to answer a new connection
	})
}

// The 10 s of a router run for each connection anew, so that a LeaseSet before
// its first request is refused again after a reconnect.
func TestInstallTooEarlyAgain(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		r.ready().conn.Close()
		next[down](r)
		r.establish()
		signed, keys := leaseSet(t, time.Now(), nil)
		if err := r.InstallLeaseSet(signed, keys); err != ErrTooEarly {
			r.Errorf("before the second connection's request: %v", err)
		}
	})
}

// installs installs a LeaseSet that has to arrive.
func (r *rig) installs(end *routerEnd, signed []byte, keys []PrivateKey) {
	r.Helper()
	if err := r.InstallLeaseSet(signed, keys); err != nil {
		r.Fatal(err)
	}
	m, err := ParseCreateLeaseSet2(end.expect(TypeCreateLeaseSet2))
	if err != nil || !bytes.Equal(m.LeaseSet, signed) {
		r.Fatalf("router got %+v, %v", m, err)
	}
}

// life sets the dates of a LeaseSet relative to now.
func life(now time.Time, published, expires time.Duration) func(*i2p.LeaseSet2) {
	return func(ls *i2p.LeaseSet2) { ls.Published, ls.Expires = now.Add(published), now.Add(expires) }
}

func TestCheckLeaseSet(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	other, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		change func(*i2p.LeaseSet2)
		spoil  func(signed []byte, keys []PrivateKey) ([]byte, []PrivateKey)
		good   bool
	}{
		{name: "good", good: true},
		{name: "no leases", change: func(ls *i2p.LeaseSet2) { ls.Leases = nil }, good: true},
		{name: "expires in 12 minutes", change: life(now, 2*time.Minute, 12*time.Minute), good: true},
		{name: "expires later", change: life(now, 2*time.Minute, 12*time.Minute+time.Second)},
		{name: "expires in a second", change: life(now, -10*time.Minute, time.Second), good: true},
		{name: "expired", change: life(now, -10*time.Minute, 0)},
		{name: "lease ends in 12 minutes", change: func(ls *i2p.LeaseSet2) { ls.Leases[0].End = now.Add(12 * time.Minute) }, good: true},
		{name: "lease ends later", change: func(ls *i2p.LeaseSet2) { ls.Leases[0].End = now.Add(12*time.Minute + time.Second) }},
		{name: "another public key", change: func(ls *i2p.LeaseSet2) { ls.Keys[0].Key = make([]byte, 32) }},
		{name: "another type of key", spoil: func(b []byte, k []PrivateKey) ([]byte, []PrivateKey) { k[0].Type = i2p.CryptoElGamal; return b, k }},
		{name: "too few private keys", spoil: func(b []byte, k []PrivateKey) ([]byte, []PrivateKey) { return b, nil }},
		{name: "short private key", spoil: func(b []byte, k []PrivateKey) ([]byte, []PrivateKey) { k[0].Key = k[0].Key[:31]; return b, k }},
		{name: "bad signature", spoil: func(b []byte, k []PrivateKey) ([]byte, []PrivateKey) { b[len(b)-1] ^= 1; return b, k }},
		{name: "changed", spoil: func(b []byte, k []PrivateKey) ([]byte, []PrivateKey) { b[395] ^= 1; return b, k }},
		{name: "cut short", spoil: func(b []byte, k []PrivateKey) ([]byte, []PrivateKey) { return b[:len(b)-1], k }},
		{name: "too long", spoil: func(b []byte, k []PrivateKey) ([]byte, []PrivateKey) { return append(b, 0), k }},
		{name: "empty", spoil: func(b []byte, k []PrivateKey) ([]byte, []PrivateKey) { return nil, k }},
	} {
		signed, keys := leaseSet(t, now, func(ls *i2p.LeaseSet2) {
			ls.Leases = []i2p.Lease{{End: now.Add(5 * time.Minute)}}
			if c.change != nil {
				c.change(ls)
			}
		})
		if c.spoil != nil {
			signed, keys = c.spoil(signed, keys)
		}
		_, err := checkLeaseSet(signed, keys, testKeys.Destination, now)
		if c.good != (err == nil) || err != nil && !errors.Is(err, ErrInvalidLeaseSet) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	signed, keys := leaseSet(t, now, func(ls *i2p.LeaseSet2) { ls.Leases = nil })
	if _, err := checkLeaseSet(signed, keys, other.Destination, now); !errors.Is(err, ErrInvalidLeaseSet) {
		t.Errorf("another Destination: %v", err)
	}
}

// It is the router's clock that counts.
func TestInstallByRouterClock(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		end := r.ready()
		signed, keys := leaseSet(t, time.Now(), nil)
		end.send(SetDate{time.Now().Add(20 * time.Minute), Version})
		end.send(RequestVariableLeaseSet{testSession, testLeases()}) // the date is in before it
		next[[]i2p.Lease](r)
		if err := r.InstallLeaseSet(signed, keys); !errors.Is(err, ErrInvalidLeaseSet) {
			r.Errorf("the router takes it for expired: %v", err)
		}
	})
}

func TestPrivateKeyIsNotPrinted(t *testing.T) {
	private, err := ecdh.X25519().NewPrivateKey(bytes.Repeat([]byte{0x41}, 32))
	if err != nil {
		t.Fatal(err)
	}
	key := PrivateKey{i2p.CryptoX25519, private.Bytes()}
	for _, s := range []string{key.String(), key.GoString()} {
		if bytes.Contains([]byte(s), []byte("AAAA")) || bytes.Contains([]byte(s), []byte("65 65")) {
			t.Errorf("%q tells the key", s)
		}
	}
}
