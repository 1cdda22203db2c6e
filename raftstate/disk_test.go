package raftstate

import (
	"bytes"
	"io/fs"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/onelease/onelease/raftstate/ledger"
	"github.com/onelease/onelease/raftstate/ledger/ledgertest"
)

// apply commits commands, all of which must be accepted.
func apply(t testing.TB, s *Store, records ...ledger.Record) {
	t.Helper()
	for _, r := range records {
		if _, err := s.Apply(t.Context(), ledger.Issue(ledgertest.Hash(1), r)); err != nil {
			t.Fatal(err)
		}
	}
}

// reopen opens dir and returns its state and the term of the first command.
func reopen(t *testing.T, dir string) (*ledger.State, uint64) {
	t.Helper()
	s := open(t, Config{Dir: dir})
	defer s.Close()
	if err := s.Barrier(t.Context()); err != nil {
		t.Fatal(err)
	}
	state := s.State()
	r, err := s.Apply(t.Context(), ledger.SetEpoch(ledgertest.Hash(9), state.Destination(ledgertest.Hash(9)).Epoch+1, "reopened"))
	if err != nil {
		t.Fatal(err)
	}
	return state, r.Term
}

func TestRestartHasAllThatWasCommitted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		s := open(t, Config{Dir: dir})
		for _, cmd := range ledgertest.Commands2() {
			if _, err := s.Apply(t.Context(), cmd); err != nil {
				t.Fatal(err)
			}
		}
		want := ledgertest.Encode(t, s.State())
		term := s.State().Destination(ledgertest.Hash(1)).LastTerm
		s.Close()
		got, later := reopen(t, dir)
		if !bytes.Equal(ledgertest.Encode(t, got), want) {
			t.Errorf("after a restart the state is %+v", got)
		}
		if later <= term {
			t.Errorf("after a restart commands are of term %d, before it of %d", later, term)
		}
	})
}

func TestRestartFromSnapshotAndLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		s := open(t, Config{Dir: dir})
		apply(t, s, ledgertest.Records(1, 5)...)
		if err := s.Snapshot(); err != nil {
			t.Fatal(err)
		}
		apply(t, s, ledgertest.Records(6, 5)...)
		s.Close()
		truncateLog(t, dir, 3) // so that the snapshot is needed
		if s, _ := reopen(t, dir); s.Destination(ledgertest.Hash(1)).LastSeq != 10 {
			t.Errorf("restored seq %d, want 10", s.Destination(ledgertest.Hash(1)).LastSeq)
		}
	})
}

func TestFilesArePrivate(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "made", "by", "open")
		s := open(t, Config{Dir: dir})
		defer s.Close()
		apply(t, s, ledgertest.Record(1, ""))
		if err := s.Snapshot(); err != nil {
			t.Fatal(err)
		}
		files := 0
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := entry.Info()
			want := fs.FileMode(0o600)
			if entry.IsDir() {
				want = 0o700
			} else {
				files++
			}
			if err == nil && info.Mode().Perm() != want {
				t.Errorf("%s has mode %v, want %v", path, info.Mode().Perm(), want)
			}
			return err
		})
		if err != nil || files != 3 {
			t.Errorf("found %d files, %v, want raft.db and a snapshot of two", files, err)
		}
	})
}

func TestSnapshotOfNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, Config{Dir: t.TempDir()})
		defer s.Close()
		if err := s.Snapshot(); err != nil {
			t.Error(err)
		}
	})
}
