package onelease

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/balancer"
	"github.com/onelease/onelease/balancer/solo"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/quietlog"
)

// A Hosted is one Destination of a Hosting: a balancer, a frontend at each of its
// routers, and a Host.
type Hosted struct {
	hosting     *Hosting
	keys        *i2p.Keys
	hash        i2p.Hash
	owner       string
	options     sessionOptions
	unpublished bool // never published
	brought     bool // the keys are of an earlier time, maybe

	// Set by Hosting.claim.
	published  uint32   // what the first LeaseSet is to be later than
	members    []*place // some of which may publish
	publishers []*place

	store     *solo.Store
	lead      *lead
	host      *backend.Host
	backend   part
	frontends part
	refused   chan error  // room for one of each member
	expiry    *time.Timer // nil if its keys do not expire

	life    sync.Mutex // held while it starts, and while it ends
	closing sync.Once
	done    chan struct{} // closed when it is served no more

	mu     sync.Mutex // held while publishers start
	public bool       // they have
	failed error
}

// newHosted checks o and makes a Hosted that does nothing.
func (h *Hosting) newHosted(o Opening) (_ *Hosted, err error) {
	d := &Hosted{hosting: h, keys: o.Keys, owner: o.Owner, brought: o.Keys != nil && !o.Fresh, done: make(chan struct{})}
	if d.options, err = parseOptions(o.Options); err != nil {
		return nil, err
	}
	d.unpublished = d.options.unpublished
	if d.keys == nil {
		if d.keys, err = i2p.GenerateKeys(); err != nil {
			return nil, err
		}
	}
	if offline := d.keys.Offline; offline != nil && !time.Now().Before(offline.Expires) {
		return nil, fmt.Errorf("%w: the permission of the transient key ended at %s: make a new one", ErrConfig, offline.Expires.UTC().Format(time.RFC3339))
	}
	if _, err := d.keys.Sign(nil); err != nil {
		return nil, err
	}
	d.hash = d.keys.Destination.Hash()
	d.backend.init()
	d.frontends.init()
	return d, nil
}

// start starts all parts, unless Hosting.Close was faster.
func (d *Hosted) start(o Opening) error {
	d.life.Lock()
	defer d.life.Unlock()
	if d.frontends.ctx.Err() != nil {
		return net.ErrClosed
	}
	d.refused = make(chan error, len(d.members))
	if err := d.startBalancer(); err != nil {
		return err
	}
	for _, p := range d.members {
		if err := d.startFrontend(p); err != nil {
			return err
		}
	}
	if err := d.startBackend(o.Backend); err != nil {
		return err
	}
	if o.Publish {
		d.Publish()
	}
	if offline := d.keys.Offline; offline != nil {
		d.expiry = time.AfterFunc(time.Until(offline.Expires), func() { d.note("keys", errExpired) })
	}
	return nil
}

// errExpired ends a Destination that nothing can sign for any more.
var errExpired = errors.New("the permission of the transient key has ended: open the Destination with a newer one")

// startBalancer begins with a key epoch of its own: remotes that know the
// Destination from before would else go on with sessions that its routers have not.
func (d *Hosted) startBalancer() error {
	h, now := d.hosting, time.Now()
	published := d.published
	if d.brought {
		published = max(published, publishedBefore(h.began, now))
	}
	d.store = solo.Memory(d.hash, published, uint64(now.UnixMilli()))
	policy := h.cfg.Policy
	session := d.options.divide(&policy, len(d.members))
	b, err := balancer.New(balancer.Config{
		Keys: d.keys, Store: d.store, Policy: policy, Session: session, LeaseSet: d.options.leaseSet,
		Expect: len(d.members), Logger: quietlog.New(h.cfg.Logger),
	})
	if err != nil {
		return err
	}
	d.lead = startLead(b, d.note)
	return nil
}

func (d *Hosted) startFrontend(p *place) (err error) {
	cfg := p.site.frontend()
	cfg.Member, cfg.Publisher = p.member, p.publisher
	cfg.Control, cfg.Logger = d.lead.config(), quietlog.New(d.hosting.cfg.Logger)
	if p.member {
		var once sync.Once
		cfg.Refused = func(err error) { once.Do(func() { d.refused <- err }) }
	}
	if p.outpost, err = p.site.open(cfg, d.lead); err != nil {
		return fmt.Errorf("router %s: %w", p.site.Name, err)
	}
	d.frontends.Go(func() { d.note("frontend "+p.site.Name, p.outpost.Run(d.frontends.ctx)) })
	return nil
}

