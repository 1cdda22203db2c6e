package raftstate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/raft"

	"github.com/onelease/onelease/raftstate/ledger"
)

// All changes to the membership are made on the leader, one after the other,
// and return when a majority has them. Besides the errors that each names, they
// have ErrInvalid, ErrNotLeader, ErrUncertain and ErrClosed.

// BootstrapWith makes a cluster of this node, which must have no state, and
// others, for automation that starts all nodes at once: it is called on one or
// all of them, with the same members, each with its own state of none. The
// error is ErrBootstrapped if there is state.
func (s *Store) BootstrapWith(members []Member) error {
	self, ok := find(members, s.id)
	if err := validMembers(members); err != nil {
		return err
	}
	if !ok || !self.Voter {
		return fmt.Errorf("bootstrap: node %q must be one of the voters: %w", s.id, ledger.ErrInvalid)
	}
	if err := s.enter(); err != nil {
		return fmt.Errorf("bootstrap: %w", err)
	}
	defer s.inFlight.Done()
	err := s.raft.BootstrapCluster(configuration(members)).Error()
	switch {
	case errors.Is(err, raft.ErrCantBootstrap), errors.Is(err, raft.ErrNotLeader):
		return fmt.Errorf("bootstrap: node %q %w; it goes on in its cluster", s.id, ErrBootstrapped)
	case err != nil:
		return fmt.Errorf("bootstrap: %w: %w", ledger.ErrUncertain, err)
	}
	return nil
}

// validMembers checks what raft would, and the names.
func validMembers(members []Member) error {
	voters, ids, addrs := 0, map[string]bool{}, map[string]bool{}
	for _, m := range members {
		if err := cmp.Or(ledger.ValidName("node", m.ID), validAddr(m.Addr)); err != nil {
			return err
		}
		if ids[m.ID] || addrs[m.Addr] {
			return fmt.Errorf("member %q at %s: its ID or its address is there twice: %w", m.ID, m.Addr, ledger.ErrInvalid)
		}
		ids[m.ID], addrs[m.Addr] = true, true
		if m.Voter {
			voters++
		}
	}
	if voters == 0 {
		return fmt.Errorf("%d members, none of which is a voter; there must be one: %w", len(members), ledger.ErrInvalid)
	}
	return nil
}

// catchUpPause is how often a new member is looked at until it has caught up.
const catchUpPause = 2 * time.Millisecond

// AddMember adds a node, which must be running at that host:port. A voter is
// given its vote once it has the whole state, so that the cluster does not wait
// for it; if ctx ends before, it stays a member without one. What is the case
// already is no error. The errors are ErrUnreachable, ErrNotMember for a node
// of another cluster or ID or with state, which would come into conflict with
// the cluster's, and ErrVersion for one that cannot read the state.
func (s *Store) AddMember(ctx context.Context, id, addr string, voter bool) error {
	if err := cmp.Or(ledger.ValidName("node", id), validAddr(addr)); err != nil {
		return fmt.Errorf("add member: %w", err)
	}
	members, err := s.leaderMembers()
	if err != nil {
		return fmt.Errorf("add member %q: %w", id, err)
	}
	if known, ok := find(members, id); ok {
		return s.addAgain(ctx, known, addr, voter)
	}
	if other := s.memberAt(addr); other != "" {
		return fmt.Errorf("add member %q: at %s is member %q; remove that one first: %w", id, addr, other, ledger.ErrInvalid)
	}
	if err := s.probe(ctx, id, addr); err != nil {
		return fmt.Errorf("add member %q: %w", id, err)
	}
	if err := s.change(ctx, func() raft.IndexFuture {
		return s.raft.AddNonvoter(raft.ServerID(id), raft.ServerAddress(addr), 0, 0)
	}); err != nil || !voter {
		return wrap(err, "add member %q", id)
	}
	return s.Promote(ctx, id)
}

// addAgain is for a node that is a member already.
func (s *Store) addAgain(ctx context.Context, known Member, addr string, voter bool) error {
	switch {
	case known.Addr != addr:
		return fmt.Errorf("add member %q: it is a member at %s, not %s; remove it first: %w", known.ID, known.Addr, addr, ledger.ErrInvalid)
	case known.Voter && !voter:
		return fmt.Errorf("add member %q: it is a voter already; demote it: %w", known.ID, ledger.ErrInvalid)
	case voter && !known.Voter:
		return s.Promote(ctx, known.ID)
	}
	return nil
}

// probe refuses a node before it could cost the cluster its majority.
func (s *Store) probe(ctx context.Context, id, addr string) error {
	if s.transport == nil {
		return nil
	}
	at, err := s.transport.Probe(ctx, addr)
	switch {
	case errors.Is(err, ErrNotMember), errors.Is(err, ledger.ErrVersion):
		return err
	case err != nil:
		return fmt.Errorf("%w: %w; start it first, with this cluster's ID", ErrUnreachable, err)
	case at.ID != id:
		return fmt.Errorf("at %s is node %q: %w", addr, at.ID, ErrNotMember)
	case at.HasState:
		return fmt.Errorf("it has state of another cluster, or of when it was a member; start it with an empty directory and without Bootstrap: %w", ErrNotMember)
	case at.Version < s.State().Version:
		return fmt.Errorf("it reads up to version %d, and the state is of version %d; upgrade it, or raise its MaxVersion: %w",
			at.Version, s.State().Version, ledger.ErrVersion)
	}
	return nil
}

