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

// adminFlags say where a long-running command can be watched.
type adminFlags struct{ with admin.Config }

func (a *adminFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&a.with.Listen, "admin", "", "`host:port` or unix:PATH to watch it at: metrics, readiness, status, profiles (default nowhere)")
	flags.StringVar(&a.with.TLSCert, "admin-tls-cert", "", "PEM `file` with the certificate for --admin; off the loopback it must have one")
	flags.StringVar(&a.with.TLSKey, "admin-tls-key", "", "PEM `file` with its key, which only its owner may read")
	flags.StringVar(&a.with.TokenFile, "admin-token-file", "", "`file` with the token that --admin asks for, which only its owner may read; off the loopback it must")
}

func (a *adminFlags) config(log *slog.Logger) admin.Config {
	cfg := a.with
	cfg.Logger = log
	return cfg
}

// open takes the address; it is nil if there is none.
func (a *adminFlags) open(cmd *cobra.Command, log *slog.Logger) (*admin.Endpoint, error) {
	endpoint, err := admin.Open(a.config(log))
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
