package cluster

import (
	"context"
	"fmt"
	"time"

	"github.com/onelease/onelease/balancer"
	"github.com/onelease/onelease/i2p"
)

// lookAgain is how often what may have changed without a word is looked at.
const lookAgain = time.Second

// work has the balancer do the leader's work whenever it could lead.
//
//	locked --keys--> waiting for voters --Expect--> following or leading --keys gone--> locked
func (n *Node) work() {
	for n.ctx.Err() == nil {
		changed := n.memory.Changed()
		keys, ok := n.memory.Keys()
		switch {
		case !ok:
			n.idle.Store("locked: it has no keys; unlock it with \"onelease cluster unlock\"")
			n.handOver()
			n.rest(changed)
		case n.isForming():
			n.idle.Store(fmt.Sprintf("waiting for %d balancers with a vote, there are %d", n.info.Expect, n.voters()))
			n.rest(changed)
		default:
			n.lead(keys, changed)
		}
	}
}

// isForming reports whether the cluster waits for its first voters. Once it has
// worked it goes on with fewer.
func (n *Node) isForming() bool {
	return n.voters() < n.info.Expect && n.store.State().Generation == 0
}

// office is what the balancer does, or why it does nothing.
func (n *Node) office() string {
	switch {
	case n.leader.Load() == nil:
		return n.idle.Load().(string)
	case n.store.Leader().Self:
		return "leads"
	}
	return "follows"
}

// rest waits for new keys, another leader, or lookAgain.
func (n *Node) rest(changed <-chan struct{}) {
	timer := time.NewTimer(lookAgain)
	defer timer.Stop()
	select {
	case <-changed:
	case <-n.store.LeaderChanged():
	case <-timer.C:
	case <-n.ctx.Done():
	}
}

// handOver gives a lead that this balancer can make nothing of to one that has
// keys. While none has, it keeps it: to hand it round would only cost elections.
func (n *Node) handOver() {
	if !n.store.Leader().Self {
		return
	}
	ctx, cancel := context.WithTimeout(n.ctx, handOverTime)
	defer cancel()
	to := n.unlockedVoter(ctx)
	if to == "" {
		return
	}
	if err := n.store.Transfer(ctx, to); err != nil {
		n.cfg.Logger.Warn("this balancer is locked, leads, and could not hand over", "to", to, "error", err)
	}
}

// handOverTime is for handOver, which asks all others.
const handOverTime = 5 * time.Second

// unlockedVoter is another balancer that could do the leader's work.
func (n *Node) unlockedVoter(ctx context.Context) string {
	members, _ := n.store.Members()
	for _, m := range members {
		if m.Self || !m.Voter {
			continue
		}
		if reply, err := n.client().membersAt(ctx, m.Addr); err == nil && reply.GetSelf() == m.ID && reply.GetUnlocked() {
			return m.ID
		}
	}
	return ""
}

// client asks with this balancer's own certificate.
func (n *Node) client() *Client {
	return &Client{creds: n.creds, addrs: n.info.Balancers, dial: n.cfg.Dial}
}

// voters is how many balancers have a vote.
func (n *Node) voters() (count int) {
	members, _ := n.store.Members()
	for _, m := range members {
		if m.Voter {
			count++
		}
	}
	return count
}

// beginAnew has the leader's work done by a new policy at once. It looks at the
// policy by itself, but only when something is due, which may be in an hour.
func (n *Node) beginAnew() {
	select {
	case n.anew <- struct{}{}:
	default:
	}
}

// lead runs the balancer until the keys or the policy change, or the Node ends.
func (n *Node) lead(keys *i2p.Keys, changed <-chan struct{}) {
	b, err := balancer.New(balancer.Config{
		Keys: keys, Store: n.store, Policy: n.cfg.Policy, LookEvery: n.cfg.LookEvery,
		Authorize: authorize, Now: n.cfg.Now, Logger: n.cfg.Logger,
	})
	if err != nil {
		n.idle.Store(err.Error())
		n.cfg.Logger.Error("this balancer cannot lead", "error", err)
		n.rest(changed)
		return
	}
	ctx, cancel := context.WithCancel(n.ctx)
	defer cancel()
	n.running.Go(func() {
		select {
		case <-changed:
			cancel()
		case <-n.anew:
			cancel()
		case <-ctx.Done():
		}
	})
	n.leader.Store(b)
	defer n.leader.Store(nil)
	_ = b.Run(ctx) // ends with ctx only
}

// enter makes a balancer that has joined a member of the cluster, and goes on
// until it has its vote. One that was a member before stays what it is: it may
// have been demoted, or removed.
func (n *Node) enter() {
	if n.isFormed() || n.info.First {
		return
	}
	last := ""
	for n.ctx.Err() == nil {
		err := n.client().enter(n.ctx, n.info.Address, n.info.Voter)
		if err == nil {
			return
		}
		if n.ctx.Err() == nil && err.Error() != last {
			last = err.Error()
			n.cfg.Logger.Warn("not a member of the cluster yet, trying on", "error", err)
		}
		n.rest(nil)
	}
}
