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
			n.office.Store("locked: it has no keys; unlock it with \"onelease cluster unlock\"")
			n.handOver()
			n.rest(changed)
		case n.voters() < n.info.Expect:
			n.office.Store(fmt.Sprintf("waiting for %d balancers with a vote, there are %d", n.info.Expect, n.voters()))
			n.rest(changed)
		default:
			n.office.Store("following or leading")
			n.lead(keys, changed)
		}
	}
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

// handOver gives away a lead that this balancer can make nothing of.
func (n *Node) handOver() {
	if !n.store.Leader().Self || n.voters() < 2 {
		return
	}
	ctx, cancel := context.WithTimeout(n.ctx, stepDownTime)
	defer cancel()
	if err := n.store.Transfer(ctx, ""); err != nil {
		n.cfg.Logger.Warn("this balancer is locked, leads, and could not hand over", "error", err)
	}
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

// lead runs the balancer until the keys change or the Node ends.
func (n *Node) lead(keys *i2p.Keys, changed <-chan struct{}) {
	b, err := balancer.New(balancer.Config{
		Keys: keys, Store: n.store, Policy: n.cfg.Policy, Authorize: authorize, Now: n.cfg.Now, Logger: n.cfg.Logger,
	})
	if err != nil {
		n.office.Store(err.Error())
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
		case <-ctx.Done():
		}
	})
	n.leader.Store(b)
	defer n.leader.Store(nil)
	_ = b.Run(ctx) // ends with ctx only
}

// enter makes a balancer that has joined a member of the cluster.
func (n *Node) enter() {
	warned := false
	for n.ctx.Err() == nil {
		members, err := n.store.Members()
		if err == nil && len(members) > 0 {
			return
		}
		client := &Client{creds: n.creds, addrs: n.info.Balancers, dial: n.cfg.Dial}
		err = client.enter(n.ctx, n.info.Address, n.info.Voter)
		if err != nil && n.ctx.Err() == nil && !warned {
			warned = true
			n.cfg.Logger.Warn("not a member of the cluster yet, trying on", "error", err)
		}
		n.rest(nil)
	}
}
