package cluster

import (
	"context"
	"fmt"

	"github.com/onelease/onelease/balancer"
	"github.com/onelease/onelease/balancer/cluster/clusterpb"
	"github.com/onelease/onelease/raftstate/ledger"
)

// GetPolicy implements clusterpb.ClusterServer.
func (s service) GetPolicy(ctx context.Context, _ *clusterpb.GetPolicyRequest) (*clusterpb.GetPolicyReply, error) {
	n := s.node
	if err := n.needLeader(ctx); err != nil {
		return nil, err
	}
	reply := &clusterpb.GetPolicyReply{Policy: &clusterpb.Policy{}}
	if p := n.store.State().Destination(n.dest.Hash()).Policy; p != nil {
		reply.Policy = policyMessage(*p)
	}
	return reply, nil
}

// checkRefuges says why keys cannot be rotated: a refuge has the next one.
func checkRefuges(state *ledger.State, p ledger.Policy) error {
	if p.Rotation == "" || p.Rotation == string(balancer.RotateNever) {
		return nil
	}
	for name, f := range state.Frontends {
		if f.Roles.Refuge {
			return fmt.Errorf("policy Rotation is %q, and frontend %s is a refuge, which has the key that the others would get: remove it first", p.Rotation, name)
		}
	}
	return nil
}

func policyMessage(p ledger.Policy) *clusterpb.Policy {
	return &clusterpb.Policy{
		Tunnels: p.Tunnels, Hops: p.Hops,
		MergedLifeMs: p.MergedLife.Milliseconds(), MergedRefreshMs: p.MergedRefresh.Milliseconds(),
		OwnLifeMs: p.OwnLife.Milliseconds(), OwnRefreshMs: p.OwnRefresh.Milliseconds(),
		Rotation: p.Rotation, DrainLimitMs: p.DrainLimit.Milliseconds(),
		HandOverKeys: p.HandOverKeys, DelegationLifeMs: p.DelegationLife.Milliseconds(),
	}
}
