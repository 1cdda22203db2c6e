package raftstate

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/raftstate/ledger"
	"github.com/onelease/onelease/raftstate/ledger/ledgertest"
)

// The promise of the package: a leader that has been cut off gets nothing more
// to sign, and its successor goes on where the cluster had come to.
func TestDeposedLeaderCannotIssue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		defer c.close()
		old := c.leader(-1)
		first, err := c.nodes[old].store.Apply(t.Context(), ledger.Issue(ledgertest.Hash(1), ledgertest.Record(1, "")))
		if err != nil {
			t.Fatal(err)
		}
		c.isolate(old, true)
		if _, err := c.nodes[old].store.Apply(t.Context(), ledger.Issue(ledgertest.Hash(1), ledgertest.Record(2, ""))); !errors.Is(err, ledger.ErrUncertain) {
			t.Errorf("cut-off leader: error %v, want ErrUncertain", err)
		}
		successor := c.leader(old)
		if err := c.nodes[successor].store.Barrier(t.Context()); err != nil {
			t.Fatal(err)
		}
		second, err := c.nodes[successor].store.Apply(t.Context(), ledger.Issue(ledgertest.Hash(1), ledgertest.Record(2, "")))
		if err != nil {
			t.Fatal(err)
		}
		if second.Term <= first.Term {
			t.Errorf("terms %d, then %d: want a later one", first.Term, second.Term)
		}
		c.isolate(old, false)
		c.settle()
		if got := c.nodes[old].store.State().Destination(ledgertest.Hash(1)); got.LastSeq != 2 || got.LastTerm != second.Term {
			t.Errorf("healed node has seq %d of term %d, want 2 of %d", got.LastSeq, got.LastTerm, second.Term)
		}
	})
}

func TestApplyOfCutOffLeaderEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		defer c.close()
		i := c.leader(-1)
		c.isolate(i, true)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		start := time.Now()
		_, err := c.nodes[i].store.Apply(ctx, ledger.Issue(ledgertest.Hash(1), ledgertest.Record(1, "")))
		if !errors.Is(err, ledger.ErrUncertain) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want ErrUncertain and the context's", err)
		}
		if took := time.Since(start); took != time.Millisecond {
			t.Errorf("took %v, the context 1 ms", took)
		}
	})
}

func TestFollowerNamesLeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		defer c.close()
		i := c.leader(-1)
		time.Sleep(time.Second) // of the bubble: until all have heard of it
		follower := c.nodes[(i+1)%3].store
		if got, want := follower.Leader(), (ledger.Leader{ID: nodeID(i), Addr: nodeAddr(i)}); got != want {
			t.Errorf("leader %+v, want %+v", got, want)
		}
		if _, err := follower.Apply(t.Context(), ledger.RemoveFrontend("x")); !errors.Is(err, ledger.ErrNotLeader) {
			t.Errorf("error %v, want ErrNotLeader", err)
		}
	})
}
