package raftstate

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/hashicorp/raft"

	"github.com/onelease/onelease/raftstate/ledger"
)

// errRestoring is for commands while the state is replaced.
var errRestoring = fmt.Errorf("a backup is being restored: %w", ledger.ErrNotLeader)

// Restore replaces the state of the cluster, whose leader this node must be,
// with that of the backup, on all members; the membership stays. Commands are
// refused with ErrNotLeader meanwhile. All members must read version 2. The
// errors are ErrVersion, ErrNotLeader, ErrNotMember for a backup of another
// cluster, ErrUncertain and ErrClosed.
func (s *Store) Restore(ctx context.Context, b *Backup, now time.Time) error {
	if err := s.checkRestore(b); err != nil {
		return fmt.Errorf("restore backup: %w", err)
	}
	if err := s.Barrier(ctx); err != nil {
		return fmt.Errorf("restore backup: %w", err)
	}
	// A command that is committed after the state has been read would be lost.
	if err := s.pause(errRestoring); err != nil {
		return fmt.Errorf("restore backup: %w", err)
	}
	defer s.resume(errRestoring)
	return wrap(s.replace(ctx, b, now), "restore backup")
}

func (s *Store) checkRestore(b *Backup) error {
	version, holder := s.writeVersion()
	switch {
	case b.Cluster != s.cluster:
		return fmt.Errorf("it is of cluster %q, and this is cluster %q: %w", b.Cluster, s.cluster, ErrNotMember)
	case !s.Leader().Self:
		return ledger.ErrNotLeader
	case version < max(2, b.State.Version):
		return fmt.Errorf("it needs version %d: %s: %w", max(2, b.State.Version), s.heldBack(holder), ledger.ErrVersion)
	}
	return nil
}

// replace has raft write the snapshot to all members.
func (s *Store) replace(ctx context.Context, b *Backup, now time.Time) error {
	content, err := b.State.Restored(s.State(), now).Encode()
	if err != nil {
		return err
	}
	if _, err := ledger.Decode(content); err != nil {
		return err // raft panics at what it cannot restore
	}
	meta := &raft.SnapshotMeta{Version: raft.SnapshotVersionMax, Index: b.Index, Term: b.Term, Size: int64(len(content))}
	done := make(chan error, 1)
	go func() { done <- s.raft.Restore(meta, io.NopCloser(bytes.NewReader(content)), 0) }()
	select {
	case err := <-done:
		return fromRaft(err)
	case <-s.closing:
		return ledger.ErrClosed
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ledger.ErrUncertain, context.Cause(ctx))
	}
}

// RestoreDir writes the state of a backup to a directory without state, from
// which Open then starts a cluster of one, the node at addr: for a cluster that
// was lost whole. The others are added to it with directories that are empty.
// The errors are ErrInvalid, ErrBootstrapped, ErrLocked and those of the file
// system.
func RestoreDir(dir, id, addr string, b *Backup) error {
	self := Member{ID: id, Addr: addr, Voter: true}
	if err := validMembers([]Member{self}); err != nil {
		return fmt.Errorf("restore to %s: %w", dir, err)
	}
	c := &Config{ID: id, Dir: dir, Cluster: b.Cluster}
	f, err := c.openFiles(newRaftLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		return fmt.Errorf("restore backup: %w", err)
	}
	err = c.writeRestored(f, b, configuration([]Member{self}))
	if closeErr := f.close(); err == nil {
		err = closeErr
	}
	return wrap(err, "restore backup to %s", dir)
}

// writeRestored writes the term last: without it, the snapshot of a later term
// shows that the directory is not complete.
func (c *Config) writeRestored(f *files, b *Backup, members raft.Configuration) error {
	exists, err := raft.HasExistingState(f.logs, f.stable, f.snapshots)
	if err != nil {
		return err
	}
	if exists {
		return fmt.Errorf("it %w; give an empty directory, or restore on the running leader", ErrBootstrapped)
	}
	if err := c.checkIdentity(f.stable, false); err != nil {
		return err
	}
	now := time.Now()
	state := b.State.RestoredAlone(now)
	_, transport := raft.NewInmemTransport(members.Servers[0].Address)
	index, term := max(b.Index, 1), max(b.Term, 1)
	sink, err := f.snapshots.Create(raft.SnapshotVersionMax, index, term, members, 1, transport)
	if err != nil {
		return err
	}
	if err := (image{state}).Persist(sink); err != nil {
		return err
	}
	return f.stable.SetUint64([]byte("CurrentTerm"), term)
}
