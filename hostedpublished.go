package onelease

import (
	"context"
	"net"
	"time"
)

// AwaitPublished waits, after Publish, until a router that publishes has the LeaseSet, or
// fails with ctx or net.ErrClosed. The netDB has it a moment later. It returns at
// once for a Destination that is never published.
func (d *Hosted) AwaitPublished(ctx context.Context) error {
	tick := time.NewTicker(publishedTick)
	defer tick.Stop()
	for !d.unpublished && !d.atPublisher() {
		select {
		case <-tick.C:
		case <-d.done:
			return net.ErrClosed
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// publishedTick is how often frontends are asked: they tell nobody by themselves.
const publishedTick = 50 * time.Millisecond

// atPublisher says whether a router that publishes has the LeaseSet.
func (d *Hosted) atPublisher() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, p := range d.publishers {
		if d.public && p.outpost != nil && p.outpost.Status().Serving {
			return true
		}
	}
	for _, p := range d.members {
		if p.publisher && p.outpost.Status().Serving {
			return true
		}
	}
	return false
}
