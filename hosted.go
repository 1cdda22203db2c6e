package onelease

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"sync"
	"time"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/balancer/solo"
	"github.com/onelease/onelease/i2p"
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

// Host has the Destination's streams and datagrams.
func (d *Hosted) Host() *backend.Host { return d.host }

// LeaseSetOptions are those of its LeaseSets, which Opening.Options asked for.
func (d *Hosted) LeaseSetOptions() i2p.Mapping { return maps.Clone(d.options.leaseSet) }

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
