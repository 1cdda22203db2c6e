package frontend

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"fmt"
	"log/slog"
	"maps"
	"strconv"
	"sync"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/i2cp"
)

// A throwaway is a session of a Destination made for the purpose, to see what
// the router does with it. It signs its LeaseSets itself.
type throwaway struct {
	log     *slog.Logger
	keys    *i2p.Keys
	private *ecdh.PrivateKey
	options i2p.Mapping
	client  *i2cp.Client
	failed  func(error) // told why there is no session

	wasUp, wasReady sync.Once
	up, ready       chan struct{} // closed when there is a session, and when the router has its LeaseSet

	mu        sync.Mutex
	err       error // why there is no session
	leases    []i2p.Lease
	published time.Time // of its last LeaseSet
}

const (
	// renewFirst is when a throwaway's LeaseSet is renewed for the first time,
	// renewEvery for how long it then rests: i2pd publishes once per 20 s, and
	// each new LeaseSet has it wait anew.
	renewFirst = 7 * time.Second
	renewEvery = 22 * time.Second
)

// throwawayTunnels are short, since there is nobody to hide: they are sooner there, and fail
// less often. With one of three hops each way the test told nothing on two of three stock
// routers of 2.45.1 in 90 s; with these it took 4 to 14 s.
var throwawayTunnels = i2p.Mapping{"inbound.length": "1", "outbound.length": "1", "inbound.quantity": "2", "outbound.quantity": "2"}

// newThrowaway makes one that asks not to be published, or to be.
func (p *prober) newThrowaway(dontPublish bool, failed func(error)) (*throwaway, error) {
	keys, err := i2p.GenerateKeys()
	if err != nil {
		return nil, err
	}
	private, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generate keys: %w", err)
	}
	t := &throwaway{log: p.log, keys: keys, private: private, failed: failed}
	t.up, t.ready = make(chan struct{}), make(chan struct{})
	t.err = i2cp.ErrNoSession
	t.options = maps.Clone(throwawayTunnels)
	maps.Copy(t.options, i2cp.SessionOptions())
	maps.Copy(t.options, p.options)
	t.options["i2cp.dontPublishLeaseSet"] = strconv.FormatBool(dontPublish)
	t.client = i2cp.New(p.router.client(p.log, t.sign), t)
	return t, nil
}

func (t *throwaway) hash() i2p.Hash { return t.keys.Destination.Hash() }

func (t *throwaway) sign(context.Context) ([]byte, error) {
	return i2cp.BuildSessionConfig(t.keys, t.keys.Destination, t.options, time.Now())
}

// sessionError is why there is no session now, nil if there is one.
func (t *throwaway) sessionError() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

func (t *throwaway) setError(err error) {
	t.mu.Lock()
	t.err = err
	t.mu.Unlock()
	t.failed(err)
}

// SessionUp implements i2cp.Handler.
func (t *throwaway) SessionUp() {
	t.setError(nil)
	t.wasUp.Do(func() { close(t.up) })
}

// SessionDown implements i2cp.Handler.
func (t *throwaway) SessionDown(err error) { t.setError(err) }

// LeasesRequested implements i2cp.Handler.
func (t *throwaway) LeasesRequested(leases []i2p.Lease) {
	t.mu.Lock()
	t.leases = leases
	t.mu.Unlock()
	if err := t.install(); err != nil {
		t.log.Warn("LeaseSet of a throwaway session", "err", err)
		return
	}
	t.wasReady.Do(func() { close(t.ready) })
}

// install gives the router a new LeaseSet with the tunnels that it named last.
func (t *throwaway) install() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now().Truncate(time.Second)
	if !now.After(t.published) {
		now = t.published.Add(time.Second)
	}
	raw, err := t.leaseSet(t.leases, now).Sign(t.keys)
	if err != nil {
		return err
	}
	t.published = now
	return t.client.InstallLeaseSet(raw, []i2cp.PrivateKey{{Type: i2p.CryptoX25519, Key: t.private.Bytes()}})
}

// renew installs a new LeaseSet now and then until ctx ends: i2pd 2.45.1 does
// not try again to publish one if it had no tunnels at first.
func (t *throwaway) renew(ctx context.Context) {
	for wait := renewFirst; ; wait = renewEvery {
		sleep(ctx, wait)
		if ctx.Err() != nil {
			return
		}
		t.install() // a session that is down makes another LeaseSet when it is up
	}
}

func (t *throwaway) leaseSet(leases []i2p.Lease, published time.Time) *i2p.LeaseSet2 {
	ls := &i2p.LeaseSet2{
		Destination: t.keys.Destination,
		Published:   published,
		Expires:     published,
		Keys:        []i2p.EncryptionKey{{Type: i2p.CryptoX25519, Key: t.private.PublicKey().Bytes()}},
		Leases:      leases[:min(len(leases), i2p.MaxLeases)],
	}
	for _, l := range ls.Leases {
		if l.End.After(ls.Expires) {
			ls.Expires = l.End.Truncate(time.Second)
		}
	}
	if limit := published.Add(i2p.MaxLeaseSetLife); ls.Expires.After(limit) {
		ls.Expires = limit
	}
	return ls
}

// Message implements i2cp.Handler: nobody writes to a throwaway.
func (t *throwaway) Message(i2cp.Payload) {}

// MessageStatus implements i2cp.Handler: it sends nothing.
func (t *throwaway) MessageStatus(uint32, i2cp.Status) {}

var _ i2cp.Handler = (*throwaway)(nil)
