package raftstate

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"
)

// cluster is three Stores over a network in memory. There is no way to form one
// yet but to write its members into the empty state of each, as this does.
type cluster struct {
	stores     []*Store
	transports []*raft.InmemTransport
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{}
	var members raft.Configuration
	for i := range 3 {
		addr, transport := raft.NewInmemTransport(raft.ServerAddress(fmt.Sprint("node-", i)))
		c.transports = append(c.transports, transport)
		members.Servers = append(members.Servers, raft.Server{ID: raft.ServerID(addr), Address: addr})
	}
	for i, transport := range c.transports {
		config := Config{ID: fmt.Sprint("node-", i), InMemory: true, Transport: transport}
		logger := newRaftLogger(quiet)
		f, _ := config.openFiles(logger)
		if err := raft.BootstrapCluster(config.raftConfig(logger), f.logs, f.stable, f.snapshots, transport, members); err != nil {
			t.Fatal(err)
		}
		s, err := config.start(f, logger)
		if err != nil {
			t.Fatal(err)
		}
		c.stores = append(c.stores, s)
	}
	for i := range c.transports {
		c.connect(i)
	}
	return c
}

func (c *cluster) connect(i int) {
	for j, other := range c.transports {
		if j != i {
			c.transports[i].Connect(other.LocalAddr(), other)
			other.Connect(c.transports[i].LocalAddr(), c.transports[i])
		}
	}
}

func (c *cluster) isolate(i int) {
	c.transports[i].DisconnectAll()
	for _, other := range c.transports {
		other.Disconnect(c.transports[i].LocalAddr())
	}
}

func (c *cluster) close() {
	for _, s := range c.stores {
		s.Close()
	}
}

// leader waits for a leader other than not.
func (c *cluster) leader(t *testing.T, not int) int {
	t.Helper()
	for range 6000 {
		for i, s := range c.stores {
			if i != not && s.Leader().Self {
				return i
			}
		}
		time.Sleep(10 * time.Millisecond) // of the bubble
	}
	t.Fatal("no leader after a minute")
	return 0
}

// The promise of the package: a leader that has been cut off gets nothing more
// to sign, and its successor goes on where the cluster had come to.
func TestDeposedLeaderCannotIssue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		defer c.close()
		old := c.leader(t, -1)
		first, err := c.stores[old].Apply(t.Context(), Issue(hash(1), record(1, "")))
		if err != nil {
			t.Fatal(err)
		}
		c.isolate(old)
		if _, err := c.stores[old].Apply(t.Context(), Issue(hash(1), record(2, ""))); !errors.Is(err, ErrUncertain) {
			t.Errorf("cut-off leader: error %v, want ErrUncertain", err)
		}
		successor := c.leader(t, old)
		if err := c.stores[successor].Barrier(t.Context()); err != nil {
			t.Fatal(err)
		}
		second, err := c.stores[successor].Apply(t.Context(), Issue(hash(1), record(2, "")))
		if err != nil {
			t.Fatal(err)
		}
		if second.Term <= first.Term {
			t.Errorf("terms %d, then %d: want a later one", first.Term, second.Term)
		}
		c.connect(old)
		time.Sleep(10 * time.Second) // of the bubble: until old has caught up
		if got := c.stores[old].State().Destination(hash(1)); got.LastSeq != 2 || got.LastTerm != second.Term {
			t.Errorf("healed node has seq %d of term %d, want 2 of %d", got.LastSeq, got.LastTerm, second.Term)
		}
	})
}

func TestApplyOfCutOffLeaderEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		defer c.close()
		i := c.leader(t, -1)
		c.isolate(i)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		start := time.Now()
		_, err := c.stores[i].Apply(ctx, Issue(hash(1), record(1, "")))
		if !errors.Is(err, ErrUncertain) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want ErrUncertain and the context's", err)
		}
		if took := time.Since(start); took != time.Millisecond {
			t.Errorf("took %v, the context 1 ms", took)
		}
	})
}

func TestFollowerNamesLeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		defer c.close()
		i := c.leader(t, -1)
		time.Sleep(time.Second) // of the bubble: until all have heard of it
		follower := c.stores[(i+1)%3]
		name := fmt.Sprint("node-", i)
		if got, want := follower.Leader(), (Leader{ID: name, Addr: name}); got != want {
			t.Errorf("leader %+v, want %+v", got, want)
		}
		if _, err := follower.Apply(t.Context(), RemoveFrontend("x")); !errors.Is(err, ErrNotLeader) {
			t.Errorf("error %v, want ErrNotLeader", err)
		}
	})
}
