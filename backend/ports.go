package backend

import (
	"net"
	"sync"
)

// A portTable has the open ports by kind. Its zero value is empty.
type portTable struct {
	mu     sync.RWMutex
	closed bool
	ports  [kinds]map[uint16]*packetConn
}

func (t *portTable) open(c *packetConn) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	i, _ := c.kind.index()
	switch {
	case t.closed:
		return net.ErrClosed
	case t.ports[i][c.port] != nil:
		return ErrPortInUse
	case t.ports[i] == nil:
		t.ports[i] = make(map[uint16]*packetConn)
	}
	t.ports[i][c.port] = c
	return nil
}

// find is the connection that gets packets of a kind to a port, or nil.
func (t *portTable) find(kind Kind, port uint16) *packetConn {
	i, ok := kind.index()
	if !ok {
		return nil
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	if c := t.ports[i][port]; c != nil {
		return c
	}
	return t.ports[i][0]
}

func (t *portTable) close(c *packetConn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i, _ := c.kind.index()
	delete(t.ports[i], c.port)
}

// closeAll closes all connections and lets none open any more.
func (t *portTable) closeAll() {
	t.mu.Lock()
	t.closed = true
	var open []*packetConn
	for _, ports := range t.ports {
		for _, c := range ports {
			open = append(open, c)
		}
	}
	t.mu.Unlock()
	for _, c := range open {
		c.Close() // takes the lock
	}
}
