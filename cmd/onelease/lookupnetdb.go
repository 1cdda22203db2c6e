package main

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/balancer/cluster"
	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/webconsole"
)

// askConsoles asks all side by side, if it is known by now whom for.
func (v *lookupView) askConsoles(ctx context.Context, addrs []string) {
	hash, err := i2p.ParseBase32(v.Address)
	v.Floodfills = make([]floodfillFound, len(addrs))
	var asking sync.WaitGroup
	for i, addr := range addrs {
		f := &v.Floodfills[i]
		f.Console = addr
		if v.Address == "" || err != nil {
			f.Error = "not asked: no router knows which Destination " + v.Name + " is"
			continue
		}
		asking.Go(func() { f.ask(ctx, hash) })
	}
	asking.Wait()
}

// ask asks one.
func (f *floodfillFound) ask(ctx context.Context, hash i2p.Hash) {
	page, err := webconsole.Get(ctx, f.Console, time.Local)
	if err != nil {
		f.Error = err.Error()
		return
	}
	f.Floodfill = page.Floodfill
	ls, ok := page.LeaseSets[hash]
	if !ok {
		return
	}
	f.LeaseSet = &storedView{Type: i2p.StoreType(ls.StoreType).String(), Expires: ls.Expires.UTC(), Valid: ls.Valid, Leases: []storedLease{}}
	for _, l := range ls.Leases {
		f.LeaseSet.Leases = append(f.LeaseSet.Leases, storedLease{
			Gateway: i2p.Base64.EncodeToString(l.Gateway[:]), Tunnel: l.TunnelID, End: l.End.UTC(), tunnel: tunnel{l.Gateway, l.TunnelID},
		})
	}
}

// A tunnel is an inbound one, by its gateway.
type tunnel struct {
	gateway i2p.Hash
	id      uint32
}

// An ourTunnels is what the leader of a cluster knows of its frontends' tunnels.
type ourTunnels struct {
	address string
	of      map[tunnel]string // name of the frontend
}

// ourTunnels asks the leader.
func (f *lookupFlags) ourTunnels(cmd *cobra.Command) (*ourTunnels, error) {
	ours := &ourTunnels{of: map[tunnel]string{}}
	err := f.access.look(cmd, func(ctx context.Context, leader *cluster.Conn) error {
		status, err := leader.Control.GetStatus(ctx, &controlpb.StatusRequest{})
		ours.address = status.GetDestination()
		for _, frontend := range status.GetFrontends() {
			for _, lease := range frontend.GetLeases() {
				t := tunnel{id: lease.GetTunnelId()}
				copy(t.gateway[:], lease.GetGateway())
				ours.of[t] = frontend.GetName()
			}
		}
		return err
	})
	return ours, err
}

// compare notes whose tunnels the leases are.
func (v *lookupView) compare(ours *ourTunnels) {
	if ours == nil {
		return
	}
	v.Cluster = &clusterFound{Destination: ours.address, Ours: strings.EqualFold(ours.address, v.Address)}
	for _, f := range v.Floodfills {
		if f.LeaseSet == nil {
			continue
		}
		for i := range f.LeaseSet.Leases {
			l := &f.LeaseSet.Leases[i]
			l.Frontend = ours.of[l.tunnel]
			if l.Frontend == "" {
				v.Cluster.Strange++
			}
		}
	}
}
