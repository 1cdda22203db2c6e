package raftstate

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/raft"

	"github.com/onelease/onelease/raftstate/ledger"
)

// errHandingOver is for commands while leadership goes to another node.
var errHandingOver = fmt.Errorf("leadership is being handed over: %w", ledger.ErrNotLeader)

// Transfer has another voter lead, the one that was heard last if id is empty,
// and returns when this node knows the new leader, which Leader then names. It
// takes some milliseconds, in which commands are refused with ErrNotLeader. The
// errors are ErrUnknownMember, ErrUnreachable, ErrQuorum if there is no other
// voter, ErrNotLeader and ErrUncertain; after them this node may still lead.
func (s *Store) Transfer(ctx context.Context, id string) error {
	to, err := s.successor(id)
	if err != nil {
		return fmt.Errorf("transfer leadership: %w", err)
	}
	if to.Self {
		return nil
	}
	if err := s.handOver(ctx, to); err != nil {
		return fmt.Errorf("transfer leadership to %q: %w", to.ID, err)
	}
	return s.waitSuccessor(ctx)
}

// handOver lets no command begin meanwhile. Raft v1.7.3 can remain in the
// transfer for good, and take no command even when it leads again, if it loses
// leadership while it still brings the successor up to date
// (github.com/hashicorp/raft issue 696). So there must be nothing to bring.
func (s *Store) handOver(ctx context.Context, to Member) error {
	catchUp, cancel := context.WithTimeout(ctx, s.patience())
	defer cancel()
	if err := s.caughtUp(catchUp, to.ID); err != nil {
		return err
	}
	if err := s.pause(errHandingOver); err != nil {
		return err
	}
	defer s.resume(errHandingOver)
	if err := s.caughtUp(catchUp, to.ID); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() {
		done <- s.raft.LeadershipTransferToServer(raft.ServerID(to.ID), raft.ServerAddress(to.Addr)).Error()
	}()
	select {
	case err := <-done:
		return fromRaft(err)
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ledger.ErrUncertain, context.Cause(ctx))
	}
}

// successor chooses who is to lead.
func (s *Store) successor(id string) (Member, error) {
	if id != "" {
		m, err := s.member(id)
		if err == nil && !m.Voter {
			err = fmt.Errorf("member %q has no vote; promote it first: %w", id, ledger.ErrInvalid)
		}
		return m, err
	}
	members, err := s.leaderMembers()
	if err != nil {
		return Member{}, err
	}
	var best Member
	for _, m := range members {
		if m.Voter && !m.Self && (best.ID == "" || m.LastContact.After(best.LastContact)) {
			best = m
		}
	}
	if best.ID == "" {
		return best, fmt.Errorf("there is no other voter: %w", ErrQuorum)
	}
	return best, nil
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
			return ledger.ErrClosed
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
	if errors.Is(err, ErrQuorum) || errors.Is(err, ledger.ErrNotLeader) {
		return nil
	}
	return err
}
