package onelease

import (
	"time"

	"github.com/onelease/onelease/balancer"
	"github.com/onelease/onelease/i2p"
)

// past is what `published` was at last of Destinations that were closed, in seconds
// since 1970: of each for as long as anybody may hold its LeaseSet. It must rise, also
// if a Destination is opened again (DESIGN.md, "`published` rises over everything").
type past map[i2p.Hash]uint32

// pruneOver is at which numbers of them those that are over are looked for.
const pruneOver = 1024

func (p past) last(hash i2p.Hash) uint32 { return p[hash] }

// note remembers one, and forgets those that have run out.
func (p past) note(hash i2p.Hash, published uint32, now time.Time) {
	if published > p[hash] {
		p[hash] = published
	}
	if len(p)%pruneOver != 0 {
		return
	}
	for hash, published := range p {
		if time.Unix(int64(published), 0).Add(i2p.MaxLeaseSetLife).Before(now) {
			delete(p, hash)
		}
	}
}

// lastRun is how far `published` may be ahead of the clock when a program ends:
// what can wait is at most balancer.MaxAhead ahead, and what cannot some seconds more.
const lastRun = balancer.MaxAhead + 10*time.Second

// publishedBefore is what the first LeaseSet of keys that were brought must be later
// than. This program may have run before with the same keys, and ended just before
// this Hosting began, with `published` ahead of the clock.
func publishedBefore(began, now time.Time) uint32 {
	if until := began.Add(lastRun); now.Before(until) {
		return uint32(until.Unix())
	}
	return 0
}
