package simnet

import (
	"fmt"
	"time"

	"github.com/onelease/onelease/i2p"
)

// A Loss says why a message did not arrive.
type Loss int

// The reasons for which messages are lost.
const (
	// LostOnLink: Link.Loss.
	LostOnLink Loss = iota
	// LostNoTunnel: the lease has ended, or the tunnel or its router is gone.
	LostNoTunnel
	// LostFrozen: the router is frozen.
	LostFrozen
	// LostUnknownSession: a router that does not know the ratchet session.
	LostUnknownSession
	// LostWrongKey: a new session for a static key that the router does not
	// hold.
	LostWrongKey
	// LostTooOften: a new session too soon after another.
	LostTooOften
	// LostAwaitingReply: sent after a new session and before the reply to it.
	LostAwaitingReply
	// LostNoLeaseSet: no LeaseSet of the receiver was found.
	LostNoLeaseSet
	// LostNoLease: the receiver's LeaseSet has no lease left.
	LostNoLease
	// LostQueueFull: the receiving client does not read fast enough.
	LostQueueFull
	// LostCrowded: more messages under way than the network holds.
	LostCrowded
	lossCount
)

var lossNames = [lossCount]string{"on link", "no tunnel", "router frozen", "unknown session", "wrong key",
	"new sessions too often", "awaiting reply", "no LeaseSet", "no lease", "client's queue full", "network full"}

// String is a short name for tables.
func (l Loss) String() string {
	if l >= 0 && l < lossCount {
		return lossNames[l]
	}
	return fmt.Sprintf("loss %d", int(l))
}

// Stats count messages, of a router or of the whole network. A message is
// counted as sent and lost at its sender's router, as delivered at the
// receiver's, and as unknown session, wrong key, too often and queue full at the
// one that dropped it.
type Stats struct {
	// Sent are messages that clients gave to their router, and answers to pings.
	Sent uint64
	// Delivered are messages that clients were given.
	Delivered uint64
	// NewSessions are ratchet sessions begun, Replies those answered.
	NewSessions, Replies uint64
	// Publishes are LeaseSets that floodfills took, Refused those they did not.
	Publishes, Refused uint64
	// Lookups are LeaseSets asked for, NotFound those that no floodfill had.
	Lookups, NotFound uint64
	// Invalid are LeaseSets of clients that the router did not take.
	Invalid uint64
	// TunnelsBuilt and TunnelsLost are inbound tunnels; those that end in
	// their time are not counted as lost.
	TunnelsBuilt, TunnelsLost uint64
	// Lost is indexed by Loss.
	Lost [lossCount]uint64
}

// Losses is the sum of Lost.
func (s Stats) Losses() uint64 {
	var sum uint64
	for _, n := range s.Lost {
		sum += n
	}
	return sum
}

// An EventKind says what happened.
type EventKind string

// What Config.Observe is told of.
const (
	EventTunnelBuilt  EventKind = "tunnel built"
	EventTunnelFailed EventKind = "tunnel failed"
	EventInstalled    EventKind = "LeaseSet installed"
	EventPublished    EventKind = "LeaseSet published"
	EventRefused      EventKind = "LeaseSet refused"
	EventNewSession   EventKind = "new session"
	EventSessionUp    EventKind = "I2CP session up"
	EventSessionDown  EventKind = "I2CP session down"
	EventRouterDown   EventKind = "router down"
	EventRouterUp     EventKind = "router up"
)

// An Event is one thing that happened in a network.
type Event struct {
	At   time.Time
	Kind EventKind
	// Router is the name of the router concerned.
	Router string
	// Destination is zero where none is concerned.
	Destination i2p.Hash
	// LeaseSet are the bytes of EventInstalled, EventPublished and EventRefused.
	LeaseSet []byte
	// Detail says more, in words.
	Detail string
}

// Stats returns the whole network's counters.
func (n *Network) Stats() Stats {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.stats
}

// countLocked counts for the network and for r, which may be nil.
func (n *Network) countLocked(r *Router, count func(*Stats)) {
	count(&n.stats)
	if r != nil {
		count(&r.stats)
	}
}

func (n *Network) lostLocked(r *Router, why Loss) {
	n.countLocked(r, func(s *Stats) { s.Lost[why]++ })
}

func (n *Network) observeLocked(e Event) {
	if n.cfg.Observe != nil {
		e.At = time.Now()
		n.cfg.Observe(e)
	}
}
