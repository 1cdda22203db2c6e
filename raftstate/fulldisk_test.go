package raftstate

import (
	"errors"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/hashicorp/raft"

	"github.com/onelease/onelease/raftstate/ledger"
	"github.com/onelease/onelease/raftstate/ledger/ledgertest"
)

// A fullDisk takes no log entries while it is full.
type fullDisk struct {
	raft.LogStore
	full atomic.Bool
}

func (d *fullDisk) StoreLog(entry *raft.Log) error { return d.StoreLogs([]*raft.Log{entry}) }

func (d *fullDisk) StoreLogs(entries []*raft.Log) error {
	if d.full.Load() {
		return syscall.ENOSPC
	}
	return d.LogStore.StoreLogs(entries)
}

// newFillable is a cluster of three whose disks can be filled.
func newFillable(t *testing.T) (*cluster, []*fullDisk) {
	t.Helper()
	c := newCluster(t, 3)
	var disks []*fullDisk
	for i, n := range c.nodes {
		c.kill(i)
		disk := &fullDisk{LogStore: n.files.logs}
		n.files.logs = disk
		disks = append(disks, disk)
	}
	for i := range c.nodes {
		if err := c.start(i); err != nil {
			t.Fatal(err)
		}
	}
	return c, disks
}

func TestLeaderWithFullDiskMakesWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, disks := newFillable(t)
		defer c.close()
		old := c.leader(-1)
		apply(t, c.nodes[old].store, ledgertest.Record(1, ""))
		disks[old].full.Store(true)
		_, err := c.nodes[old].store.Apply(t.Context(), ledger.Issue(ledgertest.Hash(1), ledgertest.Record(2, "")))
		if !errors.Is(err, ledger.ErrUncertain) || !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("error %v, want ErrUncertain that says why", err)
		}
		next := c.nodes[c.leader(old)].store
		if err := next.Barrier(t.Context()); err != nil {
			t.Fatal(err)
		}
		apply(t, next, ledgertest.Record(2, ""))
		c.settle()
		if c.nodes[old].store.State().Destination(ledgertest.Hash(1)).LastSeq != 1 {
			t.Error("the full disk has taken the entry")
		}
		disks[old].full.Store(false)
		c.settle()
		if got := c.nodes[old].store.State().Destination(ledgertest.Hash(1)).LastSeq; got != 2 {
			t.Errorf("with space again it has seq %d, want 2", got)
		}
	})
}

func TestFollowerWithFullDiskStopsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, disks := newFillable(t)
		defer c.close()
		lead := c.leader(-1)
		full := (lead + 1) % 3
		disks[full].full.Store(true)
		apply(t, c.nodes[lead].store, ledgertest.Records(1, 5)...)
		c.settle()
		if l := c.nodes[lead].store.Leader(); !l.Self {
			t.Errorf("the leader has lost its office to %+v", l)
		}
		if m := members(t, c.nodes[lead].store)[nodeID(full)]; m.Lag < 5 {
			t.Errorf("its lag is %d, want 5 or more", m.Lag)
		}
		disks[full].full.Store(false)
		c.settle()
		if got := c.nodes[full].store.State().Destination(ledgertest.Hash(1)).LastSeq; got != 5 {
			t.Errorf("with space again it has seq %d, want 5", got)
		}
	})
}
