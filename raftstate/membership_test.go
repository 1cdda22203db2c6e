package raftstate

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/raftstate/ledger"
	"github.com/onelease/onelease/raftstate/ledger/ledgertest"
)

func members(t *testing.T, s *Store) map[string]Member {
	t.Helper()
	list, err := s.Members()
	if err != nil {
		t.Fatal(err)
	}
	byID := map[string]Member{}
	for _, m := range list {
		byID[m.ID] = m
	}
	return byID
}

func TestNodeWithoutStateWaitsToBeAdded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 1)
		defer c.close()
		c.add(false, 0)
		c.settle()
		waiting := c.nodes[1].store
		if got := waiting.Leader(); got != (ledger.Leader{}) || len(members(t, waiting)) != 0 {
			t.Errorf("before it is added it has leader %+v, members %+v", got, members(t, waiting))
		}
		changed := waiting.LeaderChanged()
		apply(t, c.nodes[0].store, ledgertest.Records(1, 3)...)
		if err := c.nodes[0].store.AddMember(t.Context(), nodeID(1), nodeAddr(1), true); err != nil {
			t.Fatal(err)
		}
		<-changed
		c.settle()
		if got := waiting.State().Destination(ledgertest.Hash(1)).LastSeq; got != 3 || waiting.Leader().ID != nodeID(0) {
			t.Errorf("after it was added it has seq %d, leader %+v", got, waiting.Leader())
		}
	})
}

func TestMembersTell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		defer c.close()
		c.add(false, 0)
		if err := c.nodes[0].store.AddMember(t.Context(), nodeID(3), nodeAddr(3), false); err != nil {
			t.Fatal(err)
		}
		c.settle()
		died := time.Now()
		c.kill(2)
		c.settle()
		got := members(t, c.nodes[0].store)
		for id, m := range got {
			want := Member{ID: id, Addr: id + ":7650", Voter: id != nodeID(3), Leader: id == nodeID(0), Self: id == nodeID(0),
				LastContact: m.LastContact, Version: ledger.Version}
			if m != want {
				t.Errorf("member %+v, want %+v", m, want)
			}
		}
		if silent := died.Sub(got[nodeID(2)].LastContact); len(got) != 4 || silent < 0 || silent > time.Second {
			t.Errorf("%d members; the dead was last heard %v before it died", len(got), silent)
		}
		if silent := time.Since(got[nodeID(1)].LastContact); silent > time.Second {
			t.Errorf("a live member was last heard %v ago", silent)
		}
		if m := members(t, c.nodes[1].store)[nodeID(0)]; !m.Leader || m.Self || !m.LastContact.IsZero() {
			t.Errorf("a follower says of the leader %+v", m)
		}
	})
}

func TestAddMemberRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 2)
		defer c.close()
		c.add(false, 0)
		lead := c.nodes[0].store
		for name, bad := range map[string]struct {
			id, addr string
			want     error
		}{
			"bad ID":                  {"A b", nodeAddr(2), ledger.ErrInvalid},
			"no port":                 {nodeID(2), "node-2", ledger.ErrInvalid},
			"unspecified host":        {nodeID(2), "0.0.0.0:1", ledger.ErrInvalid},
			"member at another place": {nodeID(1), nodeAddr(2), ledger.ErrInvalid},
			"another member there":    {nodeID(2), nodeAddr(1), ledger.ErrInvalid},
			"another node there":      {"other", nodeAddr(2), ErrNotMember},
			"nobody there":            {nodeID(9), nodeAddr(9), ErrUnreachable},
		} {
			if err := lead.AddMember(t.Context(), bad.id, bad.addr, true); !errors.Is(err, bad.want) {
				t.Errorf("%s: error %v, want %v", name, err, bad.want)
			}
		}
		if err := lead.AddMember(t.Context(), nodeID(1), nodeAddr(1), true); err != nil {
			t.Errorf("what is the case already: %v", err)
		}
		if err := c.nodes[1].store.AddMember(t.Context(), nodeID(2), nodeAddr(2), true); !errors.Is(err, ledger.ErrNotLeader) {
			t.Errorf("on a follower: error %v, want ErrNotLeader", err)
		}
		if n := len(members(t, lead)); n != 2 {
			t.Errorf("after refusals there are %d members", n)
		}
	})
}

