package simnet

import (
	"math/rand/v2"
	"time"
)

// maxInFlight bounds the bytes of messages that are under way.
const maxInFlight = 64 << 20

// A Link is what a message meets between two Destinations. Probabilities are
// from 0 to 1.
type Link struct {
	// Latency is one way; 50 ms if 0, unless Instant.
	Latency time.Duration
	// Jitter adds up to as much again, drawn for each message.
	Jitter time.Duration
	// Loss is the probability that a message is lost.
	Loss float64
	// Reorder is the probability that a message takes an extra Latency and
	// Jitter, and so falls behind.
	Reorder float64
	// Duplicate is the probability that a message arrives twice.
	Duplicate float64
	// Instant delivers within the call that sends, if Latency and Jitter are 0.
	Instant bool
}

// withDefaults fills in the latency.
func (l Link) withDefaults() Link {
	if l.Latency == 0 && !l.Instant {
		l.Latency = 50 * milli
	}
	return l
}

// delay draws the time that one message takes.
func (l Link) delay(rng *rand.Rand) time.Duration {
	d := l.Latency + between(rng, l.Jitter)
	if l.Reorder > 0 && rng.Float64() < l.Reorder {
		d += l.Latency + between(rng, l.Jitter)
	}
	return d
}

func (l Link) loses(rng *rand.Rand) bool { return l.Loss > 0 && rng.Float64() < l.Loss }

func (l Link) duplicates(rng *rand.Rand) bool { return l.Duplicate > 0 && rng.Float64() < l.Duplicate }

// SetLink changes the link between all Destinations from now on.
func (n *Network) SetLink(l Link) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cfg.Link = l.withDefaults()
}

// transmitLocked carries m from d to where lease leads.
func (n *Network) transmitLocked(d *destination, lease tunnelKey, m *message) {
	link := n.cfg.Link
	if link.loses(d.rng) {
		n.lostLocked(d.router, LostOnLink)
		return
	}
	if n.inFlight > maxInFlight {
		n.lostLocked(d.router, LostCrowded)
		return
	}
	copies := 1
	if link.duplicates(d.rng) {
		copies = 2
	}
	for range copies {
		n.carryLocked(link.delay(d.rng), lease, m)
		copied := *m
		copied.duplicate = true
		m = &copied
	}
}

func (n *Network) carryLocked(delay time.Duration, lease tunnelKey, m *message) {
	if delay == 0 {
		n.arriveLocked(lease, m)
		return
	}
	size := len(m.payload)
	n.inFlight += size
	n.afterLocked(nil, delay, func() {
		n.inFlight -= size
		n.arriveLocked(lease, m)
	})
}

// arriveLocked hands m to the Destination whose tunnel lease is.
func (n *Network) arriveLocked(lease tunnelKey, m *message) {
	t := n.tunnels[lease]
	switch {
	case t == nil:
		n.lostLocked(m.by, LostNoTunnel)
	case t.owner.router.state == routerFrozen:
		n.lostLocked(m.by, LostFrozen)
	default:
		t.owner.receiveLocked(m)
	}
}
