package memconn

import (
	"context"
	"fmt"
	"net"
	"sync"
	"syscall"
)

// backlog is how many connections may wait to be accepted, as with a socket.
const backlog = 128

// A Listener accepts connections that its Dial makes.
type Listener struct {
	name    Addr
	waiting chan net.Conn
	closing sync.Once
	closed  chan struct{}
}

// Listen returns a Listener; the name is only for messages.
func Listen(name string) *Listener {
	return &Listener{name: Addr(name), waiting: make(chan net.Conn, backlog), closed: make(chan struct{})}
}

// Dial connects. It fails with ECONNREFUSED if the Listener is closed, and
// waits if many connections wait to be accepted.
func (l *Listener) Dial(ctx context.Context) (net.Conn, error) {
	client, server := Pair(string(l.name))
	if err := l.Hand(ctx, server); err != nil {
		return nil, err
	}
	return client, nil
}

// Hand has Accept return conn, which came by another way, as Dial does. After an error
// it is the caller's still.
func (l *Listener) Hand(ctx context.Context, conn net.Conn) error {
	select {
	case <-l.closed:
		return fmt.Errorf("dial %s: %w", l.name, syscall.ECONNREFUSED)
	default:
	}
	select {
	case l.waiting <- conn:
		l.resetIfClosed() // Close may just have passed by
		return nil
	case <-l.closed:
		return fmt.Errorf("dial %s: %w", l.name, syscall.ECONNREFUSED)
	case <-ctx.Done():
		return fmt.Errorf("dial %s: %w", l.name, context.Cause(ctx))
	}
}

// Accept waits for a connection. It fails with net.ErrClosed after Close.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case <-l.closed:
		return nil, fmt.Errorf("accept on %s: %w", l.name, net.ErrClosed)
	default:
	}
	select {
	case c := <-l.waiting:
		return c, nil
	case <-l.closed:
		return nil, fmt.Errorf("accept on %s: %w", l.name, net.ErrClosed)
	}
}

// Close resets the connections that were not accepted. Those that were go on.
func (l *Listener) Close() error {
	l.closing.Do(func() { close(l.closed) })
	l.resetIfClosed()
	return nil
}

func (l *Listener) resetIfClosed() {
	for {
		select {
		case <-l.closed:
		default:
			return
		}
		select {
		case c := <-l.waiting:
			if own, ok := c.(*Conn); ok {
				own.Reset()
			} else {
				c.Close()
			}
		default:
			return
		}
	}
}

// Addr is the Listener's name.
func (l *Listener) Addr() net.Addr { return l.name }

var _ net.Listener = (*Listener)(nil)
