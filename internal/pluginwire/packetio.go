package pluginwire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/datagram"
	"github.com/onelease/onelease/internal/coalesce"
)

// ReadFrom returns the next datagram, or waits for one.
func (c *PacketConn) ReadFrom(p []byte) (int, net.Addr, error) {
	n, from, err := c.ReadPacket(p)
	if err != nil {
		return 0, nil, c.fail("read", nil, err)
	}
	return n, from, nil
}

// ReadPacket is ReadFrom without a net.OpError around the error.
func (c *PacketConn) ReadPacket(p []byte) (int, *i2p.Addr, error) {
	c.rmu.Lock()
	defer c.rmu.Unlock()
	for {
		if err := c.state(&c.readBy); err != nil {
			return 0, nil, err
		}
		t, content, err := c.frame()
		if err != nil {
			return 0, nil, err
		}
		if t != typePacket {
			continue
		}
		from, size, err := c.addrs.parse(content)
		if err != nil {
			return 0, nil, err
		}
		return copy(p, content[size:]), from, nil
	}
}

// frame reads the next frame; its content is good until the next.
func (c *PacketConn) frame() (frameType, []byte, error) {
	b, err := c.reader.Peek(headerSize)
	if err != nil {
		return 0, nil, c.readFailed(err)
	}
	t, n, err := parseHeader(b)
	if err != nil {
		return 0, nil, err
	}
	if b, err = c.reader.Peek(headerSize + n); err != nil {
		return 0, nil, c.readFailed(err)
	}
	c.reader.Discard(len(b))
	switch t {
	case typePacket:
	case typeLost:
		lost, err := parseLost(b[headerSize:])
		c.lost.Store(lost)
		return t, nil, err
	default:
		return 0, nil, fmt.Errorf("frame of type %d in a port for datagrams: %w", t, ErrProtocol)
	}
	return t, b[headerSize:], nil
}

// readFailed is what ReadFrom returns if raw failed. All but a deadline is the
// end of the port.
func (c *PacketConn) readFailed(err error) error {
	if state := c.state(&c.readBy); state != nil {
		return state
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return os.ErrDeadlineExceeded
	}
	return net.ErrClosed
}

// WriteTo sends a datagram to an *i2p.Addr.
func (c *PacketConn) WriteTo(p []byte, addr net.Addr) (int, error) {
	to, ok := addr.(*i2p.Addr)
	if !ok || to == nil {
		return 0, c.fail("write", addr, fmt.Errorf("address is a %T, want an *i2p.Addr", addr))
	}
	if err := c.WritePacket(p, to); err != nil {
		return 0, c.fail("write", addr, err)
	}
	return len(p), nil
}

// WritePacket is WriteTo without a net.OpError around the error.
func (c *PacketConn) WritePacket(p []byte, to *i2p.Addr) error {
	if err := c.state(&c.writeBy); err != nil {
		return err
	}
	if len(p) > datagram.MaxSize {
		return fmt.Errorf("payload of %d bytes: %w", len(p), datagram.ErrTooLarge)
	}
	err := c.out.Append(func(b []byte) []byte {
		at := len(b)
		b = append(AppendAddr(append(b, 0, 0, 0, 0), to), p...)
		putHeader(b[at:], typePacket, len(b)-at-headerSize)
		return b
	})
	if errors.Is(err, coalesce.ErrClosed) {
		return net.ErrClosed
	}
	return err
}

// TellLost says how many datagrams of the other end were not sent so far.
func (c *PacketConn) TellLost(n uint64) error {
	return c.out.Append(func(b []byte) []byte {
		return appendFrame(b, typeLost, func(b []byte) []byte { return binary.BigEndian.AppendUint64(b, n) })
	})
}

// Lost is what the other end told last by TellLost.
func (c *PacketConn) Lost() uint64 { return c.lost.Load() }