// Two clusters that were made by mistake must not become one, in which one
// half's LeaseSets are forgotten.
func TestAddMemberRefusesANodeWithState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 1)
		defer c.close()
		c.add(true, 0)
		waitLeader(t, c.nodes[1].store)
		apply(t, c.nodes[1].store, ledgertest.Records(1, 3)...)
		err := c.nodes[0].store.AddMember(t.Context(), nodeID(1), nodeAddr(1), true)
		if !errors.Is(err, ErrNotMember) || !strings.Contains(err.Error(), "empty directory") {
			t.Errorf("error %v, want ErrNotMember that says what to do", err)
		}
		c.settle()
		if d := c.nodes[1].store.State().Destination(ledgertest.Hash(1)); d.LastSeq != 3 || !c.nodes[1].store.Leader().Self {
			t.Errorf("the other cluster has %+v", d)
		}
	})
}

// Of two voters, one that does not answer must never be what a commit waits for.
func TestNewVoterThatDiesIsNoVoter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 1)
		defer c.close()
		c.add(false, 0)
		c.network.set(true, nodeAddr(1), nodeAddr(0)) // answers nothing that is appended
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err := c.nodes[0].store.AddMember(ctx, nodeID(1), nodeAddr(1), true)
		if !errors.Is(err, ErrUnreachable) {
			t.Errorf("error %v, want ErrUnreachable", err)
		}
		apply(t, c.nodes[0].store, ledgertest.Record(1, ""))
		if m, ok := members(t, c.nodes[0].store)[nodeID(1)]; ok && m.Voter {
			t.Error("it has a vote")
		}
	})
}

func TestPromoteAndDemote(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		defer c.close()
		lead := c.nodes[0].store
		if err := lead.Demote(t.Context(), nodeID(2)); err != nil {
			t.Fatal(err)
		}
		if members(t, lead)[nodeID(2)].Voter {
			t.Error("a demoted member has a vote")
		}
		if err := lead.Transfer(t.Context(), nodeID(2)); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("transfer to it: error %v, want ErrInvalid", err)
		}
		if err := lead.Promote(t.Context(), nodeID(2)); err != nil || !members(t, lead)[nodeID(2)].Voter {
			t.Errorf("promoted: %v, %+v", err, members(t, lead)[nodeID(2)])
		}
		if err := lead.Promote(t.Context(), "nobody"); !errors.Is(err, ErrUnknownMember) {
			t.Errorf("error %v, want ErrUnknownMember", err)
		}
	})
}

func TestRemove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		defer c.close()
		lead := c.nodes[0].store
		c.settle()
		if err := lead.Remove(t.Context(), nodeID(2)); err != nil {
			t.Fatal(err)
		}
		c.settle()
		removed := c.nodes[2].store
		if _, ok := members(t, removed)[nodeID(2)]; ok {
			t.Error("the removed node does not know")
		}
		apply(t, lead, ledgertest.Record(1, ""))
		if l := removed.Leader(); l.Self || removed.State().Destination(ledgertest.Hash(1)).LastSeq != 0 {
			t.Errorf("the removed node goes on: leader %+v", l)
		}
		if err := lead.Remove(t.Context(), nodeID(2)); !errors.Is(err, ErrUnknownMember) {
			t.Errorf("again: error %v, want ErrUnknownMember", err)
		}
	})
}

func TestRemoveKeepsAMajority(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		defer c.close()
		lead := c.nodes[0].store
		c.kill(2)
		c.settle()
		for name, err := range map[string]error{
			"remove": lead.Remove(t.Context(), nodeID(1)), "demote": lead.Demote(t.Context(), nodeID(1)),
		} {
			if !errors.Is(err, ErrQuorum) {
				t.Errorf("%s the live of two others: error %v, want ErrQuorum", name, err)
			}
		}
		if err := lead.Remove(t.Context(), nodeID(2)); err != nil { // the dead one
			t.Fatal(err)
		}
		if err := lead.Remove(t.Context(), nodeID(1)); err != nil {
			t.Fatal(err)
		}
		for _, remove := range []func(context.Context, string) error{lead.Remove, lead.ForceRemove} {
			if err := remove(t.Context(), nodeID(0)); err == nil {
				t.Error("the last voter was removed")
			}
		}
		apply(t, lead, ledgertest.Record(1, ""))
	})
}

func TestLeaderRemovesItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		defer c.close()
		c.settle()
		if err := c.nodes[0].store.Remove(t.Context(), nodeID(0)); err != nil {
			t.Fatal(err)
		}
		next := c.leader(0)
		apply(t, c.nodes[next].store, ledgertest.Record(1, ""))
		if n := len(members(t, c.nodes[next].store)); n != 2 {
			t.Errorf("%d members, want 2", n)
		}
	})
}

