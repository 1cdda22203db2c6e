package raftstate

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"
	"google.golang.org/protobuf/proto"

	"github.com/onelease/onelease/raftstate/ledger"
	"github.com/onelease/onelease/raftstate/ledger/ledgertest"
	"github.com/onelease/onelease/raftstate/statepb"
)

// issuer issues on whichever node leads until its context ends.
type issuer struct {
	c     *cluster
	every time.Duration
	acks  []ledger.Result
}

func (i *issuer) run(ctx context.Context) {
	for ctx.Err() == nil {
		i.c.mu.Lock()
		var lead *Store
		for _, n := range i.c.nodes {
			if n.store != nil && n.store.Leader().Self {
				lead = n.store
			}
		}
		i.c.mu.Unlock()
		if lead != nil && lead.Barrier(ctx) == nil {
			i.issue(ctx, lead)
		}
		time.Sleep(i.every) // of the bubble, whose clock would stand still otherwise
	}
}

func (i *issuer) issue(ctx context.Context, lead *Store) {
	seq, published := lead.State().Destination(ledgertest.Hash(1)).Next(time.Now())
	r, err := lead.Apply(ctx, ledger.Issue(ledgertest.Hash(1), ledger.Record{Seq: seq, Published: published, Expires: published + 60}))
	if err == nil {
		i.acks = append(i.acks, r)
	}
}

// check wants all that was acknowledged to have risen, and to be in s.
func (i *issuer) check(s *ledger.State) {
	i.c.t.Helper()
	last := ledger.Result{}
	for _, r := range i.acks {
		if r.Seq <= last.Seq || r.Published <= last.Published || r.Term < last.Term {
			i.c.t.Fatalf("issued %+v after %+v", r, last)
		}
		last = r
	}
	if d := s.Destination(ledgertest.Hash(1)); len(i.acks) == 0 || d.LastSeq < last.Seq || d.LastPublished < last.Published {
		i.c.t.Fatalf("of %d issued the last was %+v; the state has %+v", len(i.acks), last, d)
	}
}

// versionInLogs is the highest in the logs of all nodes, which must be down.
func (c *cluster) versionInLogs() uint32 {
	c.t.Helper()
	highest := uint32(0)
	for _, n := range c.nodes {
		config := n.config
		f, err := config.openFiles(newRaftLogger(quiet))
		if err != nil {
			c.t.Fatal(err)
		}
		last, _ := f.logs.LastIndex()
		for i := uint64(1); i <= last; i++ {
			var entry raft.Log
			if f.logs.GetLog(i, &entry) == nil && entry.Type == raft.LogCommand {
				cmd, _ := ledger.DecodeCommand(entry.Data)
				highest = max(highest, cmd.GetVersion())
			}
		}
		f.close()
	}
	return highest
}

// A cluster is upgraded node by node while it issues: nothing is lost, nobody
// stops, and the new version is written only when all read it.
func TestRollingUpgrade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cluster{t: t, network: newNetwork(), dirs: true}
		defer c.close()
		c.grow(3, 1)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		traffic := &issuer{c: c, every: 200 * time.Millisecond}
		done := make(chan struct{})
		go func() { traffic.run(ctx); close(done) }()
		for i := range c.nodes {
			lead := c.nodes[c.leader(-1)].store
			_, err := lead.Apply(t.Context(), ledger.PutPolicy(ledgertest.Hash(1), ledgertest.FullPolicy))
			if !errors.Is(err, ledger.ErrVersion) || !strings.Contains(err.Error(), "upgrade") && !strings.Contains(err.Error(), "start that node") {
				t.Errorf("with %d of 3 upgraded: error %v, want ErrVersion that says what to do", i, err)
			}
			if err := lead.EnsureGeneration(t.Context(), time.Now()); err != nil || lead.State().Generation != 0 || lead.State().Version != 1 {
				t.Errorf("with %d of 3 upgraded: generation %d, version %d, %v", i, lead.State().Generation, lead.State().Version, err)
			}
			c.kill(i)
			c.nodes[i].config.MaxVersion = 0
			if err := c.start(i); err != nil {
				t.Fatal(err)
			}
			time.Sleep(3 * time.Second) // of the bubble
		}
		c.settle()
		lead := c.nodes[c.leader(-1)].store
		if err := lead.EnsureGeneration(t.Context(), time.Now()); err != nil || lead.State().Generation == 0 || lead.WriteVersion() != 2 {
			t.Errorf("upgraded: generation %d, version %d, %v", lead.State().Generation, lead.WriteVersion(), err)
		}
		cancel()
		<-done
		c.settle()
		for i, n := range c.nodes {
			if n.store.Err() != nil || n.store.State().Version != 2 {
				t.Errorf("node %d is at version %d, %v", i, n.store.State().Version, n.store.Err())
			}
			traffic.check(n.store.State())
		}
	})
}

func TestHeldBackClusterStaysReadableForTheOldProgram(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cluster{t: t, network: newNetwork(), dirs: true}
		defer c.close()
		c.grow(1, 0)
		c.kill(0)
		c.nodes = nil
		c.grow(2, 1)
		c.add(false, 0)
		lead := c.nodes[0].store
		if err := lead.AddMember(t.Context(), nodeID(2), nodeAddr(2), true); err != nil {
			t.Fatal(err)
		}
		if err := lead.Transfer(t.Context(), nodeID(2)); err != nil {
			t.Fatal(err)
		}
		lead = c.nodes[2].store
		waitLeader(t, lead)
		apply(t, lead, ledgertest.Records(1, 5)...)
		_, err := lead.Apply(t.Context(), ledger.RemoveInvite("x"))
		if !errors.Is(err, ledger.ErrVersion) || !strings.Contains(err.Error(), `"node-0"`) && !strings.Contains(err.Error(), `"node-1"`) {
			t.Errorf("error %v, want ErrVersion that names a held node", err)
		}
		if err := lead.Snapshot(); err != nil {
			t.Fatal(err)
		}
		c.close()
		if v := c.versionInLogs(); v != 1 {
			t.Errorf("version %d was written", v)
		}
		c.nodes[2].config.MaxVersion = 1
		if err := c.start(2); err != nil {
			t.Errorf("back to the old program: %v", err)
		}
	})
}

