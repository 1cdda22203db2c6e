package cluster_test

import (
	"context"
	"errors"
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
	invites []*pki.Token // acknowledged, and not used
	used    []string     // their IDs
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
		o.invites = append(o.invites, token)
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

// drain takes a member out of service, or puts it back.
func (o *operators) drain(frontend string, on bool) {
	value := int64(0)
	if on {
		value = 1
	}
	o.w.history.do(write{"drain of " + frontend, value}, func() any {
		err := o.w.withLeader(func(ctx context.Context, leader *cluster.Conn) error {
			_, err := leader.Drain(ctx, &clusterpb.DrainRequest{Frontend: frontend, Off: !on})
			return err
		})
		if err != nil {
			return nil
		}
		return true
	})
}

// joinOnce has a guest join, and wants its token to be worth nothing from then on.
func (o *operators) joinOnce(token *pki.Token) {
	o.w.t.Helper()
	join := func(dir string) error {
		ctx, cancel := context.WithTimeout(o.w.t.Context(), 10*time.Second)
		defer cancel()
		return cluster.Join(ctx, cluster.JoinConfig{Dir: o.w.dirOf(dir), Token: token})
	}
	if err := join(token.Node.Name); err != nil {
		o.w.t.Errorf("guest %s cannot join: %v", token.Node.Name, err)
		return
	}
	o.mu.Lock()
	o.used = append(o.used, token.Invite)
	o.mu.Unlock()
	if err := join(token.Node.Name + "-again"); !errors.Is(err, cluster.ErrRefused) {
		o.w.t.Errorf("a token that was used before: %v, want ErrRefused", err)
	}
}

const policyBase = 10 * time.Minute

// check looks whether all that was acknowledged is in the leader's state, and
// what was used up is not.
func (o *operators) check() {
	o.w.t.Helper()
	o.mu.Lock()
	acknowledged, used := slices.Clone(o.invites), slices.Clone(o.used)
	o.mu.Unlock()
	a := o.read()
	for _, token := range acknowledged {
		if !slices.Contains(a.Invites, token.Invite) {
			o.w.t.Errorf("invitation %s was acknowledged and is not in the state of %d", token.Invite, len(a.Invites))
		}
	}
	for _, id := range used {
		if slices.Contains(a.Invites, id) {
			o.w.t.Errorf("invitation %s was used and is in the state still", id)
		}
	}
}

// read reads the leader's state, and notes what it has of each setting.
func (o *operators) read() (a nodeState) {
	o.w.t.Helper()
	o.w.until(time.Minute, "the leader's state is read", func() bool {
		began := time.Now()
		var err error
		if a, err = o.w.leader().ask(true, 10*time.Second); err != nil {
			return false
		}
		o.w.history.noteRead("policy", policyOf(a), began)
		for _, name := range o.w.frontends() {
			drained := int64(0)
			if slices.Contains(a.Drained, name) {
				drained = 1
			}
			o.w.history.noteRead("drain of "+name, drained, began)
		}
		return true
	})
	return a
}

// takeInvite is an acknowledged invitation that is not used yet.
func (o *operators) takeInvite() *pki.Token {
	o.mu.Lock()
	defer o.mu.Unlock()
	last := len(o.invites) - 1
	token := o.invites[last]
	o.invites = o.invites[:last]
	return token
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
	return len(o.invites) + len(o.used), o.tried
}
