package lobby

import (
	"net"
	"testing"
)

// A host that floods pushes out its own connections and not those of others.
func TestLobbyIsFair(t *testing.T) {
	var l Lobby
	quiet := &fakeConn{host: "192.0.2.1"}
	l.Enter(quiet)
	var flood []*fakeConn
	for range 2 * Max {
		conn := &fakeConn{host: "192.0.2.2"}
		flood = append(flood, conn)
		l.Enter(conn)
	}
	if quiet.closed || !flood[0].closed || flood[len(flood)-1].closed {
		t.Errorf("closed: the quiet one %v, the oldest of the flood %v, its newest %v", quiet.closed, flood[0].closed, flood[len(flood)-1].closed)
	}
	l.Leave(quiet)
	if l.Len() != Max-1 {
		t.Errorf("%d wait, want %d", l.Len(), Max-1)
	}
}

type fakeConn struct {
	net.Conn
	host   string
	closed bool
}

func (c *fakeConn) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.ParseIP(c.host), Port: 1} }
func (c *fakeConn) Close() error         { c.closed = true; return nil }
