package solo

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onelease/onelease/raftstate"
	"github.com/onelease/onelease/raftstate/ledger"
	"github.com/onelease/onelease/raftstate/ledger/ledgertest"
)

func open(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// issue commits the record of a seq, and returns its term.
func issue(t *testing.T, s *Store, seq uint64) uint64 {
	t.Helper()
	r, err := s.Apply(t.Context(), ledger.Issue(ledgertest.Hash(1), ledgertest.Record(seq, "")))
	if err != nil || r.Seq != seq || r.Published != ledgertest.Record(seq, "").Published {
		t.Fatalf("issue %d: %+v, %v", seq, r, err)
	}
	return r.Term
}

func TestRestartHasAllAndANewTerm(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made")
	s := open(t, dir)
	if leader := s.Leader(); !leader.Self || !<-s.LeaderCh() {
		t.Errorf("leader %+v", leader)
	}
	for _, cmd := range ledgertest.Commands2() {
		if _, err := s.Apply(t.Context(), cmd); err != nil {
			t.Fatal(err)
		}
	}
	want := ledgertest.Encode(t, s.State())
	term := issue(t, s, 4)
	for range 3 {
		s.Close()
		s = open(t, dir)
		seq := s.State().Destination(ledgertest.Hash(1)).LastSeq
		later := issue(t, s, seq+1)
		if seq < 4 || later <= term {
			t.Errorf("after a restart seq %d of term %d, before of term %d", seq, later, term)
		}
		term = later
	}
	if bytes.Equal(ledgertest.Encode(t, s.State()), want) {
		t.Error("what was issued since is not in the state")
	}
	if s.State().Generation != 1_700_000_000_123 || len(s.State().Invites) != 1 {
		t.Errorf("after restarts the state is %+v", s.State())
	}
}

func TestRefusedCommandChangesNothing(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	issue(t, s, 1)
	before, _ := os.ReadFile(filepath.Join(dir, ledger.SoloFile))
	if _, err := s.Apply(t.Context(), ledger.Issue(ledgertest.Hash(1), ledgertest.Record(1, ""))); !errors.Is(err, ledger.ErrStale) {
		t.Errorf("a seq twice: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Apply(ended, ledger.RemoveInvite("a")); !errors.Is(err, context.Canceled) || errors.Is(err, ledger.ErrUncertain) {
		t.Errorf("with a context that has ended: %v", err)
	}
	if after, _ := os.ReadFile(filepath.Join(dir, ledger.SoloFile)); !bytes.Equal(before, after) {
		t.Error("the file has changed")
	}
}

// What cannot be written was not committed, and what comes then goes on from
// what was.
func TestDiskFails(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	issue(t, s, 1)
	away := dir + "-away"
	if err := os.Rename(dir, away); err != nil {
		t.Fatal(err)
	}
	_, err := s.Apply(t.Context(), ledger.Issue(ledgertest.Hash(1), ledgertest.Record(2, "")))
	if !errors.Is(err, ledger.ErrUncertain) || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v, want ErrUncertain and the disk's", err)
	}
	if seq := s.State().Destination(ledgertest.Hash(1)).LastSeq; seq != 1 {
		t.Errorf("the state has seq %d, which is not on the disk", seq)
	}
	if err := os.Rename(away, dir); err != nil {
		t.Fatal(err)
	}
	issue(t, s, 2)
	s.Close()
	if seq := open(t, dir).State().Destination(ledgertest.Hash(1)).LastSeq; seq != 2 {
		t.Errorf("read back seq %d, want 2", seq)
	}
}

func TestClosed(t *testing.T) {
	s := open(t, t.TempDir())
	s.Close()
	if err := s.Close(); err != nil {
		t.Errorf("again: %v", err)
	}
	_, err := s.Apply(t.Context(), ledger.RemoveInvite("a"))
	if !errors.Is(err, ledger.ErrClosed) || !errors.Is(s.Barrier(t.Context()), ledger.ErrClosed) || s.Leader().Self {
		t.Errorf("it goes on: %v, leader %+v", err, s.Leader())
	}
}

func TestEnsureGeneration(t *testing.T) {
	s := open(t, t.TempDir())
	now := time.UnixMilli(1_800_000_000_000)
	for range 2 {
		if err := s.EnsureGeneration(t.Context(), now); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Hour)
	}
	if gen := s.State().Generation; gen != 1_800_000_000_000 {
		t.Errorf("generation %d", gen)
	}
}

func TestOneProgramOnly(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if _, err := Open(dir); !errors.Is(err, ledger.ErrLocked) || !strings.Contains(err.Error(), dir) {
		t.Errorf("second: %v", err)
	}
	s.Close()
	open(t, dir)
}

func TestDamagedFileIsRefused(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, ledger.SoloFile)
	s := open(t, dir)
	issue(t, s, 1)
	s.Close()
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 1
		if _, _, err := decode(bad); !errors.Is(err, ledger.ErrCorrupt) && !errors.Is(err, ledger.ErrVersion) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
		if _, _, err := decode(good[:i]); !errors.Is(err, ledger.ErrCorrupt) {
			t.Fatalf("cut to %d bytes: %v", i, err)
		}
	}
	if err := os.WriteFile(path, good[:len(good)-1], 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Open(dir)
	if !errors.Is(err, ledger.ErrCorrupt) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "empty directory") {
		t.Errorf("error %v, want one that names the file and what to do", err)
	}
	if err := os.WriteFile(path, good, 0o600); err != nil {
		t.Fatal(err)
	}
	if seq := open(t, dir).State().Destination(ledgertest.Hash(1)).LastSeq; seq != 1 {
		t.Errorf("a refusal has changed the directory: seq %d", seq)
	}
}

// Neither kind of balancer begins anew beside the state of the other.
func TestRaftsDirectoryIsRefused(t *testing.T) {
	quiet := slog.New(slog.DiscardHandler)
	for _, sub := range []string{"", "raft", "b1/raft"} {
		dir := t.TempDir()
		r, err := raftstate.Open(raftstate.Config{ID: "local", Dir: filepath.Join(dir, sub), Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		if _, err := Open(dir); !errors.Is(err, ledger.ErrInvalid) || !strings.Contains(err.Error(), "two minutes") {
			t.Errorf("raft's in %q: %v", sub, err)
		}
	}
	dir := t.TempDir()
	open(t, dir)
	if _, err := raftstate.Open(raftstate.Config{ID: "local", Dir: dir, Logger: quiet}); !errors.Is(err, raftstate.ErrNotMember) {
		t.Errorf("raft on a directory of solo: %v", err)
	}
}
