package i2cp_test

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/i2cp"
)

// A party is a Client with keys of its own that answers each request for a
// LeaseSet at once.
type party struct {
	*i2cp.Client
	t       *testing.T
	addr    string
	record  string
	keys    *i2p.Keys
	private *ecdh.PrivateKey // of the LeaseSets' encryption key
	mute    atomic.Bool      // does not answer requests

	mu        sync.Mutex
	leases    []i2p.Lease
	published time.Time

	done     chan error
	served   atomic.Bool    // the session has a LeaseSet
	ups      chan time.Time // the first LeaseSet of each session
	downs    chan error
	asked    chan time.Time
	messages chan i2cp.Payload
	statuses chan i2cp.MessageStatus
}

func newParty(t *testing.T, addr, record string) *party {
	keys, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	private, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &party{
		t: t, addr: addr, record: record, keys: keys, private: private,
		done: make(chan error, 1), ups: make(chan time.Time, 100), downs: make(chan error, 100),
		asked: make(chan time.Time, 100), messages: make(chan i2cp.Payload, 1000), statuses: make(chan i2cp.MessageStatus, 1000),
	}
}

// config is a signed configuration with short tunnels, which build soon.
func (p *party) config(more i2p.Mapping) ([]byte, error) {
	options := i2cp.SessionOptions()
	maps.Copy(options, i2p.Mapping{
		"inbound.length": "1", "outbound.length": "1", "inbound.quantity": "3", "outbound.quantity": "3",
	})
	maps.Copy(options, more)
	return i2cp.BuildSessionConfig(p.keys, p.keys.Destination, options, time.Now())
}

// start runs the client until the test ends.
func (p *party) start() {
	cfg := i2cp.Config{
		Addr:         p.addr,
		SignedConfig: func(context.Context) ([]byte, error) { return p.config(nil) },
		KeepAlive:    time.Second,
	}
	if p.record != "" {
		cfg.Dial = p.dialRecorded
	}
	p.Client = i2cp.New(cfg, p)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		p.done <- p.Run(ctx)
		close(ended)
	}()
	p.t.Cleanup(func() { cancel(); <-ended })
}

func (p *party) SessionUp()            { p.served.Store(false) }
func (p *party) SessionDown(err error) { p.downs <- err }

func (p *party) LeasesRequested(leases []i2p.Lease) {
	p.asked <- time.Now()
	p.mu.Lock()
	p.leases = leases
	p.mu.Unlock()
	if p.mute.Load() {
		return
	}
	if err := p.install(); err != nil {
		p.t.Errorf("install: %v", err)
	}
	if !p.served.Swap(true) {
		p.ups <- time.Now()
	}
}

// install signs a LeaseSet with what the router last listed.
func (p *party) install() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.published = later(p.published)
	ls := i2p.LeaseSet2{
		Destination: p.keys.Destination,
		Published:   p.published,
		Expires:     p.published.Add(10 * time.Minute),
		Keys:        []i2p.EncryptionKey{{Type: i2p.CryptoX25519, Key: p.private.PublicKey().Bytes()}},
		Leases:      p.leases,
	}
	signed, err := ls.Sign(p.keys)
	if err != nil {
		return err
	}
	return p.InstallLeaseSet(signed, []i2cp.PrivateKey{{Type: i2p.CryptoX25519, Key: p.private.Bytes()}})
}

func later(last time.Time) time.Time {
	now := time.Now().Truncate(time.Second)
	if now.After(last) {
		return now
	}
	return last.Add(time.Second)
}

func (p *party) Message(m i2cp.Payload) {
	m.Data = bytes.Clone(m.Data)
	p.messages <- m
}

func (p *party) MessageStatus(nonce uint32, s i2cp.Status) {
	p.statuses <- i2cp.MessageStatus{Nonce: nonce, Status: s}
}

// waitUp waits for the next LeaseSet that the router asked for and got.
func (p *party) waitUp() {
	p.t.Helper()
	select {
	case <-p.ups:
	case <-time.After(time.Minute):
		p.t.Fatal("no session for a minute")
	}
}

// drain forgets what has happened so far.
func (p *party) drain() {
	for len(p.ups) > 0 {
		<-p.ups
	}
	for len(p.downs) > 0 {
		<-p.downs
	}
}

// until sends to another party, each second, until it arrives.
func (p *party) until(t *testing.T, to *party, data []byte) i2cp.Payload {
	t.Helper()
	for nonce := uint32(1000); nonce < 1060; nonce++ {
		err := p.Send(to.keys.Destination, 11, 22, i2cp.ProtocolRaw, data, i2cp.SendOptions{Nonce: nonce, Expires: time.Now().Add(time.Minute)})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%d bytes: %v", len(data), p.status(t, nonce))
		timeout := time.After(time.Second)
		for waiting := true; waiting; {
			select {
			case m := <-to.messages:
				if bytes.Equal(m.Data, data) {
					return m
				}
			case <-timeout:
				waiting = false
			}
		}
	}
	t.Fatalf("%d bytes did not arrive in a minute", len(data))
	return i2cp.Payload{}
}

// status waits for the status of a message.
func (p *party) status(t *testing.T, nonce uint32) i2cp.Status {
	t.Helper()
	timeout := time.After(30 * time.Second)
	for {
		select {
		case m := <-p.statuses:
			if m.Nonce == nonce {
				return m.Status
			}
		case <-timeout:
			t.Fatalf("no status of message %d", nonce)
		}
	}
}

// dialRecorded connects and writes each frame of the connection to a file: a
// line with who sent it ("client" or "router") and its bytes in hex.
func (p *party) dialRecorded(ctx context.Context) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", p.addr)
	if err != nil {
		return nil, err
	}
	file, err := os.OpenFile(p.record, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	tap := func(who string, prefix int) io.Writer {
		r, w := io.Pipe()
		go func() {
			io.CopyN(io.Discard, r, int64(prefix))
			for frames := i2cp.NewFrameReader(r); ; {
				kind, body, err := frames.Next()
				if err != nil {
					return
				}
				mu.Lock()
				fmt.Fprintf(file, "%s %d %s\n", who, kind, hex.EncodeToString(body))
				mu.Unlock()
			}
		}()
		return w
	}
	return &recorded{Conn: conn, sent: tap("client", 1), got: tap("router", 0)}, nil
}

// recorded is a connection that copies what passes.
type recorded struct {
	net.Conn
	sent, got io.Writer
}

func (r *recorded) Read(b []byte) (int, error) {
	n, err := r.Conn.Read(b)
	r.got.Write(b[:n])
	return n, err
}

func (r *recorded) Write(b []byte) (int, error) {
	n, err := r.Conn.Write(b)
	r.sent.Write(b[:n])
	return n, err
}
