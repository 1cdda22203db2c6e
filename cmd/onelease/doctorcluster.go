package main

import (
	"context"

	"github.com/onelease/onelease/balancer/cluster"
	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/doctor"
	"github.com/onelease/onelease/internal/pki"
)

// askLeader asks the leader of a node's cluster, which any of its nodes but a guest may.
func askLeader(ctx context.Context, dir string, balancers []string) (all []doctor.Frontend, err error) {
	client, err := cluster.NewClient(dir, balancers...)
	if err != nil {
		return nil, err
	}
	leader, err := client.AwaitLeader(ctx)
	if err != nil {
		return nil, err
	}
	defer leader.Close()
	if client.Credentials().Credentials().Identity().Role == pki.Guest {
		return nil, doctor.ErrNotTold
	}
	status, err := leader.Control.GetStatus(ctx, &controlpb.StatusRequest{})
	if err != nil {
		return nil, cluster.Plain(err)
	}
	for _, f := range status.GetFrontends() {
		all = append(all, doctor.Frontend{
			Name: f.GetName(), Member: f.GetMember(), Publisher: f.GetPublisher(), Refuge: f.GetRefuge(),
			Up: f.GetAttached() && f.GetUp(), Error: f.GetError(), Tunnels: tunnelsOf(f),
		})
	}
	return all, nil
}

func tunnelsOf(f *controlpb.FrontendStatus) (all []doctor.Tunnel) {
	for _, lease := range f.GetLeases() {
		var gateway i2p.Hash
		copy(gateway[:], lease.GetGateway())
		all = append(all, doctor.Tunnel{Gateway: gateway.String(), ID: lease.GetTunnelId()})
	}
	return all
}
