package i2pd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/onelease/onelease/internal/webconsole"
)

// ErrNotFound means that a router's netDB has no LeaseSet for a hash.
var ErrNotFound = errors.New("no such LeaseSet in the netDB")

// A LeaseSet is what a floodfill holds, as its webconsole shows it.
type LeaseSet = webconsole.LeaseSet

// A Lease is one inbound tunnel of a LeaseSet.
type Lease = webconsole.Lease

// LookupLeaseSet returns the LeaseSet that this floodfill holds for the Destination's hash,
// or ErrNotFound. The time of publication is not to be had from i2pd; Expires is published
// plus the LeaseSet's own offset.
func (r *Router) LookupLeaseSet(ctx context.Context, hash [32]byte) (LeaseSet, error) {
	all, err := r.LeaseSets(ctx)
	if err != nil {
		return LeaseSet{}, err
	}
	if ls, ok := all[hash]; ok {
		return ls, nil
	}
	return LeaseSet{}, fmt.Errorf("%s: %w", r, ErrNotFound)
}

// LeaseSets returns all that this floodfill holds, by the Destination's hash. A router that
// is not a floodfill holds none.
func (r *Router) LeaseSets(ctx context.Context) (map[[32]byte]LeaseSet, error) {
	page, err := webconsole.Get(ctx, r.HTTPAddr(), time.UTC)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r, err)
	}
	return page.LeaseSets, nil
}

// LookupLeaseSet returns what each floodfill holds for the hash, by router index; floodfills
// without it, or not running, are left out.
func (n *Network) LookupLeaseSet(ctx context.Context, hash [32]byte) map[int]LeaseSet {
	found := make(map[int]LeaseSet)
	for _, r := range n.Floodfills() {
		if ls, err := r.LookupLeaseSet(ctx, hash); err == nil {
			found[r.index] = ls
		}
	}
	return found
}
