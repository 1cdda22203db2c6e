package frontend

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"regexp"

	"google.golang.org/grpc"

	"github.com/onelease/onelease/i2p"
)

// Errors that callers can tell apart.
var (
	// ErrConfig says that a Config cannot work; the message names the field.
	ErrConfig = errors.New("frontend configuration")
	// ErrPublisherOnly says that a frontend whose router only publishes
	// serves no backends.
	ErrPublisherOnly = errors.New("this frontend only publishes and carries no traffic; attach to one that is a member")
)

// A Quirk says how the router reads the option i2cp.dontPublishLeaseSet, which
// differs between versions that cannot be told apart over I2CP.
type Quirk string

// The ways to read it.
const (
	// Normal is what the option's name says: i2pd up to 2.57 and Java I2P.
	Normal Quirk = "normal"
	// Inverted publishes what should not be published: i2pd 2.58.
	Inverted Quirk = "inverted"
	// Auto has the frontend find out before its first session, which takes
	// until a router has built tunnels and up to 90 s. It is for i2pd.
	Auto Quirk = "auto"
)

// Config is what a Frontend is made of. Name, Router and Control must be set;
// for the others the zero value is a working default.
type Config struct {
	// Name tells the balancers' frontends apart: 1 to 64 of a-z, 0-9, ".", "_" and "-".
	Name string
	// Member says that the router carries traffic, Publisher that it
	// publishes the merged LeaseSet. Without Publisher it is a member.
	Member, Publisher bool
	// Refuge says that the router takes in, after a loss, whom no other can
	// serve (see DESIGN.md, "A refuge has the next key"). It serves as a member
	// does and is no Publisher.
	Refuge bool
	// Router is the router that this frontend is for.
	Router RouterConfig
	// DontPublish is the router's quirk; Normal if empty.
	DontPublish Quirk
	// Quirk, if set, says how the router reads it in place of a test, with Auto. It
	// may take as long, until its context ends; then it returns Auto.
	Quirk func(context.Context) Quirk
	// ProbeOptions are I2CP options for the throwaway sessions of Auto and of
	// a balancer's probe, such as tunnel lengths; nil leaves them to the router.
	ProbeOptions i2p.Mapping
	// Control is the way to the balancers.
	Control ControlConfig
	// Dir keeps the place of the newest LeaseSet over restarts, so that an older
	// one is refused after them too. It is made if it is not there. Empty: the
	// place is kept in memory, which is enough where the balancer is in the same
	// process.
	Dir string
	// SAM are where backends attach, besides DialSAM. Run closes them. Those
	// on TCP must be bound to the loopback unless SAMTLS is set.
	SAM []net.Listener
	// SAMTLS is used on those of SAM that are on TCP and not on the loopback.
	// It must demand client certificates.
	SAMTLS *tls.Config
	// BackendName, if set, says which name a backend must have, if it is to have
	// one, by its certificate under SAMTLS. An error refuses it.
	BackendName func(*x509.Certificate) (string, error)
	// Refused, if set, is told when the router refuses the session for what only
	// somebody can mend: the keys, the password, another program that has the
	// Destination. It is tried again after some half a minute all the same.
	Refused func(error)
	// Logger is slog.Default() if nil. Remotes appear at debug level only.
	Logger *slog.Logger
}

// RouterConfig says how to reach the router. If SAM is set nothing else may be.
type RouterConfig struct {
	// Addr is its I2CP address, "host:port"; 127.0.0.1:7654 if empty.
	Addr string
	// Dial, if set, connects in place of TCP to Addr.
	Dial func(ctx context.Context) (net.Conn, error)
	// TLS, if set, is used above the connection.
	TLS *tls.Config
	// User and Password are for Java I2P with i2cp.auth.
	User, Password string
	// SAM, if set, uses a stock SAM port in place of I2CP: see the package's comment.
	SAM *UpstreamConfig
}

// UpstreamConfig is a stock SAM port and the keys to use there. What comes in
// does so over UDP: any process of the machine could forge it.
type UpstreamConfig struct {
	// Addr is the SAM bridge, "host:port", on the loopback: private keys
	// cross it in the clear.
	Addr string
	// UDPPort is the bridge's UDP port; 0 is 7655, the usual one.
	UDPPort int
	// Keys are the Destination's.
	Keys *i2p.Keys
	// Options are for the session, "inbound.quantity=3" and so on.
	Options []string
}

// ControlConfig is the way to the balancers.
type ControlConfig struct {
	// Balancers are their control addresses, in any order. The addresses that
	// they redirect to need not be among them, but are reached in the same way.
	Balancers []string
	// Dial connects to a balancer in place of TCP to its address: in memory
	// within one process.
	Dial func(ctx context.Context, addr string) (net.Conn, error)
	// Conn, if set, is used in place of a connection: the one balancer is in this
	// process.
	Conn grpc.ClientConnInterface
	// TLS secures the connection, with a client certificate. Only without it
	// must the balancers be on the loopback or behind Dial.
	TLS *tls.Config
}

var namePattern = regexp.MustCompile(`^[a-z0-9._-]{1,64}$`)

// ValidName reports whether a frontend can be called that.
func ValidName(name string) bool { return namePattern.MatchString(name) }

// withDefaults checks c and returns it with defaults filled in.
func (c Config) withDefaults() (Config, error) {
	if c.Refuge || !c.Publisher {
		c.Member = true
	}
	if c.DontPublish == "" {
		c.DontPublish = Normal
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	for _, check := range []func(*Config) error{checkBasics, checkRouter, checkControl, checkListeners} {
		if err := check(&c); err != nil {
			return c, fmt.Errorf("%w: %w", ErrConfig, err)
		}
	}
	return c, nil
}
