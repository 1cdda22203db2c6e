package sambridge

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/onelease/onelease"
)

// ErrConfig says that a Config cannot work; the message names the field.
var ErrConfig = errors.New("SAM bridge configuration")

// A Config says how to serve. Hosting and one of Listeners must be set.
type Config struct {
	// Hosting has the Destinations of sessions. It outlives the Bridge.
	Hosting *onelease.Hosting
	// Listeners are the control sockets, by default of port 7656. They are the Bridge's
	// and are closed when Run returns. One that is not bound to the loopback needs TLS.
	Listeners []net.Listener
	// Packets is the socket for datagrams, by default of port 7655; nil is none. SAM has
	// no authorization there, so it must be bound to the loopback. It is closed when Run
	// returns.
	Packets net.PacketConn
	// TLS, if set, is used on all Listeners.
	TLS *tls.Config
	// AllowPlain lets Listeners that others can reach go without TLS: passwords, keys and
	// streams cross the network in the clear.
	AllowPlain bool
	// Users may be authorized; nil is a list in memory that has nobody.
	Users *Users
	// Auth asks for a password on the loopback too, as AUTH ENABLE does.
	// Elsewhere it is always asked for.
	Auth bool
	// ForwardAnywhere lets sessions without a user forward streams to any host. Otherwise
	// that is the client's own machine: a web page that can talk to the bridge must not
	// reach what is behind the bridge's firewall.
	ForwardAnywhere bool
	// ForwardTLS is for STREAM FORWARD with SSL=true; nil trusts the system's authorities.
	ForwardTLS *tls.Config
	// Limits bound what clients may use.
	Limits Limits
	// Logger is slog.Default if nil. No remote appears above debug level.
	Logger *slog.Logger
}

// Limits bound what clients may use. Zero is the default.
type Limits struct {
	// Conns is how many control connections and streams there may be: 16,384.
	Conns int
	// Young is how many of those may not have begun yet, with HELLO and a command
	// after it: 1,024. When there are more, the oldest of the source that has most of
	// them ends: others are served whatever one does.
	Young int
	// Streams is how many streams a session may have: 4,096.
	Streams int
	// Subsessions is how many a PRIMARY session may have: 64.
	Subsessions int
	// Backlog is how many streams wait for an ACCEPT of a session: 64, and for how
	// long, BacklogTime: 1 min. They are reset then.
	Backlog     int
	BacklogTime time.Duration
	// HelloTime is how long a client may take for HELLO, and again for the command
	// after it: 1 min.
	HelloTime time.Duration
	// PingTime is how long a connection may be silent until it is asked with a PING, and
	// then again until it ends: 3 min, as on Java. Clients before 3.2 know no PING.
	PingTime time.Duration
	// OpenTime is how long SESSION CREATE may take until a router is ready: 3 min.
	OpenTime time.Duration
	// ConnectTime is how long STREAM CONNECT may take: 60 s.
	ConnectTime time.Duration
	// WriteTime ends a connection that takes nothing in for so long: 10 s. It is for
	// what the bridge says; streams may stand still.
	WriteTime time.Duration
	// HalfOpenTime is how long a stream lives on that one side has ended, and on which
	// the other sends nothing: 5 min.
	HalfOpenTime time.Duration
	// QueueBytes is how many bytes may wait for a session's connection: 1 MiB,
	// beside as many that are being written. Datagrams that come then are dropped and
	// counted.
	QueueBytes int
}

func (l Limits) withDefaults() Limits {
	l.Conns = cmp.Or(l.Conns, 16384)
	l.Young = cmp.Or(l.Young, 1024)
	l.Streams = cmp.Or(l.Streams, 4096)
	l.Subsessions = cmp.Or(l.Subsessions, 64)
	l.Backlog = cmp.Or(l.Backlog, 64)
	l.BacklogTime = cmp.Or(l.BacklogTime, time.Minute)
	l.HelloTime = cmp.Or(l.HelloTime, time.Minute)
	l.PingTime = cmp.Or(l.PingTime, 3*time.Minute)
	l.OpenTime = cmp.Or(l.OpenTime, 3*time.Minute)
	l.ConnectTime = cmp.Or(l.ConnectTime, time.Minute)
	l.WriteTime = cmp.Or(l.WriteTime, 10*time.Second)
	l.HalfOpenTime = cmp.Or(l.HalfOpenTime, 5*time.Minute)
	l.QueueBytes = cmp.Or(l.QueueBytes, 1<<20)
	return l
}

// check returns the Config that is used, or ErrConfig.
func (c Config) check() (Config, error) {
	c.Logger = cmp.Or(c.Logger, slog.Default())
	c.Limits = c.Limits.withDefaults()
	if c.Users == nil {
		c.Users = new(Users)
	}
	switch {
	case c.Hosting == nil:
		return c, fmt.Errorf("%w: Hosting is not set: onelease.NewHosting makes one", ErrConfig)
	case len(c.Listeners) == 0:
		return c, fmt.Errorf("%w: Listeners is empty: listen on 127.0.0.1:7656", ErrConfig)
	case c.Packets != nil && !onLoopback(c.Packets.LocalAddr()):
		return c, fmt.Errorf("%w: Packets is bound to %v: SAM has no authorization for datagrams; bind a loopback address",
			ErrConfig, c.Packets.LocalAddr())
	}
	for _, ln := range c.Listeners {
		if c.TLS == nil && !c.AllowPlain && !onLoopback(ln.Addr()) {
			return c, fmt.Errorf("%w: a listener is bound to %v without TLS: passwords and keys would cross the network in the clear; set TLS, or bind a loopback address",
				ErrConfig, ln.Addr())
		}
	}
	return c, nil
}

// onLoopback says whether only this machine reaches addr. An address that is not of
// IP is in memory or in a file, and so is here.
func onLoopback(addr net.Addr) bool {
	switch a := addr.(type) {
	case *net.TCPAddr:
		return a.IP.IsLoopback()
	case *net.UDPAddr:
		return a.IP.IsLoopback()
	}
	return true
}
