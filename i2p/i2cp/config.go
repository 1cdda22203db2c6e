package i2cp

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"time"

	"github.com/onelease/onelease/i2p"
)

// DefaultAddr is where routers listen for I2CP unless told otherwise.
const DefaultAddr = "127.0.0.1:7654"

// Version is the I2CP version that a Client names to the router: with it Java
// I2P takes LeaseSet2s with X25519 keys.
const Version = "0.9.66"

// Config says which router to use and how. Only SignedConfig has to be set.
// It may be changed until New is called.
type Config struct {
	// Addr is the router's I2CP address, "host:port"; empty is DefaultAddr.
	Addr string
	// Dial, if set, connects in place of a TCP connection to Addr.
	Dial func(ctx context.Context) (net.Conn, error)
	// TLS, if set, is used above the connection. Java I2P has it as "i2cp.SSL"; i2pd
	// needs a proxy in front. Without it private keys and the password cross
	// the connection in the clear, so it has to stay within the machine.
	TLS *tls.Config
	// User and Password are what Java I2P asks for if its i2cp.auth is set.
	User, Password string
	// SignedConfig returns what BuildSessionConfig made, freshly dated. It is
	// asked for each connection; whoever holds the Destination's key answers.
	// See SessionOptions for what the options should hold.
	SignedConfig func(ctx context.Context) ([]byte, error)

	// Logger takes what the client has to say; nil discards it.
	Logger *slog.Logger
	// HandshakeTimeout bounds connecting, and each answer of the router until
	// the session is made and to Reconfigure; 0 is 10 s.
	HandshakeTimeout time.Duration
	// KeepAlive is how long a router that hangs may go unnoticed. It is asked
	// for a sign of life five times meanwhile, and given up when four in a row
	// bring none. 0 is 2 s.
	KeepAlive time.Duration
	// MinBackoff and MaxBackoff bound the wait before the next connection,
	// which doubles from one to the other with jitter; 0 are 0.5 s and 30 s.
	MinBackoff, MaxBackoff time.Duration
	// QueueSize is how many bytes may wait for the router to read before Send
	// returns ErrQueueFull; 0 is 1 MiB.
	QueueSize int
}

// withDefaults returns c with its zeros filled in.
func (c Config) withDefaults() Config {
	if c.Addr == "" {
		c.Addr = DefaultAddr
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	setDefault(&c.HandshakeTimeout, 10*time.Second)
	setDefault(&c.KeepAlive, 2*time.Second)
	setDefault(&c.MinBackoff, 500*time.Millisecond)
	setDefault(&c.MaxBackoff, 30*time.Second)
	setDefault(&c.QueueSize, 1<<20)
	return c
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// credentials are the options of GetDate that Java I2P authenticates by.
func (c *Config) credentials() i2p.Mapping {
	if c.User == "" && c.Password == "" {
		return nil
	}
	return i2p.Mapping{"i2cp.username": c.User, "i2cp.password": c.Password}
}

// SessionOptions are options that a session of a Client needs, to be signed
// into its configuration along with those for the tunnels.
func SessionOptions() i2p.Mapping {
	return i2p.Mapping{
		// Java I2P otherwise announces messages and waits to be asked for each.
		"i2cp.fastReceive": "true",
		// Without this each message with a nonce has a StatusAccepted as well.
		"i2cp.messageReliability": "none",
		// Java I2P otherwise expects an old LeaseSet with an ElGamal key.
		"i2cp.leaseSetType":    "3",
		"i2cp.leaseSetEncType": "4",
	}
}
