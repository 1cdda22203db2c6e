package main

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/frontend/guest"
	"github.com/onelease/onelease/internal/pki"
)

// A guestFlags says who may have Destinations of its own on a frontend's router.
type guestFlags struct {
	addr      string
	of        []string
	max, each int
}

func (g *guestFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&g.addr, "guests", "", "`host:port` at which backends of the cluster may open Destinations of their own; by TLS")
	flags.StringSliceVar(&g.of, "guests-of", nil, "`names` of the backends that may, with commas; repeatable")
	flags.IntVar(&g.max, "guests-max", 1000, "most Destinations of all backends")
	flags.IntVar(&g.each, "guests-per-backend", 0, "most Destinations of one backend, --guests-max if 0")
}

func (g *guestFlags) check(cmd *cobra.Command) error {
	set := cmd.Flags().Changed
	switch {
	case g.addr == "" && (set("guests-of") || set("guests-max") || set("guests-per-backend")):
		return wrongUse(cmd, errors.New("--guests-of, --guests-max and --guests-per-backend go with --guests: give its host:port"))
	case g.max < 1 || g.each < 0:
		return wrongUse(cmd, fmt.Errorf("--guests-max %d, --guests-per-backend %d: want 1 or more; leave --guests out to have none", g.max, g.each))
	}
	return nil
}

// server listens for guests of f's router. serve serves them; without --guests the server
// is nil, and serve returns at once.
func (g *guestFlags) server(f *frontend.Frontend, cfg frontend.Config, creds *pki.Reloader) (server *guest.Server, serve func(context.Context) error, err error) {
	if g.addr == "" {
		return nil, func(context.Context) error { return nil }, nil
	}
	own := f.Status()
	server, err = guest.NewServer(guest.ServerConfig{
		Frontend: func() (frontend.Config, error) { return guestTemplate(f.Status(), cfg) },
		Name:     cfg.Name, Member: own.Member && !own.Refuge, Publisher: own.Publisher, Refuge: own.Refuge,
		TLS: backendTLS(creds, guest.ALPN), BackendName: backendName,
		Backends: g.of, MaxGuests: g.max, MaxPerBackend: g.each, Logger: cfg.Logger,
	})
	if err != nil {
		return nil, nil, err
	}
	ln, err := net.Listen("tcp", g.addr)
	if err != nil {
		return nil, nil, fmt.Errorf("listen for guests: %w", err)
	}
	cfg.Logger.Info("backends may have guests here", "guests", ln.Addr().String(), "of", g.of)
	return server, func(ctx context.Context) error {
		defer server.Close()
		return server.Serve(ctx, ln)
	}, nil
}

// guestTemplate is what guests' frontends have of the frontend's own, which finds out for
// all of them what kind of router it has.
func guestTemplate(own frontend.Status, cfg frontend.Config) (frontend.Config, error) {
	if own.Quirk == frontend.Auto {
		return frontend.Config{}, errors.New("the frontend is still finding out how its router reads i2cp.dontPublishLeaseSet")
	}
	return frontend.Config{Router: cfg.Router, DontPublish: own.Quirk}, nil
}
