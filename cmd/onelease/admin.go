package main

import (
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/balancer/cluster"
	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/frontend/guest"
	"github.com/onelease/onelease/internal/admin"
	"github.com/onelease/onelease/internal/watch"
)

// openAdmin takes the address to be watched at; it is nil if there is none.
func openAdmin(cmd *cobra.Command, at admin.Address, log *slog.Logger) (*admin.Endpoint, error) {
	endpoint, err := admin.Open(at.Config(log))
	return endpoint, misuse(cmd, err, admin.ErrConfig)
}

func watchBalancer(node *cluster.Node) *admin.Snapshot {
	now := time.Now()
	view := func(s *controlpb.Status) any { return statusOf(s, now) }
	return watch.Balancer(node.Status(), node.Destination(), view, now)
}

// watchFrontend has guests nil without --guests.
func watchFrontend(f *frontend.Frontend, guests *guest.Server) *admin.Snapshot {
	var status *guest.Status
	if guests != nil {
		s := guests.Status()
		status = &s
	}
	return watch.Frontend(f.Status(), status, time.Now())
}
