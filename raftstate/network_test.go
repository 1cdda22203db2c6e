package raftstate

import (
	"context"
	"fmt"
	"net"
	"sync"

	"github.com/onelease/onelease/internal/memconn"
)

// A network has nodes by address, and links between them that can be cut one
// way. As over a real network, bytes sent into a cut link are lost without a
// word, and the connection with them; dialing waits.
type network struct {
	mu        sync.Mutex
	listeners map[string]*memconn.Listener
	cut       map[[2]string]bool // from, to
}

func newNetwork() *network {
	return &network{listeners: map[string]*memconn.Listener{}, cut: map[[2]string]bool{}}
}

// listen makes addr reachable, in place of who was before.
func (n *network) listen(addr string) *memconn.Listener {
	n.mu.Lock()
	defer n.mu.Unlock()
	l := memconn.Listen(addr)
	n.listeners[addr] = l
	return l
}

// set cuts or mends the way from one address to another.
func (n *network) set(cut bool, from, to string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cut[[2]string{from, to}] = cut
}

func (n *network) isCut(from, to string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.cut[[2]string{from, to}]
}

// dialer is what a node at from dials with.
func (n *network) dialer(from string) func(context.Context, string) (net.Conn, error) {
	return func(ctx context.Context, to string) (net.Conn, error) {
		n.mu.Lock()
		l := n.listeners[to]
		n.mu.Unlock()
		if n.isCut(from, to) || n.isCut(to, from) {
			<-ctx.Done()
			return nil, context.Cause(ctx)
		}
		if l == nil {
			return nil, fmt.Errorf("dial %s: no such host", to)
		}
		conn, err := l.Dial(ctx)
		if err != nil {
			return nil, err
		}
		return &link{Conn: conn, network: n, from: from, to: to}, nil
	}
}

// A link is the dialer's end of a connection, where both ways are cut.
type link struct {
	net.Conn
	network  *network
	from, to string

	mu       sync.Mutex
	out, ret bool // ways that have lost something, and all since
}

func (l *link) lost(way *bool, from, to string) bool {
	cut := l.network.isCut(from, to)
	l.mu.Lock()
	defer l.mu.Unlock()
	*way = *way || cut
	return *way
}

func (l *link) Write(b []byte) (int, error) {
	if l.lost(&l.out, l.from, l.to) {
		return len(b), nil
	}
	return l.Conn.Write(b)
}

func (l *link) Read(b []byte) (int, error) {
	for {
		n, err := l.Conn.Read(b)
		if err != nil || !l.lost(&l.ret, l.to, l.from) {
			return n, err
		}
	}
}
