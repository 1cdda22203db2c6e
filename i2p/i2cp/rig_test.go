package i2cp

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/i2p"
)

// A rig is a running Client whose connections end in the test, which plays the
// router. It is for use within a synctest bubble.
type rig struct {
	*testing.T
	*Client
	events chan any      // what the Handler was told, in order
	dials  chan net.Conn // the router's ends
	cancel context.CancelFunc
	done   chan error // Run's result
}

// events of a rig, beside i2p.Lease slices, Payloads and MessageStatus.
type (
	up   struct{}
	down struct{ err error }
)

func (r *rig) SessionUp()                         { r.events <- up{} }
func (r *rig) SessionDown(err error)              { r.events <- down{err} }
func (r *rig) LeasesRequested(leases []i2p.Lease) { r.events <- leases }
func (r *rig) MessageStatus(nonce uint32, status Status) {
	r.events <- MessageStatus{Nonce: nonce, Status: status}
}
func (r *rig) Message(p Payload) {
	p.Data = bytes.Clone(p.Data)
	r.events <- p
}

var _ Handler = (*rig)(nil)

func newRig(t *testing.T, change func(*Config)) *rig {
	r := &rig{T: t, events: make(chan any, 1000), dials: make(chan net.Conn), done: make(chan error, 1)}
	cfg := Config{
		Addr: "router.test:7654",
		Dial: func(ctx context.Context) (net.Conn, error) {
			client, router := net.Pipe()
			select {
			case r.dials <- router:
				return client, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		},
		SignedConfig: func(context.Context) ([]byte, error) {
			return BuildSessionConfig(testKeys, testKeys.Destination, SessionOptions(), time.Now())
		},
	}
	if change != nil {
		change(&cfg)
	}
	r.Client = New(cfg, r)
	ctx, cancel := context.WithCancel(t.Context())
	r.cancel = cancel
	go func() { r.done <- r.Client.Run(ctx) }()
	return r
}

// next is the next event; which kind is the caller's to check.
func next[T any](r *rig) T {
	r.Helper()
	select {
	case event := <-r.events:
		got, ok := event.(T)
		if !ok {
			r.Fatalf("event %T %+v, want %T", event, event, got)
		}
		return got
	case <-time.After(time.Hour):
		r.Fatal("no event for an hour")
		panic("unreachable")
	}
}

// stop ends Run and waits for it.
func (r *rig) stop() error {
	r.cancel()
	return <-r.done
}

// A routerEnd is the router's side of one connection.
type routerEnd struct {
	*testing.T
	conn net.Conn
	in   *FrameReader
}

// accept takes the client's next connection, up to its protocol byte.
func (r *rig) accept() *routerEnd {
	r.Helper()
	conn := <-r.dials
	end := &routerEnd{r.T, conn, NewFrameReader(conn)}
	if err := end.in.ReadProtocolByte(); err != nil {
		r.Fatal(err)
	}
	return end
}

// expect reads frames up to one of the wanted type; only GetDate may come before.
func (e *routerEnd) expect(want MessageType) []byte {
	e.Helper()
	for {
		kind, body, err := e.in.Next()
		if err != nil {
			e.Fatalf("router waits for %v: %v", want, err)
		}
		if kind == want {
			return body
		}
		if kind != TypeGetDate {
			e.Fatalf("router got %v, want %v", kind, want)
		}
	}
}

func (e *routerEnd) send(m frame) {
	e.Helper()
	b, err := m.AppendFrame(nil)
	if err == nil {
		_, err = e.conn.Write(b)
	}
	if err != nil {
		e.Fatal(err)
	}
}

const testSession = 77

// greet does the router's part up to the configuration, which it returns.
func (e *routerEnd) greet() SessionConfig {
	e.Helper()
	e.expect(TypeGetDate)
	e.send(SetDate{time.Now(), "0.9.57"})
	config, err := ParseSessionConfig(e.expect(TypeCreateSession))
	if err == nil {
		err = config.Verify()
	}
	if err != nil {
		e.Fatal(err)
	}
	return config
}

// establish makes the session.
func (r *rig) establish() *routerEnd {
	r.Helper()
	end := r.accept()
	end.greet()
	end.send(SessionStatus{testSession, SessionCreated})
	next[up](r)
	return end
}

// ready makes the session and asks for a LeaseSet.
func (r *rig) ready() *routerEnd {
	r.Helper()
	end := r.establish()
	end.send(RequestVariableLeaseSet{testSession, testLeases()})
	next[[]i2p.Lease](r)
	return end
}

// answer lets the router answer GetDates until the connection ends.
func (e *routerEnd) answer() {
	for {
		kind, _, err := e.in.Next()
		if err != nil {
			return
		}
		if b, err := (SetDate{time.Now(), Version}).AppendFrame(nil); err == nil && kind == TypeGetDate {
			e.conn.Write(b)
		}
	}
}

// discard reads and says nothing, until the connection ends.
func (e *routerEnd) discard() { io.Copy(io.Discard, e.conn) }

func testLeases() []i2p.Lease {
	return []i2p.Lease{{Gateway: i2p.Hash{1}, Tunnel: 2, End: time.Now().Add(9 * time.Minute)}}
}

// leaseSet is one that a router takes, with its private key. change may spoil it.
func leaseSet(t *testing.T, published time.Time, change func(*i2p.LeaseSet2)) ([]byte, []PrivateKey) {
	t.Helper()
	private, err := ecdh.X25519().NewPrivateKey(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	ls := i2p.LeaseSet2{
		Destination: testKeys.Destination,
		Published:   published,
		Expires:     published.Add(10 * time.Minute),
		Keys:        []i2p.EncryptionKey{{Type: i2p.CryptoX25519, Key: private.PublicKey().Bytes()}},
		Leases:      testLeases(),
	}
	if change != nil {
		change(&ls)
	}
	signed, err := ls.Sign(testKeys)
	if err != nil {
		t.Fatal(err)
	}
	return signed, []PrivateKey{{i2p.CryptoX25519, private.Bytes()}}
}

// bubble runs a test in a synctest bubble with a rig that it stops at the end.
func bubble(t *testing.T, change func(*Config), test func(*rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, change)
		test(r)
		go func() { // whoever is still dialled or connected is sent away
			for conn := range r.dials {
				conn.Close()
			}
		}()
		r.cancel()
		<-r.done
		close(r.dials)
	})
}
