package simnet

import (
	"slices"
	"time"

	"github.com/onelease/onelease/i2p"
)

// TunnelTimes is how inbound tunnels are built. Zero fields mean i2pd's values.
type TunnelTimes struct {
	// First is the time to a pool's first tunnel; 2 s if 0.
	First time.Duration
	// Rest is the time by which the pool is full; 15 s if 0 (seen with i2pd).
	Rest time.Duration
	// Opening takes the place of First and Rest, if it is not 0, for the first
	// pool that a Destination has on a router, which is full by then: whoever
	// tries something need not wait a quarter of a minute. All that comes later
	// takes its time: successors, and pools after a router or a session was lost.
	Opening time.Duration
	// Life is a tunnel's; 660 s if 0 (i2pd Tunnel.h, TUNNEL_EXPIRATION_TIMEOUT).
	Life time.Duration
	// Margin is how long before a tunnel's end its lease says it ends; 60 s if
	// 0 (i2pd Tunnel.h, TUNNEL_EXPIRATION_THRESHOLD).
	Margin time.Duration
	// Rebuild is the age at which a successor is built; 510 s if 0 (seen with
	// i2pd: a request about every 8.5 minutes for each tunnel).
	Rebuild time.Duration
	// Replace is the time to a successor of a tunnel that failed, and to more
	// tunnels after a Reconfigure; 10 s if 0 (i2pd TunnelPool.h,
	// TUNNEL_POOL_MANAGE_INTERVAL).
	Replace time.Duration
}

// withDefaults fills in the zero fields.
func (t TunnelTimes) withDefaults() TunnelTimes {
	t.First = orDefault(t.First, 2*second)
	t.Rest = orDefault(t.Rest, 15*second)
	t.Life = orDefault(t.Life, 660*second)
	t.Margin = orDefault(t.Margin, 60*second)
	t.Rebuild = orDefault(t.Rebuild, 510*second)
	t.Replace = orDefault(t.Replace, 10*second)
	return t
}

// A pool's backup tunnels are listed as well as its quantity (i2pd
// Destination.cpp, UpdateLeaseSet).
const backupTunnels = 2

// tunnelKey is a lease without its end.
type tunnelKey struct {
	gateway i2p.Hash
	id      uint32
}

// A tunnel leads from its gateway to its owner until it ends or fails.
type tunnel struct {
	key     tunnelKey
	gateway *peer
	owner   *destination
	end     time.Time // of the lease
	built   time.Time
	spent   bool // its successor is built or under way
}

// openPoolLocked builds the whole pool of a Destination that has come to its router.
func (d *destination) openPoolLocked() {
	first, rest := d.net.cfg.Tunnels.First, d.net.cfg.Tunnels.Rest
	if opening := d.net.cfg.Tunnels.Opening; opening > 0 && !d.router.opened[d.hash] {
		first, rest = opening/2, opening
	}
	d.router.opened[d.hash] = true
	d.fillPoolLocked(first, rest)
}

// fillPoolLocked starts building what is missing of the pool, one tunnel at
// first and the last at most within.
func (d *destination) fillPoolLocked(first, within time.Duration) {
	missing := d.quantity - d.building
	for _, t := range d.tunnels {
		if !t.spent {
			missing--
		}
	}
	for i := range max(0, missing) {
		delay := first + between(d.rng, first/4)
		if i > 0 {
			step := (within - first) / time.Duration(missing)
			delay = first + time.Duration(i)*step + between(d.rng, step)
		}
		d.buildLocked(delay)
	}
}

func (d *destination) buildLocked(delay time.Duration) {
	d.building++
	d.afterLocked(delay, func() {
		d.building--
		d.tunnelBuiltLocked()
	})
}

func (d *destination) tunnelBuiltLocked() {
	times := d.net.cfg.Tunnels
	gateway := d.chooseGatewayLocked()
	now := time.Now()
	t := &tunnel{
		key:     tunnelKey{gateway.hash, d.rng.Uint32() | 1},
		gateway: gateway,
		owner:   d,
		built:   now,
		end:     now.Add(times.Life - times.Margin),
	}
	d.tunnels = append(d.tunnels, t)
	d.net.tunnels[t.key] = t
	d.net.countLocked(d.router, func(s *Stats) { s.TunnelsBuilt++ })
	d.observeLocked(EventTunnelBuilt, nil, "")
	d.afterLocked(times.Rebuild, func() { d.replaceLocked(t) })
	d.afterLocked(times.Life, func() { d.dropTunnelLocked(t) })
	d.requestLeasesLocked()
}

// chooseGatewayLocked draws a peer of the fast tier that no other tunnel of
// the pool begins at, if there is one.
func (d *destination) chooseGatewayLocked() *peer {
	tier := d.explicit
	if tier == nil {
		tier = d.router.fastTierLocked()
	}
	free := slices.DeleteFunc(slices.Clone(tier), func(p *peer) bool {
		return slices.ContainsFunc(d.tunnels, func(t *tunnel) bool { return t.gateway == p })
	})
	if len(free) == 0 {
		free = tier
	}
	return free[d.rng.IntN(len(free))]
}

// replaceLocked builds a successor in time before t ends.
func (d *destination) replaceLocked(t *tunnel) {
	if t.spent || !slices.Contains(d.tunnels, t) {
		return
	}
	t.spent = true
	d.fillPoolLocked(d.net.cfg.Tunnels.First, d.net.cfg.Tunnels.Rest)
}

func (d *destination) dropTunnelLocked(t *tunnel) {
	d.tunnels = slices.DeleteFunc(d.tunnels, func(o *tunnel) bool { return o == t })
	delete(d.net.tunnels, t.key)
}

// tunnelFailedLocked is what the owner does when it notices that t is dead.
func (d *destination) tunnelFailedLocked(t *tunnel) {
	d.dropTunnelLocked(t)
	d.net.countLocked(d.router, func(s *Stats) { s.TunnelsLost++ })
	d.observeLocked(EventTunnelFailed, nil, "")
	if d.router.state == routerUp {
		d.requestLeasesLocked()
	}
	d.fillPoolLocked(d.net.cfg.Tunnels.Replace, 2*d.net.cfg.Tunnels.Replace)
}

// leasesLocked lists the pool's tunnels, the newest first.
func (d *destination) leasesLocked() []i2p.Lease {
	var leases []i2p.Lease
	now := time.Now()
	for _, t := range slices.Backward(d.tunnels) {
		if now.Before(t.end) && len(leases) < min(d.quantity+backupTunnels, i2p.MaxLeases) {
			leases = append(leases, i2p.Lease{Gateway: t.key.gateway, Tunnel: t.key.id, End: t.end})
		}
	}
	return leases
}
