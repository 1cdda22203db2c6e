package cluster

import (
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/onelease/onelease/balancer/controlpb"
)

// control is the control service: the Balancer's while this node could lead,
// and else the way to who can.
type control struct {
	controlpb.UnimplementedControlServer
	node *Node
}

// redirect names the leader, or says why there is none to name.
func (c control) redirect() (*controlpb.Redirect, error) {
	leader := c.node.store.Leader()
	if leader.Self || leader.ID == "" {
		return nil, status.Errorf(codes.Unavailable, "balancer %s: %s", c.node.info.Name, c.node.office())
	}
	return &controlpb.Redirect{Leader: leader.Addr}, nil
}

// Attach implements controlpb.ControlServer.
func (c control) Attach(stream controlpb.Control_AttachServer) error {
	if b := c.node.leader.Load(); b != nil {
		return b.Control().Attach(stream)
	}
	redirect, err := c.redirect()
	if err != nil {
		return err
	}
	return stream.Send(&controlpb.BalancerMessage{Kind: &controlpb.BalancerMessage_Redirect{Redirect: redirect}})
}

// Delegate implements controlpb.ControlServer.
func (c control) Delegate(ctx context.Context, r *controlpb.DelegateRequest) (*controlpb.DelegateReply, error) {
	if b := c.node.leader.Load(); b != nil {
		return b.Control().Delegate(ctx, r)
	}
	redirect, err := c.redirect()
	return &controlpb.DelegateReply{Redirect: redirect}, err
}

// GetStatus implements controlpb.ControlServer.
func (c control) GetStatus(ctx context.Context, r *controlpb.StatusRequest) (*controlpb.Status, error) {
	if b := c.node.leader.Load(); b != nil {
		return b.Control().GetStatus(ctx, r)
	}
	return &controlpb.Status{Destination: c.node.dest.Base32()}, nil
}

var _ controlpb.ControlServer = control{}
