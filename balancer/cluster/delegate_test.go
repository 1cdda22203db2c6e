package cluster

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/onelease/onelease/backend/delegate"
	"github.com/onelease/onelease/balancer/cluster/clusterpb"
)

// backend runs a client of the balancers until the test's part ends.
func (r *rig) backend(dir string, handOver bool, part func(c *delegate.Client)) {
	r.t.Helper()
	c, err := delegate.New(delegate.Config{
		Name: "w1", Balancers: r.addrs(), TLS: r.tlsOf(dir), HandOver: handOver, Logger: r.logger,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(r.t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := c.Run(ctx); err != nil {
			r.t.Errorf("Run: %v", err)
		}
	})
	defer running.Wait()
	defer cancel()
	part(c)
}

// permitted waits for a permission that verifies, and returns its key.
func (r *rig) permitted(c *delegate.Client) string {
	r.t.Helper()
	r.until("it may sign", func() bool { return c.Origin() != nil })
	origin := c.Origin()
	if origin.Destination != r.keys.Destination || origin.Offline == nil {
		r.t.Fatalf("got %+v", origin)
	}
	if err := origin.Offline.Verify(r.keys.Destination); err != nil {
		r.t.Error(err)
	}
	known := r.awaitLeader().store.State().Destination(r.keys.Destination.Hash()).Delegations["w1"]
	if string(known.Key) != string(origin.Offline.Key.Key) || int64(known.Expires) != origin.Offline.Expires.Unix() {
		r.t.Errorf("the state has %x until %d, the backend %x until %d", known.Key, known.Expires, origin.Offline.Key.Key, origin.Offline.Expires.Unix())
	}
	return string(origin.Offline.Key.Key)
}

// A backend gets its permission, and the next one from the next leader, also if
// it asks while there is none.
func TestDelegateOverLeaders(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.form(3)
	dir := r.join("backend", "w1")
	var first, second string
	r.backend(dir, false, func(c *delegate.Client) { first = r.permitted(c) })
	r.awaitLeader().Kill()
	r.backend(dir, false, func(c *delegate.Client) { second = r.permitted(c) })
	if first == second {
		t.Error("the same transient key twice")
	}
}

func TestHandOver(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.form(1)
	dir := r.join("backend", "w1")
	r.backend(dir, true, func(c *delegate.Client) {
		r.until("it is refused", func() bool { return strings.Contains(c.Status().Error, "hand_over_keys") })
		if c.Origin() != nil {
			t.Error("it has the key all the same")
		}
	})
	policy := &clusterpb.Policy{HandOverKeys: true}
	if _, err := r.leader().SetPolicy(t.Context(), &clusterpb.SetPolicyRequest{Policy: policy}); err != nil {
		t.Fatal(err)
	}
	r.until("the policy is in force", func() bool {
		var handed bool
		r.backend(dir, true, func(c *delegate.Client) {
			r.until("an answer", func() bool { return c.Origin() != nil || c.Status().Error != "" })
			handed = c.Status().HandedOver
		})
		return handed
	})
}
