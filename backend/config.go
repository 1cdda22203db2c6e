package backend

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/datagram"
	"github.com/onelease/onelease/i2p/streaming"
	"github.com/onelease/onelease/internal/pluginwire"
)

// Errors that callers of this package can tell apart. A service in a plugin gets
// the same ones: package pluginwire takes them across.
var (
	// ErrConfig says that a Config cannot work; the message names the field.
	ErrConfig = pluginwire.ErrConfig
	// ErrNoFrontend says that no frontend is connected, or that the remote's
	// was lost just now and another is not ready for it. It passes.
	ErrNoFrontend = pluginwire.ErrNoFrontend
	// ErrNoSigner says that something is to be signed and nothing can: Config has
	// neither Signer nor Credentials, or the Credentials have no permission that
	// is good now. The latter passes; it is datagram.ErrExpired too if there was one.
	ErrNoSigner = pluginwire.ErrNoSigner
	errUnset    = fmt.Errorf("set Config.Signer or Config.Credentials: %w", ErrNoSigner)
	// ErrPortInUse says that a port of that kind is open already, for streams or
	// datagrams.
	ErrPortInUse = streaming.ErrPortInUse
	// ErrTooLarge says that a datagram's payload does not fit; the message
	// says how much does.
	ErrTooLarge = datagram.ErrTooLarge
	// ErrMismatch says that a frontend serves another Destination.
	ErrMismatch = errors.New("another Destination")
)

// A Frontend is one to connect to.
type Frontend struct {
	// Name stands in the log and in Stats; Addr if it is empty.
	Name string
	// Addr is the host and port of its SAM listener.
	Addr string
	// Dial connects to it in place of plain TCP to Addr: with TLS, or within
	// the process.
	Dial func(ctx context.Context) (net.Conn, error)
}

// Config is what a Host is made of. Frontends must be set; for the others the
// zero value is a working default.
type Config struct {
	// Frontends all serve the same Destination.
	Frontends []Frontend
	// Name tells the backends of a Destination apart, if there are several: 1 to 64
	// of a-z, 0-9, ".", "_" and "-", and no other's. Frontends then give each packet
	// to one of them, and a remote keeps to one. All must serve the same ports.
	// Behind frontends of a cluster it is the name in the certificate. Without one
	// the Host gets all packets, as if it were alone.
	Name string
	// Weight is this backend's share of what is new, 1 to 65535, in proportion to
	// the others' that are no Standby; 1 if it is 0. It counts from the first
	// Listen or ListenPacket on. See SetWeight and Drain.
	Weight int
	// Standby says that new streams come only while no other backend takes any.
	Standby bool
	// Destination is the one that the frontends must serve. If it is zero, the
	// first frontend to answer decides.
	Destination i2p.Destination
	// Signer signs what the Destination sends. Without one, and without
	// Credentials, only Raw and Datagram3 can be opened, there are no streams,
	// and remotes of a lost frontend get no hello.
	Signer i2p.Signer
	// Offline is the Destination's permission if Signer's key is a transient
	// one. Datagram cannot be opened then, since it has no place for it. When it
	// has expired nothing new is signed: Credentials get a newer one in time.
	Offline *i2p.OfflineSignature
	// Credentials, in place of Signer and Offline, are what signs while that
	// changes. The newest is used for all that is new; a stream keeps the one
	// that it began with. Until the first is there, Listen works, and what is to
	// be signed fails with ErrNoSigner.
	Credentials Credentials
	// Neighbors, if set, are the Hosts of this process that this one heeds while it
	// runs. It needs Destination, and no Name.
	Neighbors *Neighbors
	// Logger is slog.Default() if nil. Remotes appear at debug level only.
	Logger *slog.Logger

	// Streams are the limits and timeouts of streams, each with a default. Its
	// Origin, Current, Link, NewID and Logger are the Host's: leave them unset.
	Streams streaming.Config

	// MaxRemotes is how many remotes are remembered: 65,536. The one that was
	// heard least recently goes first. Each takes about 1.5 KiB.
	MaxRemotes int
	// RemoteIdle is how long a remote is remembered that is not heard: 10 min,
	// the life of a lease.
	RemoteIdle time.Duration
	// StrandWindow is how recently a remote of a lost frontend must have been
	// heard to get a hello: 5 min. Those that were silent for longer start
	// over by themselves.
	StrandWindow time.Duration
	// HelloRate is how many hellos go out per second and frontend: 50. A
	// hello makes the router behind it look a LeaseSet up and do the
	// mathematics of a new session, about a millisecond of its time.
	HelloRate int
	// HangTimeout is how long a frontend may be silent, though it is pinged,
	// until it counts as lost: 2 s.
	HangTimeout time.Duration
	// ReceiveBuffer is how many bytes wait in each PacketConn: 1 MiB. What
	// comes when it is full is dropped and counted.
	ReceiveBuffer int
	// SenderTarget takes a Datagram2 also if it is signed over its sender's
	// hash in place of ours, as i2pd up to 2.58 does. That gives up what
	// Datagram2 is for: such datagrams can be replayed by any of their receivers.
	SenderTarget bool
}

