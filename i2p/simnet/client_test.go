package simnet_test

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/i2cp"
	"github.com/onelease/onelease/i2p/simnet"
)

// A testClient is an I2CP session by hand, over nothing but the wire format.
// Its callbacks run on its reader's goroutine.
type testClient struct {
	t    *testing.T
	conn net.Conn
	keys *i2p.Keys

	onLeases  func(leases []i2p.Lease)
	onMessage func(p i2cp.Payload)

	mu       sync.Mutex
	id       uint16
	statuses []i2cp.Status
	states   []i2cp.SessionState
	requests [][]i2p.Lease
	replies  []i2cp.HostReply
	dates    []i2cp.SetDate
	reasons  []string
	ended    error
	endedAt  time.Time
}

// dial connects to the router and starts reading.
func dial(t *testing.T, r *simnet.Router, keys *i2p.Keys) *testClient {
	t.Helper()
	conn, err := r.DialI2CP(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	c := &testClient{t: t, conn: conn, keys: keys}
	if _, err := conn.Write([]byte{i2cp.ProtocolByte}); err != nil {
		t.Fatal(err)
	}
	return c
}

// open dials and creates a session with these options.
func open(t *testing.T, r *simnet.Router, keys *i2p.Keys, options i2p.Mapping) *testClient {
	t.Helper()
	c := dial(t, r, keys)
	c.start()
	c.create(options)
	return c
}

// start reads until the connection ends.
func (c *testClient) start() { go c.read() }

func (c *testClient) create(options i2p.Mapping) {
	config, err := i2cp.BuildSessionConfig(c.keys, c.keys.Destination, options, time.Now())
	if err != nil {
		c.t.Error(err)
		return
	}
	b, err := i2cp.AppendCreateSession(nil, config)
	c.write(b, err)
}

func (c *testClient) write(b []byte, err error) {
	if err != nil {
		c.t.Error(err)
		return
	}
	c.conn.Write(b)
}

func (c *testClient) read() {
	frames := i2cp.NewFrameReader(c.conn)
	var inflater i2cp.Inflater
	for {
		kind, body, err := frames.Next()
		if err != nil {
			c.mu.Lock()
			c.ended, c.endedAt = err, time.Now()
			c.mu.Unlock()
			return
		}
		c.handle(kind, body, &inflater)
	}
}

func (c *testClient) handle(kind i2cp.MessageType, body []byte, inflater *i2cp.Inflater) {
	switch kind {
	case i2cp.TypeRequestVariableLeaseSet:
		m, _ := i2cp.ParseRequestVariableLeaseSet(body)
		c.record(func() { c.requests = append(c.requests, m.Leases) })
		if c.onLeases != nil {
			c.onLeases(m.Leases)
		}
	case i2cp.TypeMessagePayload:
		m, _ := i2cp.ParseMessagePayload(body)
		if p, err := inflater.Parse(m.Payload); err != nil {
			c.t.Error(err)
		} else if c.onMessage != nil {
			c.onMessage(p)
		}
	default:
		c.record(func() { c.note(kind, body) })
	}
}

// note keeps what tests look at.
func (c *testClient) note(kind i2cp.MessageType, body []byte) {
	switch kind {
	case i2cp.TypeSessionStatus:
		m, _ := i2cp.ParseSessionStatus(body)
		c.id = m.Session
		c.states = append(c.states, m.State)
	case i2cp.TypeMessageStatus:
		m, _ := i2cp.ParseMessageStatus(body)
		c.statuses = append(c.statuses, m.Status)
	case i2cp.TypeHostReply:
		m, _ := i2cp.ParseHostReply(body)
		c.replies = append(c.replies, m)
	case i2cp.TypeSetDate:
		m, _ := i2cp.ParseSetDate(body)
		c.dates = append(c.dates, m)
	case i2cp.TypeDisconnect:
		m, _ := i2cp.ParseDisconnect(body)
		c.reasons = append(c.reasons, m.Reason)
	}
}

func (c *testClient) record(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

func (c *testClient) session() uint16 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.id
}

// install sends a signed LeaseSet.
func (c *testClient) install(leaseSet []byte, key *ecdh.PrivateKey) {
	m := i2cp.CreateLeaseSet2{
		Session:  c.session(),
		LeaseSet: leaseSet,
		Keys:     []i2cp.PrivateKey{{Type: i2p.CryptoX25519, Key: key.Bytes()}},
	}
	b, err := m.AppendFrame(nil)
	c.write(b, err)
}

func (c *testClient) send(to i2p.Destination, data []byte, nonce uint32) {
	m := i2cp.SendMessage{
		Session: c.session(),
		To:      to,
		Payload: i2cp.AppendPayload(nil, 0, 0, i2cp.ProtocolRaw, data),
		Nonce:   nonce,
	}
	b, err := m.AppendFrame(nil)
	c.write(b, err)
}

// newKeys makes a Destination.
func newKeys(t *testing.T) *i2p.Keys {
	t.Helper()
	keys, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// newX25519 makes an encryption key.
func newX25519() *ecdh.PrivateKey {
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}

// signLeases makes a LeaseSet that expires when its last lease does.
func signLeases(t *testing.T, keys *i2p.Keys, key *ecdh.PrivateKey, published time.Time, leases []i2p.Lease) []byte {
	t.Helper()
	ls := &i2p.LeaseSet2{
		Destination: keys.Destination,
		Published:   published.Truncate(time.Second),
		Keys:        []i2p.EncryptionKey{{Type: i2p.CryptoX25519, Key: key.PublicKey().Bytes()}},
		Leases:      leases,
	}
	ls.Expires = ls.Published
	for _, lease := range leases {
		if lease.End.After(ls.Expires) {
			ls.Expires = lease.End.Truncate(time.Second)
		}
	}
	raw, err := ls.Sign(keys)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// answerAlone installs at once, for every request, a LeaseSet of its leases.
func (c *testClient) answerAlone(key *ecdh.PrivateKey) {
	var last time.Time
	c.onLeases = func(leases []i2p.Lease) {
		published := time.Now().Truncate(time.Second)
		if !published.After(last) {
			published = last.Add(time.Second)
		}
		last = published
		c.install(signLeases(c.t, c.keys, key, published, leases), key)
	}
}

// is says whether err is, or wraps, want; nil is only nil.
func is(err, want error) bool {
	if want == nil {
		return err == nil
	}
	return errors.Is(err, want)
}
