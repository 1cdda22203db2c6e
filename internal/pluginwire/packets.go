package pluginwire

import (
	"bufio"
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/coalesce"
)

const (
	// packetBatch is what is read at once, and no less than a frame.
	packetBatch = 128 << 10
	// packetQueue is how many bytes wait for a slow other end, as many as in
	// backend.Config.ReceiveBuffer.
	packetQueue = 1 << 20
	// packetFlush bounds how long Close waits for what was written.
	packetFlush = time.Second
)

// A PacketConn is a port for datagrams over a connection to the data socket, at
// either end of it: a net.PacketConn whose addresses are *i2p.Addr. ReadFrom
// returns shared ones, which must not be changed, and drops what does not fit. WriteTo
// never waits: it fails with coalesce.ErrFull if the other end is slow.
type PacketConn struct {
	raw   net.Conn
	local *i2p.Addr
	out   *coalesce.Writer
	lost  atomic.Uint64

	rmu    sync.Mutex // held by a ReadFrom
	reader *bufio.Reader
	addrs  addrCache

	mu              sync.Mutex
	readBy, writeBy time.Time
	closed          bool
}

// NewPacketConn makes a PacketConn of a connection whose preface has been read: the
// host's side. It is of use after Begin.
func NewPacketConn(raw net.Conn, local *i2p.Addr) *PacketConn {
	if local == nil {
		local = &i2p.Addr{}
	}
	return &PacketConn{
		raw: raw, local: local,
		reader: bufio.NewReaderSize(raw, packetBatch),
		out:    coalesce.New(raw, packetQueue),
	}
}

// OpenPackets connects a port that is open by the id of Open: the plugin's side.
func OpenPackets(ctx context.Context, socket string, token Token, id uint64, local *i2p.Addr) (*PacketConn, error) {
	var c *PacketConn
	err := open(ctx, socket, Preface{token, Packets, id}.AppendTo(nil), func(raw net.Conn) error {
		c = NewPacketConn(raw, local)
		first := Conn{reader: c.reader}
		_, err := first.answer()
		return err
	})
	if err != nil {
		if c != nil {
			c.Close()
		}
		return nil, err
	}
	return c, nil
}

// Begin says OK: the host's side.
func (c *PacketConn) Begin() error {
	return c.out.Append(func(b []byte) []byte { return appendFrame(b, typeOK, nothing) })
}

// Refuse says ERROR and closes the connection: the host's side.
func (c *PacketConn) Refuse(err error) error {
	c.out.Append(func(b []byte) []byte { return appendFrame(b, typeError, Of(err).AppendTo) })
	return c.Close()
}

// Close ends all calls. What was written is still sent, within a second.
func (c *PacketConn) Close() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return c.fail("close", nil, net.ErrClosed)
	}
	c.closed = true
	c.raw.SetReadDeadline(time.Unix(1, 0))
	c.raw.SetWriteDeadline(time.Now().Add(packetFlush))
	c.mu.Unlock()
	c.out.Close()
	c.raw.Close()
	return nil
}

// state is why a call must not go on, or nil.
func (c *PacketConn) state(by *time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return net.ErrClosed
	case !by.IsZero() && !time.Now().Before(*by):
		return os.ErrDeadlineExceeded
	}
	return nil
}

// LocalAddr is an *i2p.Addr.
func (c *PacketConn) LocalAddr() net.Addr { return c.local }

// SetDeadline sets both deadlines.
func (c *PacketConn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline sets when ReadFrom fails with os.ErrDeadlineExceeded.
func (c *PacketConn) SetReadDeadline(t time.Time) error {
	return c.setDeadline(func() { c.readBy = t; c.raw.SetReadDeadline(t) })
}

// SetWriteDeadline sets when WriteTo fails with os.ErrDeadlineExceeded.
func (c *PacketConn) SetWriteDeadline(t time.Time) error {
	return c.setDeadline(func() { c.writeBy = t })
}

func (c *PacketConn) setDeadline(set func()) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return c.fail("set", nil, net.ErrClosed)
	}
	set()
	return nil
}

func (c *PacketConn) fail(op string, to net.Addr, err error) error {
	return &net.OpError{Op: op, Net: i2p.Network, Source: c.local, Addr: to, Err: err}
}

var _ net.PacketConn = (*PacketConn)(nil)