// withDefaults checks c and returns it with defaults filled in.
func (c Config) withDefaults() (Config, error) {
	if err := c.check(); err != nil {
		return c, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	c.Logger = cmp.Or(c.Logger, slog.Default())
	c.Weight = cmp.Or(c.Weight, 1)
	c.MaxRemotes = cmp.Or(c.MaxRemotes, 1<<16)
	c.RemoteIdle = cmp.Or(c.RemoteIdle, 10*time.Minute)
	c.StrandWindow = cmp.Or(c.StrandWindow, 5*time.Minute)
	c.HelloRate = cmp.Or(c.HelloRate, 50)
	c.HangTimeout = cmp.Or(c.HangTimeout, 2*time.Second)
	c.ReceiveBuffer = max(cmp.Or(c.ReceiveBuffer, 1<<20), datagram.MaxSize)
	return c, nil
}

func (c Config) check() error {
	switch {
	case len(c.Frontends) == 0:
		return errors.New("field Frontends is empty: name one SAM address at least")
	case c.Neighbors != nil && (c.Destination.IsZero() || c.Name != ""):
		return errors.New("field Neighbors is set, and no Destination or a Name: the others could not tell whose packets are whose")
	case c.MaxRemotes < 0 || c.RemoteIdle < 0 || c.StrandWindow < 0 || c.HelloRate < 0 || c.HangTimeout < 0 || c.ReceiveBuffer < 0:
		return errors.New("a limit is negative: leave it 0 for its default")
	case c.Streams.Link != nil || c.Streams.Origin.Signer != nil || c.Streams.Current != nil || c.Streams.Logger != nil || c.Streams.NewID != nil:
		return errors.New("field Streams has an Origin, a Current, a Link, a NewID or a Logger: leave these unset")
	case c.Credentials != nil && (c.Signer != nil || c.Offline != nil):
		return errors.New("field Credentials is set with Signer or Offline: choose one way to sign")
	case c.Offline != nil && c.Signer == nil:
		return errors.New("field Offline is set without a Signer: set the Signer of its transient key")
	}
	if err := c.checkName(); err != nil {
		return err
	}
	names := map[string]bool{}
	for i, f := range c.Frontends {
		if f.Addr == "" && f.Dial == nil {
			return fmt.Errorf("field Frontends[%d] has neither Addr nor Dial: set one", i)
		}
		if names[f.name()] {
			return fmt.Errorf("field Frontends[%d]: %q is there twice: give each a Name of its own", i, f.name())
		}
		names[f.name()] = true
	}
	return nil
}

// signs reports whether there is to be something that signs.
func (c *Config) signs() bool { return c.Signer != nil || c.Credentials != nil }

func (f Frontend) name() string { return cmp.Or(f.Name, f.Addr) }
