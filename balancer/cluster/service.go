package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/onelease/onelease/balancer"
	"github.com/onelease/onelease/balancer/cluster/clusterpb"
	"github.com/onelease/onelease/internal/pki"
	"github.com/onelease/onelease/raftstate"
	"github.com/onelease/onelease/raftstate/ledger"
)

// service is the cluster service. Package guard has looked at who calls.
type service struct {
	clusterpb.UnimplementedClusterServer
	node *Node
}

// What a balancer says that does not lead.
const (
	nobodyLeads = "no balancer leads now: a majority of those with a vote must be up"
	askThere    = ": ask there"
)

// needLeader refuses what only the leader can do, which may then rely on State.
func (n *Node) needLeader(ctx context.Context) error {
	leader := n.store.Leader()
	switch {
	case leader.Self:
		return told(n.settle(ctx))
	case leader.ID == "":
		return status.Error(codes.Unavailable, nobodyLeads)
	}
	return status.Errorf(codes.FailedPrecondition, "balancer %s at %s leads%s", leader.ID, leader.Addr, askThere)
}

// settle has State know what earlier leaders have committed. That costs an entry
// in the log, so it is done once for each time that this balancer leads.
func (n *Node) settle(ctx context.Context) error {
	n.settling.Lock()
	defer n.settling.Unlock()
	changed := n.store.LeaderChanged()
	if n.settled == changed {
		return nil
	}
	if err := n.store.Barrier(ctx); err != nil {
		return err
	}
	n.settled = changed
	return nil
}

// told puts an error of the replicated state into gRPC's words.
func told(err error) error {
	code := codes.Internal
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ledger.ErrNotLeader), errors.Is(err, raftstate.ErrUnreachable), errors.Is(err, ledger.ErrVersion),
		errors.Is(err, raftstate.ErrQuorum):
		code = codes.FailedPrecondition
	case errors.Is(err, ledger.ErrUncertain), errors.Is(err, ledger.ErrClosed),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		code = codes.Unavailable
	case errors.Is(err, ledger.ErrInvalid), errors.Is(err, raftstate.ErrNotMember):
		code = codes.InvalidArgument
	case errors.Is(err, raftstate.ErrUnknownMember), errors.Is(err, ledger.ErrUnknownFrontend):
		code = codes.NotFound
	}
	return status.Error(code, err.Error())
}

// Members implements clusterpb.ClusterServer.
func (s service) Members(context.Context, *clusterpb.MembersRequest) (*clusterpb.MembersReply, error) {
	n := s.node
	members, err := n.store.Members()
	if err != nil {
		return nil, told(err)
	}
	leader := n.store.Leader()
	_, unlocked := n.memory.Keys()
	reply := &clusterpb.MembersReply{
		Cluster: n.info.Cluster, Self: n.info.Name, Leader: leader.ID, LeaderAddress: leader.Addr,
		Generation: n.store.State().Generation, Format: n.store.WriteVersion(), Destination: n.dest.Base32(),
		ClockMs: time.Now().UnixMilli(), Unlocked: unlocked, Office: n.office(),
	}
	for _, m := range members {
		reply.Members = append(reply.Members, memberMessage(m, leader.ID))
	}
	return reply, nil
}

func memberMessage(m raftstate.Member, leader string) *clusterpb.Member {
	silent := int64(-1)
	switch {
	case m.Self:
		silent = 0
	case !m.LastContact.IsZero():
		silent = time.Since(m.LastContact).Milliseconds()
	}
	return &clusterpb.Member{
		Id: m.ID, Address: m.Addr, Voter: m.Voter, Leader: m.ID == leader, SilentMs: silent, Version: m.Version,
	}
}

// Change implements clusterpb.ClusterServer.
func (s service) Change(ctx context.Context, r *clusterpb.ChangeRequest) (*clusterpb.ChangeReply, error) {
	n := s.node
	if err := n.needLeader(ctx); err != nil {
		return nil, err
	}
	err := n.change(ctx, r)
	if err != nil {
		return nil, told(err)
	}
	n.cfg.Logger.Info("cluster changed", "what", r.GetKind(), "id", r.GetId())
	return &clusterpb.ChangeReply{Leader: n.store.Leader().ID}, nil
}

