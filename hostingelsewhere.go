package onelease

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"

	"github.com/onelease/onelease/frontend/guest"
	"github.com/onelease/onelease/internal/nodedir"
	"github.com/onelease/onelease/internal/pki"
)

// A RemoteFrontend is a frontend process that takes guests ("onelease frontend --guests"):
// there it runs a frontend for each Destination of a Hosting. Keys, balancers and streams
// stay here. While it is away its router is lost to them, and it comes back by itself.
type RemoteFrontend struct {
	// Name is the frontend's, as in its certificate.
	Name string
	// Addr is the host:port of its --guests.
	Addr string
	// Dial, if set, connects in place of TCP to Addr.
	Dial func(ctx context.Context) (net.Conn, error)
	// TLS is used above the connection, with a client certificate; it must make sure that
	// the other end is that frontend. If it is nil, HostingConfig.Dir has what it takes;
	// without that too, Dial must be set, and what it returns be secured already.
	TLS *tls.Config
	// Member and Publisher are what the router is used as. It must be that for its
	// frontend's own Destination too.
	Member, Publisher bool
}

// routersOf has what is said of both.
func routersOf(frontends []RemoteFrontend) (routers []Router) {
	for _, f := range frontends {
		routers = append(routers, Router{Name: f.Name, Addr: f.Addr, Member: f.Member, Publisher: f.Publisher})
	}
	return routers
}

func (c HostingConfig) checkFrontends() error {
	if c.Dir != "" && len(c.Frontends) == 0 {
		return fmt.Errorf("%w: Dir without Frontends: it is for connecting to them; nothing else is kept", ErrConfig)
	}
	for _, f := range c.Frontends {
		switch {
		case f.Addr == "" && f.Dial == nil:
			return fmt.Errorf("%w: Frontend %q has no Addr: give the host:port of its --guests", ErrConfig, f.Name)
		case f.TLS == nil && c.Dir == "" && f.Dial == nil:
			return fmt.Errorf("%w: Frontend %q has no TLS, and Dir is not set: name the directory of a guest that joined the cluster", ErrConfig, f.Name)
		}
	}
	return nil
}

// connect begins to connect to the Frontends.
func (h *Hosting) connect() error {
	h.lines.init()
	creds, err := h.cfg.credentials()
	if err != nil {
		return err
	}
	for i, router := range routersOf(h.cfg.Frontends) {
		f := h.cfg.Frontends[i]
		cfg := guest.ClientConfig{Name: f.Name, Dial: f.Dial, TLS: f.TLS, Logger: h.cfg.Logger}
		if cfg.Dial == nil {
			cfg.Dial = func(ctx context.Context) (net.Conn, error) { return new(net.Dialer).DialContext(ctx, "tcp", f.Addr) }
		}
		if cfg.TLS == nil && creds != nil {
			cfg.TLS = pki.ClientTLS(creds, pki.Frontend, f.Name)
		}
		client, err := guest.NewClient(cfg)
		if err != nil {
			h.lines.end()
			return fmt.Errorf("%w: Frontend %q: %w", ErrConfig, f.Name, err)
		}
		h.sites = append(h.sites, &site{Router: router, guests: client})
		h.lines.Go(func() { client.Run(h.lines.ctx) })
	}
	return nil
}

// credentials are those in Dir, nil without one.
func (c HostingConfig) credentials() (*pki.Reloader, error) {
	if c.Dir == "" {
		return nil, nil
	}
	info, err := nodedir.Read(c.Dir)
	if err != nil {
		return nil, fmt.Errorf("%w: Dir: %w", ErrConfig, err)
	}
	if info.Role != string(pki.Guest) && info.Role != string(pki.Backend) { // earlier versions had no guests
		return nil, fmt.Errorf("%w: Dir %s is the directory of a %s: make a guest's with onelease cluster invite --role guest", ErrConfig, c.Dir, info.Role)
	}
	creds, err := pki.NewReloader(c.Dir)
	if err != nil {
		return nil, fmt.Errorf("%w: Dir: %w", ErrConfig, err)
	}
	return creds, nil
}
