package test

import (
	"crypto/ecdh"
	"crypto/rand"
	"net"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/i2cp"
)

// TestBadLeaseSets has I2CP clients of other Destinations on a member's router
// that install what is not theirs to install, or not signed.
func TestBadLeaseSets(t *testing.T) {
	whileServing(t, func(v *target) {
		for _, test := range []struct {
			name  string
			spoil func(ls *i2p.LeaseSet2, signed []byte) []byte
			said  string // by the router, empty if it takes the LeaseSet
		}{
			{"good", func(_ *i2p.LeaseSet2, signed []byte) []byte { return signed }, ""},
			{"a bad signature", func(_ *i2p.LeaseSet2, signed []byte) []byte {
				signed[len(signed)-1] ^= 1
				return signed
			}, "signature"},
			{"a lease that was not signed", func(ls *i2p.LeaseSet2, signed []byte) []byte {
				signed[len(signed)-64-4] ^= 1 // the last lease's end
				return signed
			}, "signature"},
			{"of the target", func(ls *i2p.LeaseSet2, signed []byte) []byte {
				// The target's LeaseSet, one hour newer, with the signature that it had.
				raw, _ := v.network.Lookup(v.keys.Destination.Hash())
				raw[391+2] ^= 0x10
				return raw
			}, "signature"},
			{"of the target, signed by another", func(ls *i2p.LeaseSet2, signed []byte) []byte {
				raw, _ := v.network.Lookup(v.keys.Destination.Hash())
				theirs, _, _ := i2p.ParseLeaseSet2(raw)
				theirs.Destination = ls.Destination
				body, _ := theirs.Sign(newKeys(t))
				copy(body, v.keys.Destination.Bytes())
				return body
			}, "signature"},
			{"of the target, as it is", func(ls *i2p.LeaseSet2, signed []byte) []byte {
				raw, _ := v.network.Lookup(v.keys.Destination.Hash())
				return raw
			}, "another Destination"},
		} {
			v.installBad(test.name, test.spoil, test.said)
		}
	})
}

// installBad opens a session, and answers the router's first request with what
// spoil makes of a good LeaseSet. A router of i2pd's make drops a bad one in
// silence, and the session after 10 s without a good one.
func (v *target) installBad(name string, spoil func(*i2p.LeaseSet2, []byte) []byte, said string) {
	v.t.Helper()
	keys, router := newKeys(v.t), v.network.Router("a")
	invalid, logged := router.Stats().Invalid, len(v.log.String())
	conn := v.openSession(keys)
	defer conn.Close()
	frames := i2cp.NewFrameReader(conn)
	request := v.awaitRequest(frames)
	conn.Write(v.leaseSetFrame(keys, request, spoil))
	ended := endsWithin(conn, frames, 11*time.Second)
	_, found := v.network.Lookup(keys.Destination.Hash())
	taken := said == ""
	if found != taken || ended == taken || (router.Stats().Invalid == invalid) != taken {
		v.t.Errorf("%s: in the netDB %v, session ended %v, %d were invalid",
			name, found, ended, router.Stats().Invalid-invalid)
	}
	if !taken {
		v.expect(name, v.log.String()[logged:], "LeaseSet dropped", said)
	}
}

// openSession asks member a's router for a session.
func (v *target) openSession(keys *i2p.Keys) net.Conn {
	v.t.Helper()
	conn, err := v.network.Router("a").DialI2CP(v.t.Context())
	if err != nil {
		v.t.Fatal(err)
	}
	config, err := i2cp.BuildSessionConfig(keys, keys.Destination, nil, time.Now())
	if err != nil {
		v.t.Fatal(err)
	}
	create, err := i2cp.AppendCreateSession([]byte{i2cp.ProtocolByte}, config)
	if err != nil {
		v.t.Fatal(err)
	}
	conn.Write(create)
	return conn
}

// leaseSetFrame answers a request with a LeaseSet of keys, spoiled.
func (v *target) leaseSetFrame(keys *i2p.Keys, request i2cp.RequestVariableLeaseSet, spoil func(*i2p.LeaseSet2, []byte) []byte) []byte {
	v.t.Helper()
	private, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		v.t.Fatal(err)
	}
	ls := &i2p.LeaseSet2{
		Destination: keys.Destination,
		Published:   time.Now().Truncate(time.Second),
		Expires:     time.Now().Truncate(time.Second).Add(5 * time.Minute),
		Keys:        []i2p.EncryptionKey{{Type: i2p.CryptoX25519, Key: private.PublicKey().Bytes()}},
		Leases:      request.Leases,
	}
	signed, err := ls.Sign(keys)
	if err != nil {
		v.t.Fatal(err)
	}
	b, err := i2cp.CreateLeaseSet2{
		Session: request.Session, LeaseSet: spoil(ls, signed),
		Keys: []i2cp.PrivateKey{{Type: i2p.CryptoX25519, Key: private.Bytes()}},
	}.AppendFrame(nil)
	if err != nil {
		v.t.Fatal(err)
	}
	return b
}

// awaitRequest reads up to the router's first request for a LeaseSet.
func (v *target) awaitRequest(frames *i2cp.FrameReader) i2cp.RequestVariableLeaseSet {
	v.t.Helper()
	for {
		kind, body, err := frames.Next()
		if err != nil {
			v.t.Fatal(err)
		}
		if kind == i2cp.TypeRequestVariableLeaseSet {
			m, err := i2cp.ParseRequestVariableLeaseSet(body)
			if err != nil {
				v.t.Fatal(err)
			}
			return m
		}
	}
}

// endsWithin reports whether the router ends the connection in that time.
func endsWithin(conn net.Conn, frames *i2cp.FrameReader, d time.Duration) bool {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			if _, _, err := frames.Next(); err != nil {
				return
			}
		}
	}()
	select {
	case <-ended:
		return true
	case <-time.After(d):
		conn.Close()
		<-ended
		return false
	}
}