func (n *Node) change(ctx context.Context, r *clusterpb.ChangeRequest) error {
	switch r.GetKind() {
	case clusterpb.ChangeRequest_KIND_REMOVE:
		return n.removeBalancer(ctx, r.GetId(), r.GetForce())
	case clusterpb.ChangeRequest_KIND_PROMOTE:
		return n.store.Promote(ctx, r.GetId())
	case clusterpb.ChangeRequest_KIND_DEMOTE:
		return n.store.Demote(ctx, r.GetId())
	case clusterpb.ChangeRequest_KIND_TRANSFER:
		return n.store.Transfer(ctx, r.GetId())
	case clusterpb.ChangeRequest_KIND_REMOVE_FRONTEND:
		return n.removeFrontend(ctx, r.GetId(), r.GetForce())
	case clusterpb.ChangeRequest_KIND_REMOVE_BACKEND:
		return n.removeBackend(ctx, r.GetId(), r.GetForce())
	case clusterpb.ChangeRequest_KIND_REMOVE_OPERATOR:
		return n.shutOut(ctx, pki.Operator, r.GetId())
	case clusterpb.ChangeRequest_KIND_REMOVE_GUEST:
		return n.shutOut(ctx, pki.Guest, r.GetId()) // frontends have a list of their own of who may come
	}
	return fmt.Errorf("change of kind %v: %w", r.GetKind(), ledger.ErrInvalid)
}

// SetPolicy implements clusterpb.ClusterServer.
func (s service) SetPolicy(ctx context.Context, r *clusterpb.SetPolicyRequest) (*clusterpb.SetPolicyReply, error) {
	n := s.node
	if err := n.needLeader(ctx); err != nil {
		return nil, err
	}
	policy := policyFromMessage(r.GetPolicy())
	if err := errors.Join(n.cfg.Policy.CheckWith(policy), checkRefuges(n.store.State(), policy)); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	if _, err := n.store.Apply(ctx, ledger.PutPolicy(n.dest.Hash(), policy)); err != nil {
		return nil, told(err)
	}
	by, _, _ := caller(ctx)
	n.cfg.Logger.Info("policy set", "by", by.Name, "hand_over_keys", policy.HandOverKeys)
	n.beginAnew()
	return &clusterpb.SetPolicyReply{}, nil
}

func policyFromMessage(p *clusterpb.Policy) ledger.Policy {
	ms := func(n int64) time.Duration { return time.Duration(n) * time.Millisecond }
	return ledger.Policy{
		Tunnels: p.GetTunnels(), Hops: p.GetHops(),
		MergedLife: ms(p.GetMergedLifeMs()), MergedRefresh: ms(p.GetMergedRefreshMs()),
		OwnLife: ms(p.GetOwnLifeMs()), OwnRefresh: ms(p.GetOwnRefreshMs()),
		Rotation: p.GetRotation(), DrainLimit: ms(p.GetDrainLimitMs()),
		HandOverKeys: p.GetHandOverKeys(), DelegationLife: ms(p.GetDelegationLifeMs()),
	}
}

// Drain implements clusterpb.ClusterServer.
func (s service) Drain(ctx context.Context, r *clusterpb.DrainRequest) (*clusterpb.DrainReply, error) {
	if err := s.node.needLeader(ctx); err != nil {
		return nil, err
	}
	b := s.node.leader.Load()
	if b == nil {
		return nil, status.Errorf(codes.Unavailable, "balancer %s: %s", s.node.info.Name, s.node.office())
	}
	err := b.Drain(r.GetFrontend(), !r.GetOff())
	if errors.Is(err, balancer.ErrNotMember) || errors.Is(err, balancer.ErrLastMember) {
		return nil, status.Error(codes.FailedPrecondition, err.Error())
	}
	return &clusterpb.DrainReply{}, told(err)
}

// Unlock implements clusterpb.ClusterServer.
func (s service) Unlock(_ context.Context, r *clusterpb.UnlockRequest) (*clusterpb.UnlockReply, error) {
	if err := s.node.unlockWith(r.GetPrivateKeys()); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	return &clusterpb.UnlockReply{Destination: s.node.dest.Base32()}, nil
}

var _ clusterpb.ClusterServer = service{}