// Promote gives a member its vote, once it has caught up. The errors are
// ErrUnknownMember and ErrUnreachable.
func (s *Store) Promote(ctx context.Context, id string) error {
	m, err := s.member(id)
	if err != nil || m.Voter {
		return wrap(err, "promote member %q", id)
	}
	if err := s.caughtUp(ctx, id); err != nil {
		return fmt.Errorf("promote member %q: %w", id, err)
	}
	return wrap(s.change(ctx, func() raft.IndexFuture {
		return s.raft.AddVoter(raft.ServerID(id), raft.ServerAddress(m.Addr), 0, 0)
	}), "promote member %q", id)
}

// caughtUp waits until the member has all that is in the log when it is called.
func (s *Store) caughtUp(ctx context.Context, id string) error {
	if s.transport == nil {
		return nil // nothing tells
	}
	want := s.raft.LastIndex()
	ticker := time.NewTicker(catchUpPause)
	defer ticker.Stop()
	for s.contact(id).lastLog < want {
		select {
		case <-ticker.C:
		case <-s.closing:
			return ledger.ErrClosed
		case <-ctx.Done():
			return fmt.Errorf("it has not caught up: %w: %w", ErrUnreachable, context.Cause(ctx))
		}
		if !s.Leader().Self {
			return ledger.ErrNotLeader
		}
	}
	return nil
}

// Demote takes a member's vote. The errors are ErrUnknownMember, and ErrQuorum
// if the voters that are left could not commit.
func (s *Store) Demote(ctx context.Context, id string) error {
	m, err := s.member(id)
	if err == nil && m.Voter {
		err = s.checkQuorum(id)
	}
	if err != nil || !m.Voter {
		return wrap(err, "demote member %q", id)
	}
	return wrap(s.change(ctx, func() raft.IndexFuture { return s.raft.DemoteVoter(raft.ServerID(id), 0, 0) }), "demote member %q", id)
}

// Remove removes a member, which may be dead, or the leader itself. The removed
// node becomes idle, and is not to be started with its state again. The errors
// are ErrUnknownMember, and ErrQuorum if the voters that are left could not
// commit.
func (s *Store) Remove(ctx context.Context, id string) error {
	m, err := s.member(id)
	if err == nil && m.Voter {
		err = s.checkQuorum(id)
	}
	if err != nil {
		return fmt.Errorf("remove member %q: %w", id, err)
	}
	return s.remove(ctx, id)
}

// ForceRemove is Remove that accepts that the cluster may stand still until
// other voters come back. The last voter cannot be removed.
func (s *Store) ForceRemove(ctx context.Context, id string) error {
	if _, err := s.member(id); err != nil {
		return fmt.Errorf("remove member %q: %w", id, err)
	}
	return s.remove(ctx, id)
}

func (s *Store) remove(ctx context.Context, id string) error {
	return wrap(s.change(ctx, func() raft.IndexFuture { return s.raft.RemoveServer(raft.ServerID(id), 0, 0) }), "remove member %q", id)
}

// member is for changes: the errors are ErrNotLeader and ErrUnknownMember.
func (s *Store) member(id string) (Member, error) {
	members, err := s.leaderMembers()
	if err != nil {
		return Member{}, err
	}
	m, ok := find(members, id)
	if !ok {
		return m, ErrUnknownMember
	}
	return m, nil
}

func (s *Store) leaderMembers() ([]Member, error) {
	members, err := s.Members()
	if err == nil && !s.Leader().Self {
		err = ledger.ErrNotLeader
	}
	return members, err
}

// checkQuorum says why the voters but id could not commit: of those that
// answer, there must be a majority.
func (s *Store) checkQuorum(id string) error {
	members, err := s.leaderMembers()
	if err != nil {
		return err
	}
	voters, alive := 0, 0
	for _, m := range members {
		if !m.Voter || m.ID == id {
			continue
		}
		voters++
		if m.Self || s.transport == nil || time.Since(m.LastContact) < s.patience() {
			alive++
		}
	}
	if alive < voters/2+1 {
		return fmt.Errorf("of the %d voters then left %d answer: %w; start another first, or add one", voters, alive, ErrQuorum)
	}
	return nil
}

// patience is how long a member may be silent and count as alive: two
// heartbeat timeouts, of which a live one has answered some twenty.
func (s *Store) patience() time.Duration { return 2 * s.heartbeat }

// change waits for a change to the membership, and until those who are alive
// know it.
func (s *Store) change(ctx context.Context, submit func() raft.IndexFuture) error {
	err := s.do(ctx, func() raft.Future { return submit() })
	if err == nil {
		s.spread(ctx)
	}
	return err
}

// spread waits until all members that answer have the whole log, as long as
// one may be silent. A member of raft v1.7.3 gives no vote to one that it does
// not know as a voter. So if this node and a new voter alone had its promotion,
// and this node died, the others would refuse the only one that can lead, for
// as long as this node is away.
func (s *Store) spread(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, s.patience())
	defer cancel()
	members, _ := s.Members()
	for _, m := range members {
		if !m.Self && time.Since(m.LastContact) < s.patience() {
			s.caughtUp(ctx, m.ID) // or not in time
		}
	}
}

// wrap leaves no error as it is.
func wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf(format+": %w", append(args, err)...)
}
