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
	"github.com/onelease/onelease/i2p/datagram"
	"github.com/onelease/onelease/internal/pluginwire"
)

// pluginPackets is a port for datagrams.
type pluginPackets struct {
	*pluginwire.PacketConn
	node  *pluginNode
	kind  Kind
	id    uint64
	write *deadline
}

// openPatience bounds how long the host may take to connect a port that it has opened.
const openPatience = 30 * time.Second

// ListenPacket implements Node.
func (n *pluginNode) ListenPacket(kind Kind, port uint16) (net.PacketConn, error) {
	c, err := n.listenPacket(kind, port)
	switch {
	case err == nil:
		return c, nil
	case isCrossed(err):
		return nil, err // it names the port
	}
	return nil, fmt.Errorf("listen for %v on port %d: %w", kind, port, err)
}

func (n *pluginNode) listenPacket(kind Kind, port uint16) (*pluginPackets, error) {
	if _, ok := kind.index(); !ok {
		return nil, errKind
	}
	c := &pluginPackets{node: n, kind: kind, write: newDeadline()}
	err := n.open(uint8(kind), port, func(id uint64) { c.id = id })
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), openPatience)
	defer cancel()
	c.PacketConn, err = pluginwire.OpenPackets(ctx, n.socket, n.token, c.id, n.local(port))
	if err == nil {
		err = n.keep(c)
	}
	if err != nil {
		n.closePort(c.id)
		return nil, err
	}
	return c, nil
}

// keep has close close c too.
func (n *pluginNode) keep(c *pluginPackets) error {
	n.mu.Lock()
	n.packets[c.id] = c
	n.mu.Unlock()
	if n.ctx.Err() == nil {
		return nil
	}
	c.PacketConn.Close()
	return net.ErrClosed
}

// WriteTo sends a datagram.
func (c *pluginPackets) WriteTo(p []byte, addr net.Addr) (int, error) {
	if to, ok := addr.(*Addr); ok && to != nil {
		full, err := c.complete(p, to)
		if err != nil {
			return 0, &net.OpError{Op: "write", Net: i2p.Network, Source: c.LocalAddr(), Addr: addr, Err: err}
		}
		addr = full
	}
	return c.PacketConn.WriteTo(p, addr)
}

// complete says what can be said of a datagram without the host, and looks the
// Destination of an address up that has none.
func (c *pluginPackets) complete(p []byte, to *Addr) (*Addr, error) {
	switch err := c.checkSize(len(p)); {
	case err != nil:
		return nil, err
	case !to.Destination.IsZero():
		return to, nil
	case to.Hash == (i2p.Hash{}):
		return nil, fmt.Errorf("no Destination in the address %s: a raw datagram does not say who sent it", to)
	}
	dest, ok := c.node.found.get(to.Hash)
	if !ok {
		var err error
		if dest, err = c.lookUp(to.Hash); err != nil {
			return nil, err
		}
		c.node.found.put(to.Hash, dest)
	}
	return &Addr{Destination: dest, Hash: to.Hash, Port: to.Port}, nil
}

// checkSize refuses what the host could not send. It does not know whether a transient
// key signs, whose permission is in the datagram too.
func (c *pluginPackets) checkSize(size int) error {
	dest := c.node.self.Destination
	most := datagram.MaxSize
	switch c.kind {
	case Raw:
		return checkRaw(uint8(Raw), size)
	case Datagram:
		most -= datagram.Overhead1(dest)
	case Datagram2:
		most -= dest.Size() + 2 + dest.SigType().SignatureSize()
	case Datagram3:
		most -= datagram.Overhead3
	}
	if size > most {
		return fmt.Errorf("payload of %d bytes, at most %d fit into a %v; send less at once: %w", size, most, c.kind, ErrTooLarge)
	}
	return nil
}

// lookUp looks a Destination up, until the write deadline.
func (c *pluginPackets) lookUp(hash i2p.Hash) (i2p.Destination, error) {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	passed, over := c.write.wait(), make(chan struct{})
	defer close(over)
	go func() {
		select {
		case <-passed:
			cancel()
		case <-over:
		}
	}()
	dest, err := c.node.Lookup(ctx, hash.Base32())
	switch {
	case err != nil && isClosed(passed):
		return dest, os.ErrDeadlineExceeded
	case err == nil && dest.Hash() != hash:
		return dest, fmt.Errorf("look up %s: the answer is of %s: %w", hash.Base32(), dest.Base32(), i2p.ErrInvalid)
	}
	return dest, err
}

// SetDeadline sets both deadlines.
func (c *pluginPackets) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetWriteDeadline sets when WriteTo fails with os.ErrDeadlineExceeded.
func (c *pluginPackets) SetWriteDeadline(t time.Time) error {
	err := c.PacketConn.SetWriteDeadline(t)
	if err == nil {
		c.write.set(t)
	}
	return err
}

// Close frees the port and ends all calls. A second one is net.ErrClosed.
func (c *pluginPackets) Close() error {
	if err := c.PacketConn.Close(); err != nil {
		return err
	}
	c.write.set(time.Time{})
	if lost := c.Lost(); lost > 0 {
		c.node.log.Debug("datagrams could not be sent", "port", c.LocalAddr().(*Addr).Port, "count", lost)
	}
	c.node.closePort(c.id)
	return nil
}

// destinations are those that were looked up. Its zero value is empty.
type destinations struct {
	mu     sync.Mutex
	recent pluginwire.Recent[i2p.Hash, i2p.Destination]
}

// destinationsKept is the limit of destinations.
const destinationsKept = 4096

func (d *destinations) get(h i2p.Hash) (i2p.Destination, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.recent.Get(h, destinationsKept)
}

func (d *destinations) put(h i2p.Hash, dest i2p.Destination) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.recent.Put(h, dest, destinationsKept)
}

var _ net.PacketConn = (*pluginPackets)(nil)
