package i2pd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// ErrNotFound means that a router's netDB has no LeaseSet for a hash.
var ErrNotFound = errors.New("no such LeaseSet in the netDB")

// maxPage bounds a page of the webconsole, in bytes.
const maxPage = 16 << 20

// A LeaseSet is what a floodfill holds, as its webconsole shows it. Hashes are plain arrays,
// not the project's types: these are facts from outside.
type LeaseSet struct {
	Hash      [32]byte // of the Destination
	StoreType int      // 1 LeaseSet, 3 LeaseSet2, 5 encrypted, 7 Meta
	Expires   time.Time
	Valid     bool    // the router finds the signature good
	Leases    []Lease // those that ended less than 51 s ago included; none for types 5 and 7
}

// A Lease is one inbound tunnel of a LeaseSet.
type Lease struct {
	Gateway  [32]byte // hash of the router
	TunnelID uint32
	End      time.Time // 1 s resolution in a LeaseSet2
}

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
	page, err := r.page(ctx, "leasesets")
	if err != nil {
		return nil, err
	}
	all, err := parseLeaseSets(page)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r, err)
	}
	return all, nil
}

// page gets a page of the router's webconsole.
func (r *Router) page(ctx context.Context, name string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.HTTPAddr()+"/?page="+name, nil)
	if err != nil {
		return "", err
	}
	request.Close = true // leave no connection, and no goroutine, behind
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", fmt.Errorf("%s: webconsole: %w", r, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s: webconsole page %s: %s", r, name, response.Status)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxPage))
	if err != nil {
		return "", fmt.Errorf("%s: webconsole page %s: %w", r, name, err)
	}
	return string(body), nil
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
