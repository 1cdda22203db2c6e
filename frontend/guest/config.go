package guest

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"time"

	"github.com/onelease/onelease/frontend"
)

// A ServerConfig says who may be a guest. Frontend must be set, and one role.
type ServerConfig struct {
	// Frontend is what the frontend of each guest has in common: Router, DontPublish,
	// ProbeOptions. It is asked for each, since DontPublish may have to be found out; an error
	// says that it is too early for a guest.
	Frontend func() (frontend.Config, error)
	// Name is the frontend process's own: its guests' frontends have it too.
	Name string
	// Member, Publisher and Refuge are the roles that guests may have: those of the router.
	Member, Publisher, Refuge bool
	// TLS is for Serve. It must demand client certificates and offer ALPN.
	TLS *tls.Config
	// BackendName says who a backend is, by its certificate. An error refuses it.
	BackendName func(*x509.Certificate) (string, error)
	// Backends are the names of those that are let in, all if empty.
	Backends []string
	// MaxGuests is how many there may be, 1000 if 0; MaxPerBackend how many of one
	// backend, as many if 0.
	MaxGuests, MaxPerBackend int
	// Grace is how long a guest stays without its backend: 10 s if 0.
	Grace time.Duration
	// Logger is slog.Default if nil. Guests' Destinations appear at debug level only.
	Logger *slog.Logger
}

// Defaults of a ServerConfig.
const (
	defaultGuests = 1000
	// defaultGrace bridges a connection that is cut, and the restart of what lies
	// between. A longer one would keep sessions of backends that are gone.
	defaultGrace = 10 * time.Second
)

func (c ServerConfig) withDefaults() (ServerConfig, error) {
	c.MaxGuests, c.Grace = cmp.Or(c.MaxGuests, defaultGuests), cmp.Or(c.Grace, defaultGrace)
	c.MaxPerBackend, c.Logger = cmp.Or(c.MaxPerBackend, c.MaxGuests), cmp.Or(c.Logger, slog.Default())
	switch {
	case c.Frontend == nil:
		return c, fmt.Errorf("%w: Frontend is not set: it says which router to use", ErrConfig)
	case c.roles() == 0:
		return c, fmt.Errorf("%w: neither Member nor Publisher nor Refuge: set those that the router is", ErrConfig)
	case c.MaxGuests < 0 || c.MaxPerBackend < 0 || c.Grace < 0:
		return c, fmt.Errorf("%w: MaxGuests %d, MaxPerBackend %d, Grace %v: want none below 0", ErrConfig, c.MaxGuests, c.MaxPerBackend, c.Grace)
	}
	return c, nil
}

func (c *ServerConfig) roles() roles { return rolesOf(c.Member, c.Publisher, c.Refuge) }

func rolesOf(member, publisher, refuge bool) (r roles) {
	for i, is := range []bool{member, publisher, refuge} {
		if is {
			r |= 1 << i
		}
	}
	return r
}
