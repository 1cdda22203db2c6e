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
	"github.com/onelease/onelease/internal/quietlog"
)

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
	cfg.Neighbors = &d.hosting.neighbors
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
