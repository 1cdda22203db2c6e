package raftstate

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"

	"github.com/onelease/onelease/raftstate/ledger"
	"github.com/onelease/onelease/raftstate/ledger/ledgertest"
)

// chaos is a cluster that faults happen to while every node that believes to
// lead issues, with a clock of its own.
type chaos struct {
	*cluster
	rng  *rand.Rand
	mu   sync.Mutex
	acks []ledger.Result
}

// issue is the work of node i until ctx ends. It takes no Barrier, so that
// deposed and half-informed leaders try as well.
func (c *chaos) issue(ctx context.Context, i int, skew time.Duration) {
	for ctx.Err() == nil {
		time.Sleep(20 * time.Millisecond) // of the bubble
		c.cluster.mu.Lock()
		s := c.nodes[i].store
		c.cluster.mu.Unlock()
		if s == nil || !s.Leader().Self {
			continue
		}
		seq, published := s.State().Destination(ledgertest.Hash(1)).Next(time.Now().Add(skew))
		r, err := s.Apply(ctx, ledger.Issue(ledgertest.Hash(1), ledger.Record{Seq: seq, Published: published, Expires: published + 60}))
		if err == nil {
			c.mu.Lock()
			c.acks = append(c.acks, r)
			c.mu.Unlock()
		}
	}
}

// fault breaks or mends something.
func (c *chaos) fault() {
	i, j := c.rng.IntN(len(c.nodes)), c.rng.IntN(len(c.nodes))
	switch down := c.nodes[i].store == nil; {
	case down:
		if err := c.start(i); err != nil {
			c.t.Fatal(err)
		}
	default:
		c.hurt(i, j)
	}
}

func (c *chaos) hurt(i, j int) {
	switch c.rng.IntN(7) {
	case 0, 1:
		c.kill(i)
	case 2:
		c.isolate(i, true)
	case 3:
		c.network.set(true, nodeAddr(i), nodeAddr(j)) // one way
	case 4:
		c.nodes[i].store.Snapshot()
	case 5:
		ctx, cancel := context.WithTimeout(c.t.Context(), time.Second)
		defer cancel()
		c.nodes[i].store.Transfer(ctx, "")
	default:
		c.mend()
	}
}

func (c *chaos) mend() {
	for i := range c.nodes {
		c.isolate(i, false)
	}
}

// check looks for every acknowledged issue in every log, and for two that the
// network would see as one.
func (c *chaos) check() {
	seqs, published := map[uint64]bool{}, map[uint32]bool{}
	for _, r := range c.acks {
		if seqs[r.Seq] || published[r.Published] {
			c.t.Fatalf("issued twice: %+v", r)
		}
		seqs[r.Seq], published[r.Published] = true, true
	}
	for i, n := range c.nodes {
		for _, r := range c.acks {
			if err := n.has(r); err != nil {
				c.t.Fatalf("node %d: %v", i, err)
			}
		}
		if a, b := ledgertest.Encode(c.t, n.store.State()), ledgertest.Encode(c.t, c.nodes[0].store.State()); string(a) != string(b) {
			c.t.Fatalf("node %d has another state than node 0", i)
		}
	}
}

// has says why the node does not have what was acknowledged.
func (n *node) has(r ledger.Result) error {
	d := n.store.State().Destination(ledgertest.Hash(1))
	if d.LastSeq < r.Seq || d.LastPublished < r.Published {
		return fmt.Errorf("its last is seq %d, and %+v was acknowledged", d.LastSeq, r)
	}
	first, err := n.files.logs.FirstIndex()
	if err != nil || first > r.Index {
		return err // only a snapshot has it
	}
	entry := new(raft.Log)
	if err := n.files.logs.GetLog(r.Index, entry); errors.Is(err, raft.ErrLogNotFound) {
		return nil // a snapshot was installed over it
	} else if err != nil {
		return err
	}
	cmd, err := ledger.DecodeCommand(entry.Data)
	if err != nil {
		return err
	}
	if rs := cmd.GetIssue().GetRecords(); len(rs) != 1 || rs[0].GetSeq() != r.Seq || rs[0].GetPublishedUnix() != r.Published {
		return fmt.Errorf("at index %d it has %v, and %+v was acknowledged", r.Index, cmd, r)
	}
	return nil
}

// The promises of the package, whatever happens to nodes and links.
func TestNothingIsIssuedTwiceOrLost(t *testing.T) {
	seeds := 12
	if testing.Short() {
		seeds = 5
	}
	total := 0
	for seed := range seeds {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &chaos{cluster: newCluster(t, 3), rng: rand.New(rand.NewPCG(uint64(seed), 0))}
				defer c.close()
				ctx, cancel := context.WithCancel(t.Context())
				var work sync.WaitGroup
				for i := range c.nodes {
					work.Go(func() { c.issue(ctx, i, time.Duration(i-1)*3*time.Second) })
				}
				for range 25 {
					time.Sleep(time.Duration(c.rng.IntN(3000)) * time.Millisecond) // of the bubble
					c.fault()
				}
				c.mend()
				for i, n := range c.nodes {
					if n.store == nil {
						if err := c.start(i); err != nil {
							t.Fatal(err)
						}
					}
				}
				c.settle()
				cancel()
				work.Wait()
				apply(t, c.nodes[c.leader(-1)].store) // there is one
				c.settle()
				c.check()
				total += len(c.acks)
			})
		})
	}
	if total < 100*seeds {
		t.Errorf("only %d were issued in all, so that little was tested", total)
	}
	t.Logf("%d issued", total)
}

// One-way loss is the fault that heartbeats tell last: the leader hears its
// followers, and they do not hear it.
func TestLeaderThatIsNotHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		defer c.close()
		c.settle()
		for i := 1; i < 3; i++ {
			c.network.set(true, nodeAddr(0), nodeAddr(i))
		}
		next := c.leader(0)
		apply(t, c.nodes[next].store, ledgertest.Record(1, ""))
		if c.nodes[0].store.Leader().Self {
			t.Error("there are two leaders that both believe in it")
		}
	})
}

// A follower that hears nobody and is heard by all must not unseat the leader.
func TestFollowerThatHearsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		defer c.close()
		apply(t, c.nodes[0].store, ledgertest.Record(1, ""))
		c.settle()
		term := c.nodes[0].store.raft.CurrentTerm()
		for i := range 2 {
			c.network.set(true, nodeAddr(i), nodeAddr(2))
		}
		c.settle()
		for i := range 2 {
			c.network.set(false, nodeAddr(i), nodeAddr(2))
		}
		c.settle()
		if s := c.nodes[0].store; !s.Leader().Self || s.raft.CurrentTerm() != term {
			t.Errorf("leader %+v, term %d, was %d", s.Leader(), s.raft.CurrentTerm(), term)
		}
	})
}
