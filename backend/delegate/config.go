package delegate

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"regexp"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/way"
)

// Errors that callers can tell apart.
var (
	// ErrConfig says that a Config cannot work; the message names the field.
	ErrConfig = errors.New("delegate configuration")
	// ErrDenied says that the balancers do not let this backend sign; the message
	// says what to change. It is asked again all the same.
	ErrDenied = errors.New("the balancers refuse")
	// ErrReply says that a balancer's reply is of no use; nothing of it is used.
	ErrReply = errors.New("bad reply of a balancer")

	errNoLeader = errors.New("no balancer leads now")
	errCircle   = fmt.Errorf("%w: they name each other", errNoLeader)
)

// Config is what a Client is made of. Name and Balancers must be set.
type Config struct {
	// Name is the backend's, as in its certificate: 1 to 64 of a-z, 0-9, ".", "_"
	// and "-".
	Name string
	// Balancers are their control addresses, in any order. The addresses that
	// they redirect to need not be among them, but are reached in the same way.
	Balancers []string
	// Dial connects to a balancer in place of TCP to its address: in memory
	// within one process.
	Dial func(ctx context.Context, addr string) (net.Conn, error)
	// TLS secures the connection, with a client certificate. Only without it
	// must the balancers be on the loopback or behind Dial.
	TLS *tls.Config
	// Destination is the one to sign for. If it is zero, the first reply decides.
	Destination i2p.Destination
	// HandOver asks for the Destination's own key in place of a permission, which
	// the operator must have allowed. It is for remotes that take no offline
	// signatures, and for datagrams of protocol 17, which have no place for them:
	// whoever breaks into this process then has the Destination for good.
	HandOver bool
	// Logger is slog.Default() if nil.
	Logger *slog.Logger
}

var namePattern = regexp.MustCompile(`^[a-z0-9._-]{1,64}$`)

// withDefaults checks c and returns it with defaults filled in.
func (c Config) withDefaults() (Config, error) {
	if err := c.check(); err != nil {
		return c, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	c.Logger = cmp.Or(c.Logger, slog.Default())
	return c, nil
}

func (c Config) check() error {
	switch {
	case !namePattern.MatchString(c.Name):
		return fmt.Errorf("field Name is %.80q: want 1 to 64 of a-z, 0-9, \".\", \"_\" and \"-\", as in the backend's certificate", c.Name)
	case len(c.Balancers) == 0:
		return errors.New("field Balancers is empty: name one balancer at least")
	case c.TLS != nil && len(c.TLS.Certificates) == 0 && c.TLS.GetClientCertificate == nil:
		return errors.New("field TLS has no client certificate: balancers want one")
	}
	for _, addr := range c.Balancers {
		if !c.way().Reaches(addr) {
			return fmt.Errorf("field Balancers has %q, which is not on the loopback: set TLS", addr)
		}
	}
	return nil
}

// way is how balancers are reached.
func (c *Config) way() way.Way { return way.Way{Dial: c.Dial, TLS: c.TLS} }
