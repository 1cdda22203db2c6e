package simnet

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/onelease/onelease/i2p"
)

// maxFuture is how far ahead `published` may lie for a floodfill to take a
// LeaseSet (seen with i2pd).
const maxFuture = 2 * minute

// floodTo is how many floodfills one hands a new LeaseSet on to (i2pd
// NetDb.cpp, Flood: the three closest).
const floodTo = 3

// A Floodfill is one router of the netDB. It takes LeaseSets whose signature
// is right and whose `published` is newer than what it has, and forgets them
// when they expire.
type Floodfill struct {
	net     *Network
	hash    i2p.Hash
	down    bool
	entries map[i2p.Hash]netDBEntry
}

type netDBEntry struct {
	raw                []byte
	published, expires time.Time
}

// Floodfills lists the network's floodfills.
func (n *Network) Floodfills() []*Floodfill {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.ffs)
}

// Hash is the floodfill's identity.
func (f *Floodfill) Hash() i2p.Hash { return f.hash }

// Lookup returns a copy of the LeaseSet that f has under hash.
func (f *Floodfill) Lookup(hash i2p.Hash) ([]byte, bool) {
	f.net.mu.Lock()
	defer f.net.mu.Unlock()
	raw, ok := f.lookupLocked(hash)
	return bytes.Clone(raw), ok
}

// SetDown takes f out of the network, or back in with what it had.
func (f *Floodfill) SetDown(down bool) {
	f.net.mu.Lock()
	defer f.net.mu.Unlock()
	f.down = down
}

// Lookup returns a copy of the LeaseSet that the netDB has under hash: what
// the floodfill closest to it that has one returns.
func (n *Network) Lookup(hash i2p.Hash) ([]byte, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, f := range n.closestLocked(hash) {
		if raw, ok := f.lookupLocked(hash); ok && !f.down {
			return bytes.Clone(raw), true
		}
	}
	return nil, false
}

func (n *Network) addFloodfillsLocked() {
	for i := range n.cfg.Floodfills {
		n.ffs = append(n.ffs, &Floodfill{
			net:     n,
			hash:    n.routerHash(fmt.Sprintf("floodfill%d", i)),
			entries: map[i2p.Hash]netDBEntry{},
		})
	}
}

// closestLocked lists the floodfills by their distance to key. (Real routers
// mix the date into the key; within a day that changes nothing.)
func (n *Network) closestLocked(key i2p.Hash) []*Floodfill {
	sorted := slices.Clone(n.ffs)
	slices.SortFunc(sorted, func(a, b *Floodfill) int {
		x, y := xor(a.hash, key), xor(b.hash, key)
		return bytes.Compare(x[:], y[:])
	})
	return sorted
}

func xor(a, b i2p.Hash) i2p.Hash {
	for i := range a {
		a[i] ^= b[i]
	}
	return a
}

func (f *Floodfill) lookupLocked(hash i2p.Hash) ([]byte, bool) {
	e, ok := f.entries[hash]
	if ok && !time.Now().Before(e.expires) {
		delete(f.entries, hash)
		return nil, false
	}
	return e.raw, ok
}

// storeLocked is what f does with a LeaseSet that comes from a router: it
// says why it did not take it, or floods it.
func (f *Floodfill) storeLocked(raw []byte) (i2p.Hash, error) {
	ls, err := checkLeaseSet(raw)
	if err != nil {
		return i2p.Hash{}, err
	}
	hash := ls.Destination.Hash()
	if err := f.takeLocked(hash, raw, ls); err != nil {
		return hash, err
	}
	sent := 0
	for _, other := range f.net.closestLocked(hash) {
		if other == f || sent == floodTo {
			continue
		}
		sent++
		f.net.afterLocked(nil, f.net.cfg.Link.delay(f.net.rng), func() {
			if !other.down {
				other.takeLocked(hash, raw, ls)
			}
		})
	}
	return hash, nil
}

// takeLocked stores a LeaseSet that verifies. One with the "unpublished" flag
// erases the entry instead (i2pd NetDb.cpp, AddLeaseSet2).
func (f *Floodfill) takeLocked(hash i2p.Hash, raw []byte, ls *i2p.LeaseSet2) error {
	now := time.Now()
	old, have := f.entries[hash]
	switch {
	case ls.Published.After(now.Add(maxFuture)):
		return fmt.Errorf("published %v ahead", ls.Published.Sub(now))
	case have && !ls.Published.After(old.published):
		return fmt.Errorf("not newer than what the floodfill has")
	case ls.Flags&i2p.FlagUnpublished != 0 || !now.Before(ls.Expires):
		delete(f.entries, hash)
		return fmt.Errorf("unpublished or expired")
	}
	f.entries[hash] = netDBEntry{raw: raw, published: ls.Published, expires: ls.Expires}
	return nil
}

// checkLeaseSet parses raw and checks its signature and dates as every router
// does (i2pd LeaseSet.cpp, ReadStandardLS2TypeSpecificPart).
func checkLeaseSet(raw []byte) (*i2p.LeaseSet2, error) {
	ls, n, err := i2p.ParseLeaseSet2(raw)
	if err != nil {
		return nil, err
	}
	if n != len(raw) {
		return nil, fmt.Errorf("LeaseSet with %d bytes after it", len(raw)-n)
	}
	if err := ls.Verify(); err != nil {
		return nil, err
	}
	latest := time.Now().Add(validFor)
	switch {
	case ls.Expires.After(latest):
		return nil, fmt.Errorf("expires more than %v from now", validFor)
	case ls.Published.Before(time.Now().Add(-validFor)):
		return nil, fmt.Errorf("published more than %v ago", validFor)
	case slices.ContainsFunc(ls.Leases, func(l i2p.Lease) bool { return l.End.After(latest) }):
		return nil, fmt.Errorf("has a lease that ends more than %v from now", validFor)
	}
	return ls, nil
}
