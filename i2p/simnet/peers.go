package simnet

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/onelease/onelease/i2p"
)

// A peer is a router that carries tunnels and does nothing else.
type peer struct {
	hash i2p.Hash
	gone bool
}

// addPeersLocked fills the network up to Config.Peers.
func (n *Network) addPeersLocked() {
	for len(n.fast) < n.cfg.Peers {
		n.made++
		p := &peer{hash: n.routerHash(fmt.Sprintf("peer%d", n.made))}
		n.fast = append(n.fast, p)
		if n.cfg.PeerLife > 0 {
			n.afterLocked(nil, exponential(n.rng, n.cfg.PeerLife), func() { n.peerGoneLocked(p) })
		}
	}
}

// exponential draws from the distribution of lifetimes with that mean.
func exponential(rng *rand.Rand, mean time.Duration) time.Duration {
	return time.Duration(-math.Log(1-rng.Float64()) * float64(mean))
}

// peerGoneLocked takes p out of the network; the tunnels through it fail.
func (n *Network) peerGoneLocked(p *peer) {
	p.gone = true
	n.fast = slices.DeleteFunc(n.fast, func(o *peer) bool { return o == p })
	for _, t := range n.tunnelsThroughLocked(p) {
		t.owner.tunnelFailedLocked(t)
	}
	n.addPeersLocked()
}

// tunnelsThroughLocked lists the tunnels that begin at p, in the order of
// their numbers so that a seed gives the same run.
func (n *Network) tunnelsThroughLocked(p *peer) []*tunnel {
	var through []*tunnel
	for _, t := range n.tunnels {
		if t.gateway == p {
			through = append(through, t)
		}
	}
	slices.SortFunc(through, func(a, b *tunnel) int { return int(int64(a.key.id) - int64(b.key.id)) })
	return through
}

// fastTierLocked is r's choice of peers, with those that are gone replaced.
func (r *Router) fastTierLocked() []*peer {
	r.fast = slices.DeleteFunc(r.fast, func(p *peer) bool { return p.gone })
	for _, i := range r.rng.Perm(len(r.net.fast)) {
		if len(r.fast) >= r.cfg.FastTier {
			break
		}
		if p := r.net.fast[i]; !slices.Contains(r.fast, p) {
			r.fast = append(r.fast, p)
		}
	}
	return r.fast
}

// FastTier lists the peers that r builds its tunnels through. Stock routers
// have no way to ask them for it.
func (r *Router) FastTier() []i2p.Hash {
	r.net.mu.Lock()
	defer r.net.mu.Unlock()
	var hashes []i2p.Hash
	for _, p := range r.fastTierLocked() {
		hashes = append(hashes, p.hash)
	}
	return hashes
}

// restrictLocked has d build through the peers of a list of hashes in I2P's
// base64, with commas between. As in i2pd that holds for the life of the
// session and takes the quantity to 1, until a Reconfigure (seen with i2pd).
func (d *destination) restrictLocked(list string) {
	for _, name := range strings.Split(list, ",") {
		hash, err := i2p.Base64.DecodeString(name)
		if err != nil {
			continue
		}
		for _, p := range d.net.fast {
			if string(p.hash[:]) == string(hash) {
				d.explicit = append(d.explicit, p)
			}
		}
	}
	if d.explicit != nil {
		d.quantity = 1
	}
}
