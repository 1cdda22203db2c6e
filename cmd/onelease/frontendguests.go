package main

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/frontend/guest"
	"github.com/onelease/onelease/internal/pki"
)

// A guestServer has the keys that say who may have Destinations of its own on a frontend's router.
type guestServer struct{ *frontendFile }

// server listens for guests of f's router. serve serves them; without --guests the server
// is nil, and serve returns at once.
func (g *guestServer) server(f *frontend.Frontend, cfg frontend.Config, creds *pki.Reloader) (server *guest.Server, serve func(context.Context) error, err error) {
	if g.Guests == "" {
		return nil, func(context.Context) error { return nil }, nil
	}
	own := f.Status()
	server, err = guest.NewServer(guest.ServerConfig{
		Frontend: func() (frontend.Config, error) { return guestTemplate(f.Status(), cfg) },
		Name:     cfg.Name, Member: own.Member && !own.Refuge, Publisher: own.Publisher, Refuge: own.Refuge,
		TLS: guestTLS(creds, guest.ALPN), BackendName: backendName,
		Backends: g.GuestsOf, MaxGuests: g.GuestsMax, MaxPerBackend: g.GuestsPerBackend, Logger: cfg.Logger,
	})
	if err != nil {
		return nil, nil, err
	}
	ln, err := net.Listen("tcp", g.Guests)
	if err != nil {
		return nil, nil, fmt.Errorf("listen for guests: %w", err)
	}
	cfg.Logger.Info("guests may come here", "guests", ln.Addr().String(), "of", g.GuestsOf)
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
