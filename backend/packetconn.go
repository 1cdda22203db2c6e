package backend

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"github.com/onelease/onelease/i2p"
)

// lookupTimeout bounds the lookup in a WriteTo without a deadline.
const lookupTimeout = 30 * time.Second

// A packetConn is one open port.
type packetConn struct {
	host *Host
	tap  *tap

	closeOnce   sync.Once
	closed      chan struct{}
	read, write *deadline
	arrived     chan struct{} // there is something to pop

	mu    sync.Mutex
	queue queue
	raw   [64]*Addr // addresses of Raw senders, which are ports only
}

func newPacketConn(h *Host, kind Kind, port uint16) *packetConn {
	c := &packetConn{
		host: h, closed: make(chan struct{}),
		read: newDeadline(), write: newDeadline(),
		arrived: make(chan struct{}, 1),
		queue:   newQueue(h.cfg.ReceiveBuffer),
	}
	c.tap = &tap{
		match:   Match{Kind: kind, Protocol: uint8(kind), Port: port},
		deliver: c.take,
		end:     func() { c.Close() },
	}
	return c
}

// take queues a message, or counts it if there is no room.
func (c *packetConn) take(m Message) {
	from := m.Peer
	if from == nil {
		from = c.rawAddr(m.FromPort)
	}
	if !c.push(m.Data, from) {
		c.host.overflow.Add(1)
	}
}

// push takes a copy of a payload in, or returns false if there is no room.
func (c *packetConn) push(payload []byte, from *Addr) bool {
	c.mu.Lock()
	ok := c.queue.push(payload, from)
	c.mu.Unlock()
	c.signal()
	return ok
}

func (c *packetConn) signal() {
	select {
	case c.arrived <- struct{}{}:
	default:
	}
}

// rawAddr is the address of a Raw sender. Most use few ports.
func (c *packetConn) rawAddr(port uint16) *Addr {
	c.mu.Lock()
	defer c.mu.Unlock()
	slot := &c.raw[int(port)%len(c.raw)]
	if *slot == nil || (*slot).Port != port {
		*slot = &Addr{Port: port}
	}
	return *slot
}

// ReadFrom returns the oldest datagram received, or waits for one.
func (c *packetConn) ReadFrom(p []byte) (int, net.Addr, error) {
	for {
		// Checked first, so that a deadline in the past and a closed connection
		// win over what is there.
		passed := c.read.wait()
		if err := c.ended(passed); err != nil {
			return 0, nil, c.fail("read", nil, err)
		}
		if n, from, ok := c.pop(p); ok {
			return n, from, nil
		}
		select {
		case <-c.arrived:
		case <-c.closed:
		case <-passed:
		}
	}
}

func (c *packetConn) ended(passed <-chan struct{}) error {
	switch {
	case isClosed(c.closed):
		return net.ErrClosed
	case isClosed(passed):
		return os.ErrDeadlineExceeded
	}
	return nil
}

func (c *packetConn) pop(p []byte) (int, *Addr, bool) {
	c.mu.Lock()
	n, from, ok := c.queue.pop(p)
	more := c.queue.count > 0
	c.mu.Unlock()
	if more {
		c.signal() // for another reader: one signal may stand for many arrivals
	}
	return n, from, ok
}

// WriteTo sends a datagram.
func (c *packetConn) WriteTo(p []byte, addr net.Addr) (int, error) {
	passed := c.write.wait()
	if err := c.ended(passed); err != nil {
		return 0, c.fail("write", addr, err)
	}
	to, ok := addr.(*Addr)
	if !ok || to == nil {
		return 0, c.fail("write", addr, fmt.Errorf("address is a %T, want an *i2p.Addr", addr))
	}
	if to.Destination.IsZero() {
		var err error
		if to, err = c.lookUp(to, passed); err != nil {
			return 0, c.fail("write", addr, err)
		}
	}
	if err := c.host.SendMessage(c.message(p, to), SendOptions{}); err != nil {
		return 0, c.fail("write", addr, err)
	}
	return len(p), nil
}

func (c *packetConn) message(p []byte, to *Addr) Message {
	m := &c.tap.match
	return Message{Kind: m.Kind, Protocol: m.Protocol, FromPort: m.Port, ToPort: to.Port, Peer: to, Data: p}
}

// lookUp completes an address, until the write deadline or the connection's end.
func (c *packetConn) lookUp(to *Addr, passed <-chan struct{}) (*Addr, error) {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	watcher := make(chan struct{})
	go func() {
		defer close(watcher)
		select {
		case <-c.closed:
		case <-passed:
		case <-ctx.Done():
		}
		cancel()
	}()
	full, err := c.host.complete(ctx, to)
	cancel()
	<-watcher
	if ended := c.ended(passed); err != nil && ended != nil {
		return nil, ended
	}
	return full, err
}

// Close frees the port and ends all calls. A second one is net.ErrClosed.
func (c *packetConn) Close() error {
	err := c.fail("close", nil, net.ErrClosed)
	c.closeOnce.Do(func() {
		c.host.ports.close(c.tap)
		close(c.closed)
		c.read.set(time.Time{}) // stops their timers
		c.write.set(time.Time{})
		err = nil
	})
	return err
}

// LocalAddr is an *Addr; its Destination is zero until that is known.
func (c *packetConn) LocalAddr() net.Addr {
	s := c.host.self.Load()
	if s == nil {
		return &Addr{Port: c.tap.match.Port}
	}
	return &Addr{Destination: s.Destination, Hash: s.hash, Port: c.tap.match.Port}
}

// SetDeadline sets both deadlines.
func (c *packetConn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline sets when ReadFrom fails with os.ErrDeadlineExceeded.
func (c *packetConn) SetReadDeadline(t time.Time) error { return c.setDeadline(c.read, t) }

// SetWriteDeadline sets when WriteTo fails with os.ErrDeadlineExceeded.
func (c *packetConn) SetWriteDeadline(t time.Time) error { return c.setDeadline(c.write, t) }

func (c *packetConn) setDeadline(d *deadline, t time.Time) error {
	if isClosed(c.closed) {
		return c.fail("set", nil, net.ErrClosed)
	}
	d.set(t)
	return nil
}

func (c *packetConn) fail(op string, to net.Addr, err error) error {
	return &net.OpError{Op: op, Net: i2p.Network, Source: c.LocalAddr(), Addr: to, Err: err}
}

var (
	_ net.PacketConn = (*packetConn)(nil)
)
