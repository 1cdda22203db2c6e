package raftstate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/raft"

	"github.com/onelease/onelease/raftstate/ledger"
	"github.com/onelease/onelease/raftstate/statepb"
)

// WriteVersion returns the version that this node, if it leads, writes commands
// with: the highest that all members of the cluster are known to read, and at
// least that of State. A member that has not been heard since this node's start
// keeps it at that of State.
func (s *Store) WriteVersion() uint32 {
	version, _ := s.writeVersion()
	return version
}

// writeVersion also names the member that keeps it from being higher.
func (s *Store) writeVersion() (version uint32, holder string) {
	at := s.State().Version
	version, holder = s.replica.maxVersion, s.id
	for _, member := range s.raft.GetConfiguration().Configuration().Servers {
		id := string(member.ID)
		if id == s.id {
			continue
		}
		if v := max(at, s.contact(id).version); v < version {
			version, holder = v, id
		}
	}
	return max(version, at), holder
}

// contact is what is known of another node, if the Transport is ours.
func (s *Store) contact(id string) contact {
	if s.transport == nil {
		return contact{}
	}
	return s.transport.contacts.get(id)
}

// stamp returns cmd in the version to be written.
func (s *Store) stamp(cmd *statepb.Command) (*statepb.Command, error) {
	version, holder := s.writeVersion()
	if cmd.GetVersion() <= version {
		return &statepb.Command{Version: version, Op: cmd.GetOp()}, nil
	}
	if err := s.Err(); err != nil {
		return nil, err
	}
	if s.raft.State() != raft.Leader {
		return nil, fmt.Errorf("commit command: %w", ledger.ErrNotLeader)
	}
	return nil, fmt.Errorf("command of version %d: %s: %w", cmd.GetVersion(), s.heldBack(holder), ledger.ErrVersion)
}

// heldBack says what to do about the member that holds the version back.
func (s *Store) heldBack(holder string) string {
	reads := s.contact(holder).version
	if holder == s.id {
		reads = s.replica.maxVersion
	}
	if reads == 0 {
		return fmt.Sprintf("it is not known whether member %q reads it; start that node, or remove it from the cluster", holder)
	}
	return fmt.Sprintf("member %q reads up to version %d; upgrade that node, or raise its MaxVersion", holder, reads)
}

// EnsureGeneration begins the first generation, if none has begun and all
// members read version 2; else it does nothing. A new leader calls it after
// Barrier. The errors are those of Apply.
func (s *Store) EnsureGeneration(ctx context.Context, now time.Time) error {
	if s.State().Generation != 0 || s.WriteVersion() < 2 {
		return nil
	}
	_, err := s.Apply(ctx, ledger.SetGeneration(uint64(now.UnixMilli())))
	if errors.Is(err, ledger.ErrStale) {
		return nil // another caller was faster
	}
	return err
}
