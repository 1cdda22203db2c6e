package raftstate

import (
	"time"

	"github.com/hashicorp/raft"
)

// A Preset is the timing of a cluster: how fast a dead leader is replaced,
// against how easily a slow one is. Every node of a cluster has the same.
type Preset struct {
	// Heartbeat is how long a follower hears nothing before it stands for
	// election, after a random delay of up to as much again. It is also the
	// time until an election that no one has won is held again.
	Heartbeat time.Duration
	// LeaderLease is how long a leader goes on without hearing from a
	// majority, at most Heartbeat.
	LeaderLease time.Duration
	// Commit is how soon followers learn of the last commit when no further
	// one tells them.
	Commit time.Duration
}

// LAN is the timing between machines of one site.
func LAN() Preset {
	return Preset{
		// With three nodes and this timing, the first commit after a leader's
		// death came after 0.50 s (median of 30; longest 0.65 s). A frontend is
		// to have a new leader within a second. Half of it would win 0.3 s,
		// and elect on every pause of a busy machine.
		Heartbeat: 250 * time.Millisecond,
		// Half the heartbeat: an isolated leader has stepped down before the
		// others elect.
		LeaderLease: 125 * time.Millisecond,
		// Raft's default. Nothing waits on it: only a leader's state is acted on.
		Commit: 50 * time.Millisecond,
	}
}

// WAN is the timing between sites.
func WAN() Preset {
	return Preset{
		// Twice raft's default of 1 s, with which a new leader's first commit
		// took up to 2.8 s. Round trips between continents take 0.3 s, and TCP
		// resends a lost heartbeat after a second or more. LeaseSets live for
		// minutes, so some seconds without a leader cost little.
		Heartbeat: 2 * time.Second,
		// Half the heartbeat, as in LAN.
		LeaderLease: time.Second,
		// A message to each follower after every lull: fewer over a paid line.
		Commit: 200 * time.Millisecond,
	}
}

func (p Preset) orLAN() Preset {
	if p == (Preset{}) {
		return LAN()
	}
	return p
}

// configure sets the timing of raft. The zero Preset is LAN.
func (p Preset) configure(c *raft.Config) {
	p = p.orLAN()
	c.HeartbeatTimeout, c.ElectionTimeout = p.Heartbeat, p.Heartbeat
	c.LeaderLeaseTimeout, c.CommitTimeout = p.LeaderLease, p.Commit
}
