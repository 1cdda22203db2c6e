package i2pd

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// netDBInterval is how often all floodfills are asked for what they hold.
const netDBInterval = 250 * time.Millisecond

// A netDBWatch asks all floodfills again and again for what they hold, on behalf of many
// that wait for something: the webconsole is slow, and every page is a TCP connection.
type netDBWatch struct {
	network *Network

	mu   sync.Mutex
	seen map[[32]byte]bool
}

func (n *Network) newWatch() *netDBWatch {
	return &netDBWatch{network: n, seen: make(map[[32]byte]bool)}
}

// run watches until ctx ends or enough returns true.
func (w *netDBWatch) run(ctx context.Context, enough func() bool) {
	ticker := time.NewTicker(netDBInterval)
	defer ticker.Stop()
	for {
		for _, r := range w.network.Floodfills() {
			w.look(ctx, r)
		}
		if enough() {
			return
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// AwaitLeaseSet returns when any floodfill holds a LeaseSet for the Destination's hash, or
// an error when ctx ends first.
func (n *Network) AwaitLeaseSet(ctx context.Context, hash [32]byte) error {
	w := n.newWatch()
	found := func() bool { return w.hasAny([][32]byte{hash}) == nil }
	w.run(ctx, found)
	if !found() {
		return fmt.Errorf("%w within the time: %w", ErrNotFound, context.Cause(ctx))
	}
	return nil
}

// look notes what one floodfill has. One that does not answer is passed over: it may be
// starting, or killed by the test.
func (w *netDBWatch) look(ctx context.Context, r *Router) {
	held, err := r.LeaseSets(ctx)
	if err != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for hash := range held {
		w.seen[hash] = true
	}
}

// hasAny returns nil once any floodfill has held a LeaseSet for one of the hashes.
func (w *netDBWatch) hasAny(hashes [][32]byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, hash := range hashes {
		if w.seen[hash] {
			return nil
		}
	}
	return errNotYet
}
