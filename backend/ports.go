package backend

import (
	"net"
	"sync"
)

// A tap is one open port: see Host.Tap.
type tap struct {
	match   Match
	deliver func(Message)
	end     func() // called when the Host ends, if it is set
}

// A portKey is a protocol and a port; a zero one is all of them.
type portKey struct {
	protocol uint8
	port     uint16
}

func (t *tap) key() portKey { return portKey{t.match.number(), t.match.Port} }

// A portTable has what is open. Its zero value is empty.
type portTable struct {
	mu     sync.RWMutex
	closed bool
	taps   map[portKey]*tap
}

func (t *portTable) open(p *tap) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.closed:
		return net.ErrClosed
	case t.taps[p.key()] != nil:
		return ErrPortInUse
	case t.taps == nil:
		t.taps = make(map[portKey]*tap)
	}
	t.taps[p.key()] = p
	return nil
}

// find is what gets messages of a protocol to a port, or nil: what is open for
// just these before what takes all ports, and that before what takes all protocols.
func (t *portTable) find(protocol uint8, port uint16) *tap {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, key := range [...]portKey{{protocol, port}, {protocol, 0}, {0, port}, {0, 0}} {
		if p := t.taps[key]; p != nil {
			return p
		}
	}
	return nil
}

func (t *portTable) close(p *tap) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.taps[p.key()] == p { // not another one's that was opened since
		delete(t.taps, p.key())
	}
}

// closeAll closes all and lets none open any more.
func (t *portTable) closeAll() {
	t.mu.Lock()
	t.closed = true
	open := t.taps
	t.taps = nil
	t.mu.Unlock()
	for _, p := range open {
		if p.end != nil {
			p.end() // takes the lock
		}
	}
}
