package streaming

import (
	"fmt"
	"net"
	"sync"
)

// A listener has the streams that wait for Accept on a port.
type listener struct {
	stack *Stack
	port  uint16

	mu      sync.Mutex
	arrived sync.Cond
	waiting ring[*Stream]
	closed  bool
}

// Listen opens a port for streams of remotes. Port 0 gets what comes to
// ports that are not open by themselves. It fails with ErrPortInUse.
func (s *Stack) Listen(port uint16) (net.Listener, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed.Load() {
		return nil, net.ErrClosed
	}
	if s.listeners[port] != nil {
		return nil, fmt.Errorf("listen on port %d: %w", port, ErrPortInUse)
	}
	l := &listener{stack: s, port: port}
	l.arrived.L = &l.mu
	s.listeners[port] = l
	return l, nil
}

// listenerOf is the listener that gets what comes to a port, or nil.
func (s *Stack) listenerOf(port uint16) *listener {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if l := s.listeners[port]; l != nil {
		return l
	}
	return s.listeners[0]
}

// offer queues a stream for Accept, if there is room.
func (l *listener) offer(st *Stream) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || !below(l.waiting.len(), l.stack.cfg.Limits.Backlog) {
		return false
	}
	l.waiting.push(st)
	l.arrived.Signal()
	return true
}

// Accept returns the next stream, or net.ErrClosed. A stream that its remote has
// reset while it waited is returned too.
func (l *listener) Accept() (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for !l.closed && l.waiting.len() == 0 {
		l.arrived.Wait()
	}
	if l.closed {
		return nil, net.ErrClosed
	}
	return l.waiting.pop(), nil
}

// Close closes the port and resets the streams that nobody accepted.
func (l *listener) Close() error {
	l.stack.mu.Lock()
	if l.stack.listeners[l.port] == l {
		delete(l.stack.listeners, l.port)
	}
	l.stack.mu.Unlock()
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return net.ErrClosed
	}
	waiting := l.waiting
	l.closed, l.waiting = true, ring[*Stream]{}
	l.arrived.Broadcast()
	l.mu.Unlock()
	for waiting.len() > 0 { // a stream's lock comes before a listener's
		waiting.pop().Reset()
	}
	return nil
}

// Addr is an *i2p.Addr.
func (l *listener) Addr() net.Addr { return addrOf(l.stack.self, l.port) }

var _ net.Listener = (*listener)(nil)
