package sam

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/coalesce"
)

var (
	// ErrFull says that a packet was not taken because the server is slow.
	ErrFull = coalesce.ErrFull
	// ErrClosed says that the connection has ended.
	ErrClosed = coalesce.ErrClosed
	// ErrHung says that the server went silent: see ClientConfig.PingTimeout.
	ErrHung = errors.New("server does not answer")
	// ErrSize says that a packet is empty or over MaxPayload.
	ErrSize = fmt.Errorf("packet size is not 1 to %d bytes", MaxPayload)
)

// A ClientConfig says where to attach and how. Its functions are called from
// one goroutine, which reads nothing meanwhile: they must not block, nor call
// Close.
type ClientConfig struct {
	// Addr is the server's TCP address. It is not needed with Dial.
	Addr string
	// Dial opens the connection, by TLS or in memory; nil is TCP to Addr.
	Dial func(ctx context.Context) (net.Conn, error)
	// ID names the session on the server; empty is a random one.
	ID string
	// Destination is what SESSION CREATE asks for; empty is TRANSIENT,
	// whatever the server hosts.
	Destination string
	// ListenProtocol and ListenPort choose the packets to get; 0 is all.
	ListenProtocol uint8
	ListenPort     uint16
	// SendStatus asks the server to report on packets that have an ID. It is
	// an extension; a stock SAM bridge ignores it.
	SendStatus bool
	// OnDrain, if set, is told when the router behind the server is being
	// drained, and when that is undone: it serves on, but new streams belong
	// elsewhere. It is an extension; a stock SAM bridge never calls it.
	OnDrain func(draining bool)
	// OnLeaseSet, if set, is told the date (`published`, in seconds since 1970) of
	// the LeaseSet that the router behind the server has, and of each that follows.
	// It is an extension; a stock SAM bridge never calls it.
	OnLeaseSet func(published uint32)
	// Backend is the backend's name, if it has one; see "Several backends" in docs/sam-extension.md.
	Backend string
	// Weight is its share of what is new, 0 for none; Standby says that it gets
	// that only while no other backend does.
	Weight  int
	Standby bool
	// OnHeard, if set, is told when another backend has heard a remote by this
	// server that it had not heard by it before.
	OnHeard func(remote i2p.Hash)
	// OnPacket gets the packets that come in; Data is valid during the call.
	OnPacket func(Packet)
	// OnStatus gets the status of a packet that had an ID: nil if the router
	// handed it on, or an error that wraps a Result.
	OnStatus func(id uint32, err error)
	// PingInterval is the time between PINGs. Default 1 s.
	PingInterval time.Duration
	// PingTimeout is how long the server may be silent before it counts as
	// hung. Default 2 s.
	PingTimeout time.Duration
	// HandshakeTimeout bounds HELLO and SESSION CREATE. Default 10 s.
	HandshakeTimeout time.Duration
	// QueueLimit is how many bytes may wait to be sent. Default 4 MiB.
	QueueLimit int
}

func (c ClientConfig) withDefaults() ClientConfig {
	c.PingInterval = defaultTo(c.PingInterval, time.Second)
	c.PingTimeout = defaultTo(c.PingTimeout, 2*time.Second)
	c.HandshakeTimeout = defaultTo(c.HandshakeTimeout, 10*time.Second)
	c.QueueLimit = defaultTo(c.QueueLimit, 4<<20)
	if c.ID == "" {
		c.ID = rand.Text()
	}
	if c.Destination == "" {
		c.Destination = "TRANSIENT"
	}
	if c.Dial == nil {
		addr := c.Addr
		c.Dial = func(ctx context.Context) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", addr)
		}
	}
	if c.OnPacket == nil {
		c.OnPacket = func(Packet) {}
	}
	if c.OnStatus == nil {
		c.OnStatus = func(uint32, error) {}
	}
	return c
}

// A PacketClient is a backend's session on one server. It does not reconnect:
// when Done closes, dial again, here or elsewhere. Its methods may be called
// by many goroutines.
type PacketClient struct {
	cfg    ClientConfig
	nc     net.Conn
	r      *Reader
	w      *coalesce.Writer
	names  NameCache
	dest   i2p.Destination
	refuge bool
	// frontend, idKey and weight are for a session that has a Backend.
	frontend string
	idKey    []byte
	weight   atomic.Int32
	ctx      context.Context // ends with the reason in Err
	cancel   context.CancelCauseFunc
	read     chan struct{} // closed when readLoop has ended
	closed   chan struct{} // closed when all is over

	start time.Time
	heard atomic.Int64 // time since start of the last bytes from the server

	mu    sync.Mutex
	waits map[question][]chan answer // lookups under way
}

// Dial connects, attaches a session and starts to pass on packets; ctx bounds
// only that. An error wraps the Result that the server gave, if it did.
func Dial(ctx context.Context, cfg ClientConfig) (*PacketClient, error) {
	cfg = cfg.withDefaults()
	ctx, stop := context.WithTimeout(ctx, cfg.HandshakeTimeout)
	defer stop()
	nc, err := cfg.Dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("dial SAM server: %w", err)
	}
	c := &PacketClient{
		cfg: cfg, nc: nc, start: time.Now(), waits: make(map[question][]chan answer),
		read: make(chan struct{}), closed: make(chan struct{}),
	}
	c.r = NewReader(heardReader{c})
	if err := c.handshake(ctx); err != nil {
		nc.Close()
		return nil, fmt.Errorf("attach to SAM server: %w", err)
	}
	c.ctx, c.cancel = context.WithCancelCause(context.Background())
	c.w = coalesce.New(nc, cfg.QueueLimit)
	go c.readLoop()
	go c.watch()
	return c, nil
}

// Destination is the one that the server hosts.
func (c *PacketClient) Destination() i2p.Destination { return c.dest }

// Refuge reports whether the router behind the server is a refuge: it serves
// what comes to it, and is no choice for anything else. It is known only with
// ClientConfig.OnDrain.
func (c *PacketClient) Refuge() bool { return c.refuge }

// Send queues a packet and returns at once; it keeps no p.Data. The error is
// ErrFull, ErrClosed or ErrSize.
func (c *PacketClient) Send(p Packet) error {
	if len(p.Data) == 0 || len(p.Data) > MaxPayload {
		return ErrSize
	}
	name := c.names.Base64(p.Peer)
	return c.w.Append(func(b []byte) []byte { return appendRawSend(b, name, p) })
}

// Done is closed as soon as the session has ended, for the reason in Err.
func (c *PacketClient) Done() <-chan struct{} { return c.ctx.Done() }

// Err is why the session ended: ErrClosed after Close, ErrHung, the Result
// that the server gave, or an error of the connection. Until then it is nil.
func (c *PacketClient) Err() error { return context.Cause(c.ctx) }

// Close sends what is queued and has the server take all of it, for a second at
// most, ends the session and waits until no function of the ClientConfig runs any more.
func (c *PacketClient) Close() error {
	c.cancel(ErrClosed)
	<-c.closed
	return nil
}