func (d *Hosted) startBackend(cfg backend.Config) (err error) {
	cfg.Destination, cfg.Signer, cfg.Offline = d.keys.Destination, d.keys, d.keys.Offline
	if cfg.Logger == nil {
		cfg.Logger = quietlog.New(d.hosting.cfg.Logger)
	}
	cfg.Frontends = nil
	for _, p := range d.members {
		cfg.Frontends = append(cfg.Frontends, backend.Frontend{Name: p.site.Name, Dial: p.outpost.DialSAM})
	}
	if d.host, err = backend.NewHost(cfg); err != nil {
		return err
	}
	d.backend.Go(func() { d.note("backend", d.host.Run(d.backend.ctx)) })
	return nil
}

// awaitReady waits for the first router, or until all have refused.
func (d *Hosted) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		var refusals []error
		for range d.members {
			select {
			case err := <-d.refused:
				refusals = append(refusals, err)
			case <-d.done:
				cancel(net.ErrClosed)
				return
			case <-ctx.Done():
				return
			}
		}
		cancel(d.refusal(refusals))
	}()
	err := d.host.WaitReady(ctx)
	if err == nil {
		return nil
	}
	for _, p := range d.members {
		if why := p.outpost.Status().RouterError; why != "" {
			err = fmt.Errorf("%w; router %s: %s", err, p.site.Name, why)
		}
	}
	return err
}

// refusal is the error when all have refused.
func (d *Hosted) refusal(refusals []error) error {
	err := fmt.Errorf("%w: %w", ErrRefused, errors.Join(refusals...))
	if d.keys.Offline != nil {
		err = fmt.Errorf("%w; its keys are offline-signed, which i2pd does not take by I2CP: use the Destination's own keys, or routers of Java I2P", err)
	}
	return err
}

// Host has the Destination's streams and datagrams.
func (d *Hosted) Host() *backend.Host { return d.host }

// Keys are the Destination's.
func (d *Hosted) Keys() *i2p.Keys { return d.keys }

// Publish has the LeaseSet published from now on: somebody is to find the Destination.
// It does not wait: it takes as long as a router needs for two tunnels. It does
// nothing for one that publishes, is closed, or whose Options say that it never does.
func (d *Hosted) Publish() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.public || d.frontends.ctx.Err() != nil {
		return
	}
	d.public = true
	for _, p := range d.publishers {
		if err := d.startFrontend(p); err != nil {
			d.failLocked(err)
		}
	}
}

// Done is closed when the Destination is served no more: it was closed, or a part
// of it has failed, and it is time to Close it.
func (d *Hosted) Done() <-chan struct{} { return d.done }

// note has the Hosted fail if a part ended by itself.
func (d *Hosted) note(part string, err error) {
	if err == nil || errors.Is(err, context.Canceled) {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failLocked(fmt.Errorf("%s: %w", part, err))
}

func (d *Hosted) failLocked(err error) {
	if d.failed == nil {
		d.failed = err
		close(d.done)
	}
}

// Close ends the Destination's streams, takes it off the routers, and waits for
// that: a second, if a router does not answer. The error is that of a part that had failed
// before. The Host goes first, so that what it still sends has a way out, then the
// frontends, then the balancer that they report to.
func (d *Hosted) Close() error {
	d.closing.Do(d.close)
	d.mu.Lock()
	defer d.mu.Unlock()
	if errors.Is(d.failed, net.ErrClosed) {
		return nil
	}
	return d.failed
}

func (d *Hosted) close() {
	d.life.Lock()
	defer d.life.Unlock()
	if d.expiry != nil {
		d.expiry.Stop()
	}
	d.backend.end()
	d.mu.Lock()
	d.frontends.stop() // no publisher starts any more
	d.mu.Unlock()
	d.frontends.end()
	published := d.published
	if d.lead != nil {
		d.lead.end()
		published = d.store.State().Destination(d.hash).LastPublished
		d.store.Close()
	}
	d.hosting.forget(d, published)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failLocked(net.ErrClosed)
}
