package raftstate

import (
	"time"

	"github.com/hashicorp/raft"

	"github.com/onelease/onelease/raftstate/ledger"
)

// A Member is a node of the cluster.
type Member struct {
	ID string
	// Addr is the host:port that the other nodes reach it by.
	Addr string
	// Voter is whether it counts to the majority and may lead. One that does
	// not only has a copy of the state.
	Voter bool

	// The fields below are of Store.Members only.

	// Leader is whether it leads, and Self whether it is the node asked.
	Leader, Self bool
	// LastContact is when this node, as the leader, last heard of it; zero if it
	// does not lead or has not.
	LastContact time.Time
	// Version is the highest version of commands that it reads; 0 if it is not
	// known to this node.
	Version uint32
	// Lag is how many log entries it was behind at LastContact.
	Lag uint64
}

// Members returns the nodes of the cluster, as this one knows them, none if it
// has not been added to any. If none of them is Self, this node has been
// removed. One that is dead is told by its LastContact and is never removed but
// by Remove. The error is ErrClosed.
func (s *Store) Members() ([]Member, error) {
	select {
	case <-s.closing:
		return nil, ledger.ErrClosed
	default:
	}
	leader := s.Leader()
	var members []Member
	for _, server := range s.raft.GetConfiguration().Configuration().Servers {
		members = append(members, s.describe(server, leader))
	}
	return members, nil
}

func (s *Store) describe(server raft.Server, leader ledger.Leader) Member {
	id := string(server.ID)
	m := Member{
		ID: id, Addr: string(server.Address), Voter: server.Suffrage == raft.Voter,
		Leader: id == leader.ID, Self: id == s.id,
	}
	known := s.contact(id)
	m.Version = known.version
	switch {
	case m.Self:
		m.Version = s.replica.maxVersion
	case leader.Self:
		m.LastContact = known.heard
		if last := s.raft.LastIndex(); last > known.lastLog {
			m.Lag = last - known.lastLog
		}
	}
	return m
}

// memberAt names the member of an address, "" if there is none.
func (s *Store) memberAt(addr string) string {
	for _, server := range s.raft.GetConfiguration().Configuration().Servers {
		if string(server.Address) == addr {
			return string(server.ID)
		}
	}
	return ""
}

func (s *Store) hasState() bool { return len(s.raft.GetConfiguration().Configuration().Servers) > 0 }

func find(members []Member, id string) (Member, bool) {
	for _, m := range members {
		if m.ID == id {
			return m, true
		}
	}
	return Member{}, false
}

// configuration is what raft calls a list of members.
func configuration(members []Member) raft.Configuration {
	var c raft.Configuration
	for _, m := range members {
		suffrage := raft.Nonvoter
		if m.Voter {
			suffrage = raft.Voter
		}
		c.Servers = append(c.Servers, raft.Server{Suffrage: suffrage, ID: raft.ServerID(m.ID), Address: raft.ServerAddress(m.Addr)})
	}
	return c
}
