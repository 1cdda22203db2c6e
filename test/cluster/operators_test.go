package cluster_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/onelease/onelease/balancer/cluster"
	"github.com/onelease/onelease/balancer/cluster/clusterpb"
	"github.com/onelease/onelease/internal/pki"
)

// operators make changes while things go wrong, and note what was acknowledged.
type operators struct {
	w       *world
	stop    context.CancelFunc
	running sync.WaitGroup
	policy  int64 // of the last SetPolicy

	mu      sync.Mutex
	invites []string // acknowledged
	tried   int
}

const (
	// inviteEvery is the pace of invitations. They are light, and what a cluster
	// loses of them is missed.
	inviteEvery = 200 * time.Millisecond
	// lookEvery is the pace of looks at the leader's state.
	lookEvery = time.Second
)

func (w *world) startOperators() *operators {
	ctx, stop := context.WithCancel(w.t.Context())
	o := &operators{w: w, stop: stop}
	o.running.Go(func() { every(ctx, inviteEvery, o.invite) })
	o.running.Go(func() { every(ctx, lookEvery, func() { _ = w.lookAtState() }) }) // there may be no leader
	w.t.Cleanup(o.end)
	return o
}

func (o *operators) end() {
	o.stop()
	o.running.Wait()
}

// invite has the leader make an invitation. One whose fate is not told is not
// missed either: nobody knows its ID.
func (o *operators) invite() {
	o.mu.Lock()
	o.tried++
	name := fmt.Sprintf("guest-%d", o.tried)
	o.mu.Unlock()
	_ = o.w.withLeader(func(ctx context.Context, leader *cluster.Conn) error {
		ctx, cancel := context.WithTimeout(ctx, askTime)
		defer cancel()
		reply, err := leader.Invite(ctx, &clusterpb.InviteRequest{Role: string(pki.Frontend), Name: name})
		if err != nil {
			return err
		}
		token, err := pki.ParseToken(reply.GetToken())
		if err != nil {
			return err
		}
		o.mu.Lock()
		defer o.mu.Unlock()
		o.invites = append(o.invites, token.Invite)
		return nil
	})
}

// setPolicy writes another policy. The part of it that tells them apart, the
// limit of drains, changes nothing here; but the leader takes over anew.
func (o *operators) setPolicy() {
	o.policy++
	o.w.history.do(write{"policy", o.policy}, func() any {
		err := o.w.withLeader(func(ctx context.Context, leader *cluster.Conn) error {
			limit := policyBase + time.Duration(o.policy)*time.Millisecond
			_, err := leader.SetPolicy(ctx, &clusterpb.SetPolicyRequest{Policy: &clusterpb.Policy{DrainLimitMs: limit.Milliseconds()}})
			return err
		})
		if err != nil {
			return nil
		}
		return true
	})
}

const policyBase = 10 * time.Minute

// check looks whether all that was acknowledged is in the leader's state.
func (o *operators) check() {
	o.w.t.Helper()
	o.mu.Lock()
	acknowledged := slices.Clone(o.invites)
	o.mu.Unlock()
	var a nodeState
	o.w.until(time.Minute, "the leader's state is read", func() bool {
		_, read := o.w.history.do(read{"policy"}, func() any {
			var err error
			if a, err = o.w.leader().ask(true, 10*time.Second); err != nil {
				return nil
			}
			return policyOf(a)
		}).(int64)
		return read
	})
	for _, id := range acknowledged {
		if !slices.Contains(a.Invites, id) {
			o.w.t.Errorf("invitation %s was acknowledged and is not in the state of %d", id, len(a.Invites))
		}
	}
}

func policyOf(a nodeState) int64 {
	if a.DrainLimit == 0 {
		return 0
	}
	return (a.DrainLimit - policyBase).Milliseconds()
}

// count is how many invitations were acknowledged, of how many.
func (o *operators) count() (acknowledged, tried int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.invites), o.tried
}