func TestTransfer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		defer c.close()
		start := time.Now()
		if err := c.nodes[0].store.Transfer(t.Context(), nodeID(2)); err != nil {
			t.Fatal(err)
		}
		if l := c.nodes[0].store.Leader(); l.ID != nodeID(2) {
			t.Errorf("leader %+v, want node-2", l)
		}
		if took := time.Since(start); took > LAN().Heartbeat {
			t.Errorf("took %v, an election %v or more", took, LAN().Heartbeat)
		}
		if err := c.nodes[c.leader(-1)].store.StepDown(t.Context()); err != nil {
			t.Fatal(err)
		}
		if next := c.leader(-1); next == 2 {
			t.Error("the node that stepped down leads")
		}
		if err := c.nodes[2].store.StepDown(t.Context()); err != nil {
			t.Errorf("a follower steps down: %v", err)
		}
		if err := c.nodes[2].store.Transfer(t.Context(), ""); !errors.Is(err, ledger.ErrNotLeader) {
			t.Errorf("a follower transfers: %v, want ErrNotLeader", err)
		}
	})
}

func TestTransferToTheDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		defer c.close()
		c.kill(1)
		c.settle()
		apply(t, c.nodes[0].store, ledgertest.Record(1, ""))
		if err := c.nodes[0].store.Transfer(t.Context(), nodeID(1)); !errors.Is(err, ErrUnreachable) {
			t.Errorf("error %v, want ErrUnreachable", err)
		}
		apply(t, c.nodes[0].store, ledgertest.Record(2, "")) // it goes on
		if err := c.nodes[0].store.StepDown(t.Context()); err != nil || c.leader(0) != 2 {
			t.Errorf("step down: %v; node 1 is dead, and leader is %d", err, c.leader(0))
		}
	})
}

func TestTransferOfTheOnlyVoter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 1)
		defer c.close()
		if err := c.nodes[0].store.Transfer(t.Context(), ""); !errors.Is(err, ErrQuorum) {
			t.Errorf("error %v, want ErrQuorum", err)
		}
		if err := c.nodes[0].store.StepDown(t.Context()); err != nil || !c.nodes[0].store.Leader().Self {
			t.Errorf("step down: %v, leader %+v", err, c.nodes[0].store.Leader())
		}
	})
}

func TestBootstrapWith(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cluster{t: t, network: newNetwork()}
		defer c.close()
		var all []Member
		for i := range 3 {
			c.add(false, 0)
			all = append(all, Member{ID: nodeID(i), Addr: nodeAddr(i), Voter: true})
		}
		if err := c.nodes[0].store.BootstrapWith(all[1:]); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("without itself: error %v, want ErrInvalid", err)
		}
		if err := c.nodes[0].store.BootstrapWith(append(all, all[1])); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("one of them twice: error %v, want ErrInvalid", err)
		}
		for i, n := range c.nodes {
			if err := n.store.BootstrapWith(all); err != nil {
				t.Fatalf("node %d: %v", i, err)
			}
		}
		i := c.leader(-1)
		apply(t, c.nodes[i].store, ledgertest.Record(1, ""))
		if err := c.nodes[i].store.BootstrapWith(all); !errors.Is(err, ErrBootstrapped) {
			t.Errorf("again: error %v, want ErrBootstrapped", err)
		}
	})
}

func TestBootstrapTwiceJustStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 2)
		defer c.close()
		apply(t, c.nodes[0].store, ledgertest.Record(1, ""))
		c.kill(0)
		if err := c.start(0); err != nil {
			t.Fatal(err)
		}
		c.settle()
		s := c.nodes[0].store
		if len(members(t, s)) != 2 || s.State().Destination(ledgertest.Hash(1)).LastSeq != 1 {
			t.Errorf("started again it has members %v", members(t, s))
		}
	})
}

func TestOpenChecksWhoseStateItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 2)
		defer c.close()
		c.kill(1)
		n := c.nodes[1]
		for what, change := range map[string]func(){
			"node-9":  func() { n.config.ID, n.transport.ID = "node-9", "node-9" },
			"cluster": func() { n.transport.Cluster = "another" },
		} {
			config, transport := n.config, n.transport
			change()
			if err := c.start(1); !errors.Is(err, ErrNotMember) || !strings.Contains(err.Error(), what) {
				t.Errorf("another %s: error %v, want ErrNotMember that names it", what, err)
			}
			n.config, n.transport, n.store = config, transport, nil
		}
	})
}
