package raftstate

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/raftstate/ledger"
	"github.com/onelease/onelease/raftstate/ledger/ledgertest"
	"github.com/onelease/onelease/raftstate/statepb"
)

// A bubble ends only when all goroutines in it have, so every test here also
// shows that Close leaves none behind.

func TestClusterOfOneLeadsAndCommits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		s := open(t, Config{InMemory: true})
		defer s.Close()
		if took := time.Since(start); took > 2*LAN().Heartbeat {
			t.Errorf("leads after %v, want at most two heartbeats", took)
		}
		if got, want := s.Leader(), (ledger.Leader{ID: "node-1", Addr: "node-1", Self: true}); got != want {
			t.Errorf("leader %+v, want %+v", got, want)
		}
		before := s.State()
		r, err := s.Apply(t.Context(), ledger.Issue(ledgertest.Hash(1), ledgertest.Record(1, ""), ledgertest.Record(2, "")))
		if err != nil {
			t.Fatal(err)
		}
		if r.Term == 0 || r.Index == 0 || r.Seq != 2 || r.Published != ledgertest.Record(2, "").Published {
			t.Errorf("result %+v", r)
		}
		d := s.State().Destination(ledgertest.Hash(1))
		if d.LastSeq != 2 || d.LastTerm != r.Term || d.Merged.Term != r.Term {
			t.Errorf("state after the command %+v, its term is %d", d, r.Term)
		}
		if before.Destination(ledgertest.Hash(1)).LastSeq != 0 {
			t.Error("a State that was read before has changed")
		}
	})
}

func TestApplyErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, Config{InMemory: true})
		defer s.Close()
		if _, err := s.Apply(t.Context(), ledger.Issue(ledgertest.Hash(1), ledgertest.Record(1, ""))); err != nil {
			t.Fatal(err)
		}
		index := s.raft.LastIndex()
		unknown := ledger.Issue(ledgertest.Hash(1), ledgertest.Record(2, ""))
		unknown.Version = ledger.Version + 1
		for name, bad := range map[string]*statepb.Command{
			"unknown version": unknown,
			"no operation":    {Version: ledger.Version},
			"nil":             nil,
			"short hash":      {Version: ledger.Version, Op: &statepb.Command_Issue{Issue: &statepb.Issue{DestinationHash: []byte("x")}}},
		} {
			if _, err := s.Apply(t.Context(), bad); !errors.Is(err, ledger.ErrInvalid) {
				t.Errorf("%s: error %v, want ErrInvalid", name, err)
			}
		}
		if got := s.raft.LastIndex(); got != index {
			t.Errorf("bad commands have entered the log: last index %d, was %d", got, index)
		}
		if _, err := s.Apply(t.Context(), ledger.Issue(ledgertest.Hash(1), ledgertest.Record(1, ""))); !errors.Is(err, ledger.ErrStale) {
			t.Errorf("issued twice: error %v, want ErrStale", err)
		}
		if _, err := s.Apply(t.Context(), ledger.RemoveFrontend("x")); !errors.Is(err, ledger.ErrUnknownFrontend) {
			t.Errorf("removed unknown frontend: error %v, want ErrUnknownFrontend", err)
		}
	})
}

func TestApplyBeforeElection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := Open(Config{ID: "node-1", InMemory: true, Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if _, err := s.Apply(t.Context(), ledger.RemoveFrontend("x")); !errors.Is(err, ledger.ErrNotLeader) {
			t.Errorf("Apply: error %v, want ErrNotLeader", err)
		}
		if err := s.Barrier(t.Context()); !errors.Is(err, ledger.ErrNotLeader) {
			t.Errorf("Barrier: error %v, want ErrNotLeader", err)
		}
		if got := s.Leader(); got != (ledger.Leader{}) {
			t.Errorf("leader %+v, want none", got)
		}
	})
}

func TestApplyWithContextThatHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, Config{InMemory: true})
		defer s.Close()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := s.Apply(ctx, ledger.Issue(ledgertest.Hash(1), ledgertest.Record(1, "")))
		if !errors.Is(err, context.Canceled) || errors.Is(err, ledger.ErrUncertain) {
			t.Errorf("error %v, want the context's and a certain outcome", err)
		}
		if err := s.Barrier(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := s.State().Destination(ledgertest.Hash(1)).LastSeq; n != 0 {
			t.Error("the command was committed")
		}
	})
}

func TestClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, Config{InMemory: true})
		if _, err := s.Apply(t.Context(), ledger.Issue(ledgertest.Hash(1), ledgertest.Record(1, ""))); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.Apply(t.Context(), ledger.Issue(ledgertest.Hash(1), ledgertest.Record(2, ""))); !errors.Is(err, ledger.ErrClosed) {
			t.Errorf("Apply: error %v, want ErrClosed", err)
		}
		if err := s.Barrier(t.Context()); !errors.Is(err, ledger.ErrClosed) {
			t.Errorf("Barrier: error %v, want ErrClosed", err)
		}
		if _, err := s.Members(); !errors.Is(err, ledger.ErrClosed) {
			t.Errorf("Members: error %v, want ErrClosed", err)
		}
		if err := s.Snapshot(); !errors.Is(err, ledger.ErrClosed) {
			t.Errorf("Snapshot: error %v, want ErrClosed", err)
		}
		if s.State().Destination(ledgertest.Hash(1)).LastSeq != 1 {
			t.Error("the last state is gone")
		}
	})
}

// Raft forgets commands that it has committed and not applied when it is shut
// down; without Close's order this test does not end.
func TestCloseAmidCommands(t *testing.T) {
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			s := open(t, Config{InMemory: true})
			errs := make(chan error)
			for range 50 {
				go func() {
					_, err := s.Apply(t.Context(), ledger.PutFrontend("x", ledgertest.Hash(1), ledger.Roles{}))
					errs <- err
				}()
			}
			go s.Close()
			for range 50 {
				if err := <-errs; err != nil && !errors.Is(err, ledger.ErrClosed) {
					t.Errorf("error %v, want none or ErrClosed", err)
				}
			}
		})
	}
}

func TestOpenChecksConfig(t *testing.T) {
	for name, c := range map[string]Config{
		"no ID":          {InMemory: true},
		"bad ID":         {ID: "A b", InMemory: true},
		"no place":       {ID: "a"},
		"two places":     {ID: "a", Dir: t.TempDir(), InMemory: true},
		"timing":         {ID: "a", InMemory: true, Preset: Preset{Heartbeat: time.Second, LeaderLease: time.Minute, Commit: time.Second}},
		"partial timing": {ID: "a", InMemory: true, Preset: Preset{Heartbeat: time.Second}},
	} {
		if s, err := Open(c); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("%s: error %v, want ErrInvalid", name, err)
			if err == nil {
				s.Close()
			}
		}
	}
	for _, p := range []Preset{LAN(), WAN()} {
		c := Config{ID: "a", InMemory: true, Preset: p}
		if err := c.validate(); err != nil {
			t.Error(err)
		}
	}
}