func TestOldNodeRefusesNewLogAndSnapshot(t *testing.T) {
	for _, snapshot := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, Config{Dir: dir})
			if err := s.EnsureGeneration(t.Context(), time.Now()); err != nil {
				t.Fatal(err)
			}
			if snapshot {
				if err := s.Snapshot(); err != nil {
					t.Fatal(err)
				}
			}
			s.Close()
			if snapshot {
				truncateLog(t, dir, 100)
			}
			_, err := Open(Config{ID: "node-1", Dir: dir, MaxVersion: 1, Logger: quiet})
			if !errors.Is(err, ledger.ErrVersion) || !strings.Contains(err.Error(), "upgrade") || errors.Is(err, ledger.ErrCorrupt) {
				t.Errorf("snapshot %v: error %v, want ErrVersion that says what to do", snapshot, err)
			}
		})
	}
}

// A node that skipped what it cannot read would come to another state than the
// others, and could lead with it.
func TestNodeStopsAtAVersionThatItDoesNotKnow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 1)
		defer c.close()
		for i, reads := range []uint32{1, ledger.Version} {
			c.add(false, reads)
			if err := c.nodes[0].store.AddMember(t.Context(), nodeID(i+1), nodeAddr(i+1), true); err != nil {
				t.Fatal(err)
			}
		}
		apply(t, c.nodes[0].store, ledgertest.Record(1, ""))
		c.settle()
		known := c.nodes[0].store.transport.contacts // as if node 1 had lied in its hello
		known.update(nodeID(1), func(c *contact) { c.version = ledger.Version })
		if _, err := c.nodes[0].store.Apply(t.Context(), ledger.SetGeneration(1)); err != nil {
			t.Fatal(err)
		}
		apply(t, c.nodes[0].store, ledgertest.Record(2, ""))
		old := c.nodes[1].store
		<-old.Failed()
		c.settle()
		if old.State().Destination(ledgertest.Hash(1)).LastSeq != 1 || old.State().Generation != 0 {
			t.Errorf("it has gone on to %+v", old.State())
		}
		_, err := old.Apply(t.Context(), ledger.RemoveFrontend("x"))
		if !errors.Is(err, ledger.ErrVersion) || !strings.Contains(err.Error(), "upgrade this program") || !errors.Is(old.Err(), ledger.ErrVersion) {
			t.Errorf("error %v, %v, want ErrVersion that says what to do", err, old.Err())
		}
		if err := old.Snapshot(); err == nil {
			t.Error("it has made a snapshot")
		}
		c.kill(2) // no one is left to lead but node 0, which has no majority
		if _, err := c.nodes[0].store.Apply(t.Context(), ledger.Issue(ledgertest.Hash(1), ledgertest.Record(3, ""))); !errors.Is(err, ledger.ErrUncertain) {
			t.Errorf("error %v: the node that stopped counts to the majority", err)
		}
		c.settle()
		if old.Leader().Self {
			t.Error("it leads")
		}
	})
}

// A leader may find what it cannot read among what its predecessor committed.
func TestLeaderThatFailsMakesWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, Config{InMemory: true})
		defer s.Close()
		data, err := proto.Marshal(&statepb.Command{Version: ledger.Version + 1})
		if err != nil {
			t.Fatal(err)
		}
		changed := s.LeaderChanged()
		s.raft.Apply(data, 0)
		<-s.Failed()
		<-changed
		synctest.Wait()
		if leading := <-s.LeaderCh(); leading || s.Leader() != (ledger.Leader{}) {
			t.Errorf("leading %v, leader %+v", leading, s.Leader())
		}
		if _, err := s.Apply(t.Context(), ledger.RemoveFrontend("x")); !errors.Is(err, ledger.ErrVersion) {
			t.Errorf("error %v, want ErrVersion", err)
		}
	})
}

func TestSingleNodeWritesTheNewestVersion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, Config{InMemory: true})
		defer s.Close()
		now := time.UnixMilli(1_700_000_000_123)
		for range 2 {
			if err := s.EnsureGeneration(t.Context(), now); err != nil {
				t.Fatal(err)
			}
			now = now.Add(time.Hour)
		}
		if st := s.State(); st.Generation != 1_700_000_000_123 || st.Version != ledger.Version {
			t.Errorf("generation %d, version %d", st.Generation, st.Version)
		}
	})
}

func TestFollowersLearnOfTheLeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		defer c.close()
		c.settle()
		follower := c.nodes[1].store
		c.kill(0)
		for {
			changed := follower.LeaderChanged()
			if l := follower.Leader(); l.ID != "" && l.ID != nodeID(0) {
				break
			}
			<-changed
		}
	})
}

func TestNewMemberThatCannotReadTheState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 1)
		defer c.close()
		if err := c.nodes[0].store.EnsureGeneration(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		c.add(false, 1)
		err := c.nodes[0].store.AddMember(t.Context(), nodeID(1), nodeAddr(1), true)
		if !errors.Is(err, ledger.ErrVersion) || len(members(t, c.nodes[0].store)) != 1 {
			t.Errorf("error %v, want ErrVersion, and members %+v", err, members(t, c.nodes[0].store))
		}
	})
}
