package backend

import (
	"errors"
	"fmt"
	"net"
	"sync"

	"github.com/onelease/onelease/backend/pluginpb"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/pluginwire"
)

// A pluginListener is a port for streams. What comes waits at the host; here are the
// names of those streams.
type pluginListener struct {
	node *pluginNode
	id   uint64
	addr *i2p.Addr

	mu      sync.Mutex
	arrived sync.Cond
	waiting []uint64
	closed  bool
}

// Listen implements Node.
func (n *pluginNode) Listen(port uint16) (net.Listener, error) {
	l := &pluginListener{node: n, addr: n.local(port)}
	l.arrived.L = &l.mu
	err := n.open(ProtocolStreaming, port, func(id uint64) {
		l.id = id
		n.listeners[id] = l
	})
	if err == nil {
		return l, nil
	}
	n.forget(l.id)
	if isCrossed(err) {
		return nil, err // it names the port
	}
	return nil, fmt.Errorf("listen for streams on port %d: %w", port, err)
}

// open opens a port. register is called with the lock held before anything can come
// to the port.
func (n *pluginNode) open(protocol uint8, port uint16, register func(id uint64)) error {
	a, err := ask(n.ctx, n, n.opening, func(id uint64) *pluginpb.FromPlugin {
		register(id)
		return &pluginpb.FromPlugin{Message: &pluginpb.FromPlugin_Open{
			Open: &pluginpb.Open{Id: id, Kind: uint32(protocol), Port: uint32(port)},
		}}
	})
	if err != nil {
		return err
	}
	return crossed(a.GetCode(), a.GetError())
}

// forget drops a port.
func (n *pluginNode) forget(id uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.listeners, id)
	delete(n.packets, id)
}

// closePort tells the host that a port is closed.
func (n *pluginNode) closePort(id uint64) {
	n.forget(id)
	// If this fails, the host has gone and so have its ports.
	_ = n.tell(&pluginpb.FromPlugin{Message: &pluginpb.FromPlugin_Close{Close: &pluginpb.Close{Id: id}}})
}

func (l *pluginListener) offer(stream uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.waiting = append(l.waiting, stream)
		l.arrived.Signal()
	}
}

// Accept returns the next stream, or net.ErrClosed.
func (l *pluginListener) Accept() (net.Conn, error) {
	for {
		stream, err := l.next()
		if err != nil {
			return nil, err
		}
		conn, err := pluginwire.AcceptStream(l.node.ctx, l.node.socket, l.node.token, stream)
		if err == nil {
			err = l.node.streams.add(conn)
		}
		if err == nil {
			return conn, nil
		}
		if !isGone(err) {
			return nil, err // it may be Temporary, as when there are too many open files
		}
	}
}

// isGone says whether the host had no such stream any more, or went itself, which
// closes the listener.
func isGone(err error) bool { return isCrossed(err) || errors.Is(err, pluginwire.ErrBroken) }

func (l *pluginListener) next() (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for !l.closed && len(l.waiting) == 0 {
		l.arrived.Wait()
	}
	if l.closed {
		return 0, net.ErrClosed
	}
	stream := l.waiting[0]
	l.waiting = l.waiting[1:]
	return stream, nil
}

// Close closes the port and has the host reset the streams that nobody accepted.
func (l *pluginListener) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return net.ErrClosed
	}
	l.closed, l.waiting = true, nil
	l.arrived.Broadcast()
	l.mu.Unlock()
	l.node.closePort(l.id)
	return nil
}

// Addr is an *i2p.Addr.
func (l *pluginListener) Addr() net.Addr { return l.addr }

var _ net.Listener = (*pluginListener)(nil)
