package raftstate

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/raft"
)

// Transfer has another voter lead, one that has the whole log if id is empty,
// and returns when this node knows the new leader, which Leader then names. It
// takes some milliseconds. The errors are ErrUnknownMember, ErrQuorum if no
// other voter could lead, ErrNotLeader and ErrUncertain, after which this node
// may still lead.
func (s *Store) Transfer(ctx context.Context, id string) error {
	if err := s.checkSuccessor(id); err != nil {
		return fmt.Errorf("transfer leadership: %w", err)
	}
	if id == s.id {
		return nil
	}
	if err := s.do(ctx, func() raft.Future { return s.handOver(id) }); err != nil {
		return fmt.Errorf("transfer leadership to %q: %w", id, err)
	}
	return s.waitSuccessor(ctx)
}

func (s *Store) handOver(id string) raft.Future {
	if id == "" {
		return s.raft.LeadershipTransfer()
	}
	m, _ := s.member(id)
	return s.raft.LeadershipTransferToServer(raft.ServerID(id), raft.ServerAddress(m.Addr))
}

func (s *Store) checkSuccessor(id string) error {
	if id != "" {
		m, err := s.member(id)
		if err == nil && !m.Voter {
			err = fmt.Errorf("member %q has no vote; promote it first: %w", id, ErrInvalid)
		}
		return err
	}
	members, err := s.leaderMembers()
	if err != nil {
		return err
	}
	for _, m := range members {
		if m.Voter && !m.Self {
			return nil
		}
	}
	return fmt.Errorf("there is no other voter: %w", ErrQuorum)
}

// waitSuccessor ends when another leader is known, or this node leads again. For
// a moment it still names itself when it has ceased to.
func (s *Store) waitSuccessor(ctx context.Context) error {
	for {
		changed := s.LeaderChanged()
		if l := s.Leader(); l.ID != "" && (!l.Self || s.raft.State() == raft.Leader) {
			return nil
		}
		select {
		case <-changed:
		case <-s.closing:
			return ErrClosed
		case <-ctx.Done():
			return fmt.Errorf("the new leader is not known yet: %w", context.Cause(ctx))
		}
	}
}

// StepDown is for before Close: a leader with other voters hands over to one,
// so that they need not wait for an election. Close does not do it, so that it
// ends a node as fast as a kill does. A node that does not lead does nothing.
func (s *Store) StepDown(ctx context.Context) error {
	if !s.Leader().Self {
		return nil
	}
	err := s.Transfer(ctx, "")
	if errors.Is(err, ErrQuorum) || errors.Is(err, ErrNotLeader) {
		return nil
	}
	return err
}
