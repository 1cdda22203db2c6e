package cluster

import (
	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/raftstate/ledger"
)

// A Status is what a balancer knows of itself and the cluster. It asks nobody.
type Status struct {
	Name, Address string
	// Office is what the balancer does, in words, or why it does nothing.
	Office string
	// Able says that it has the keys, and could lead; Leads that it does, and works.
	Able, Leads bool
	// Leader is the name of the one that leads, as far as this one knows; empty if none.
	Leader string
	// Member says that the cluster knows this balancer; Voters are those with a vote.
	Member bool
	Voters int
	// Generation is when the state was made or last restored, in ms since 1970; 0 before.
	Generation uint64
	// Issued is what was issued for the Destination, as this copy of the state has it.
	Issued ledger.Destination
	// Working is what it knows while it leads; else nil.
	Working *controlpb.Status
}

// Status is a snapshot.
func (n *Node) Status() Status {
	state, leader := n.store.State(), n.store.Leader()
	s := Status{
		Name: n.info.Name, Address: n.info.Address, Office: n.office(), Leader: leader.ID,
		Generation: state.Generation, Issued: state.Destinations[n.dest.Hash()],
	}
	members, _ := n.store.Members() // none once it is closed
	for _, m := range members {
		s.Member = s.Member || m.Self
		if m.Voter {
			s.Voters++
		}
	}
	if b := n.leader.Load(); b != nil {
		s.Able = true
		if working := b.Status(); working.GetLeader() {
			s.Leads, s.Working = true, working
		}
	}
	return s
}

// Destination is the b32 address of the cluster's.
func (n *Node) Destination() string { return n.dest.Base32() }
