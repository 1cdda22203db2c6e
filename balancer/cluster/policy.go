package cluster

import (
	"context"

	"github.com/onelease/onelease/balancer/cluster/clusterpb"
	"github.com/onelease/onelease/raftstate"
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

func policyMessage(p raftstate.Policy) *clusterpb.Policy {
	return &clusterpb.Policy{
		Tunnels: p.Tunnels, Hops: p.Hops,
		MergedLifeMs: p.MergedLife.Milliseconds(), MergedRefreshMs: p.MergedRefresh.Milliseconds(),
		OwnLifeMs: p.OwnLife.Milliseconds(), OwnRefreshMs: p.OwnRefresh.Milliseconds(),
		Rotation: p.Rotation, DrainLimitMs: p.DrainLimit.Milliseconds(),
		HandOverKeys: p.HandOverKeys, DelegationLifeMs: p.DelegationLife.Milliseconds(),
	}
}
