package balancer

import (
	"cmp"
	"slices"
	"time"

	"github.com/onelease/onelease/i2p"
)

// A pool is what one member has to offer.
type pool struct {
	frontend string
	leases   []i2p.Lease
}

// choose picks at most i2p.MaxLeases leases for the merged LeaseSet: one of
// each pool in turn, the one with most life left first, so that no pool gets
// two more than another that has leases to give. Leases with less than least
// to live count only if nothing else is left of any pool. With more pools than
// fit, turn says where to begin, so that all are listed in time.
func choose(pools []pool, now time.Time, least time.Duration, turn int) []i2p.Lease {
	if chosen := deal(pools, now.Add(least), turn); len(chosen) > 0 {
		return chosen
	}
	return deal(pools, now, turn)
}

// deal goes round the pools and takes a lease of each until the LeaseSet is
// full or no pool has one that ends after the given time.
func deal(pools []pool, after time.Time, turn int) []i2p.Lease {
	hands := make([][]i2p.Lease, 0, len(pools))
	for i := range pools {
		if hand := longest(pools[(i+turn)%len(pools)].leases, after); len(hand) > 0 {
			hands = append(hands, hand)
		}
	}
	chosen := make([]i2p.Lease, 0, i2p.MaxLeases)
	for round := 0; len(chosen) < i2p.MaxLeases; round++ {
		before := len(chosen)
		for _, hand := range hands {
			if round < len(hand) && len(chosen) < i2p.MaxLeases {
				chosen = append(chosen, hand[round])
			}
		}
		if len(chosen) == before {
			break
		}
	}
	return chosen
}

// longest returns the leases that end after the given time, longest life first.
func longest(leases []i2p.Lease, after time.Time) []i2p.Lease {
	alive := make([]i2p.Lease, 0, len(leases))
	for _, l := range leases {
		if l.End.After(after) {
			alive = append(alive, l)
		}
	}
	slices.SortFunc(alive, func(a, b i2p.Lease) int { return b.End.Compare(a.End) })
	return alive
}

// shuffle orders leases by tunnel, so that those of one router do not stand
// together for whoever reads the LeaseSet. Equal sets give equal orders.
func shuffle(leases []i2p.Lease) {
	slices.SortFunc(leases, func(a, b i2p.Lease) int {
		return cmp.Or(cmp.Compare(a.Tunnel, b.Tunnel), slices.Compare(a.Gateway[:], b.Gateway[:]))
	})
}

// clip ends every lease at the given time at the latest, so that remotes look
// the Destination up again before long.
func clip(leases []i2p.Lease, end time.Time) []i2p.Lease {
	clipped := slices.Clone(leases)
	for i := range clipped {
		if clipped[i].End.After(end) {
			clipped[i].End = end
		}
	}
	return clipped
}
