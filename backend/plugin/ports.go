package plugin

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/i2p/streaming"
)

// maxPorts is how many ports an instance may have open.
const maxPorts = 64

// A portTable has the ports of the Node that are open for the plugin. A port stays open
// while no instance runs: what comes then waits. It has one lock for all, which is held
// for no I/O.
type portTable struct {
	s     *Supervisor
	opens sync.Mutex // held by an open from its beginning to its end

	mu         sync.Mutex
	closed     bool
	ports      map[portKey]*port
	waiting    map[uint64]*incoming // by the number that the plugin accepts it by
	last       uint64               // of those numbers
	unaccepted uint64
}

type portKey struct {
	kind   backend.Kind // or backend.ProtocolStreaming
	number uint16
}

// A port is open on the Node, for the newest instance that has it open.
type port struct {
	portKey
	bindings []*binding // oldest first
	streams  *streamPort
	packets  *packetPort
}

func (k portKey) kindName() string {
	if k.kind == backend.ProtocolStreaming {
		return "streams"
	}
	return k.kind.String()
}

// A binding is an Open of an instance.
type binding struct {
	port *port
	i    *instance
	id   uint64
}

func newPortTable(s *Supervisor) *portTable {
	return &portTable{s: s, ports: make(map[portKey]*port), waiting: make(map[uint64]*incoming)}
}

// open opens a port for an instance, or gives it one that is open for another.
func (t *portTable) open(i *instance, id uint64, key portKey) error {
	t.opens.Lock()
	defer t.opens.Unlock()
	p, err := t.find(i, key)
	if err == nil && p == nil {
		p, err = t.listen(key)
	}
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		p.close()
		return net.ErrClosed
	}
	t.ports[key] = p
	p.bindings = append(p.bindings, &binding{p, i, id})
	t.assignLocked(p)
	return nil
}

// find is the port if it is open.
func (t *portTable) find(i *instance, key portKey) (*port, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	own := 0
	for _, p := range t.ports {
		if slices.ContainsFunc(p.bindings, func(b *binding) bool { return b.i == i }) {
			if own++; p.portKey == key {
				return nil, streaming.ErrPortInUse
			}
		}
	}
	if own >= maxPorts {
		return nil, fmt.Errorf("%d ports are open, and no more may be", own)
	}
	return t.ports[key], nil
}

// listen opens a port on the Node.
func (t *portTable) listen(key portKey) (*port, error) {
	p := &port{portKey: key}
	if key.kind == backend.ProtocolStreaming {
		ln, err := t.s.node.Listen(key.number)
		if err != nil {
			return nil, err
		}
		p.streams = newStreamPort(ln)
		t.s.work.Go(func() { t.acceptFrom(p) })
		return p, nil
	}
	conn, err := t.s.node.ListenPacket(key.kind, key.number)
	if err != nil {
		return nil, err
	}
	p.packets = newPacketPort(conn)
	t.s.work.Go(func() { p.packets.run(t.s) })
	return p, nil
}

// assignLocked gives a port to the newest instance that runs and has it open.
func (t *portTable) assignLocked(p *port) {
	var owner *binding
	for _, b := range p.bindings {
		if b.i.getState() == Running {
			owner = b
		}
	}
	if p.streams != nil && p.streams.owner != owner {
		p.streams.owner = owner
		t.announceAllLocked(p)
	}
	if p.packets != nil {
		p.packets.assign(owner)
	}
}

// reassign gives all ports to whom they belong once an instance's state has changed.
func (t *portTable) reassign() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.ports {
		t.assignLocked(p)
	}
}

// has says whether an instance has all ports open that another has.
func (t *portTable) has(next, old *instance) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.ports {
		var both [2]bool
		for _, b := range p.bindings {
			both[0] = both[0] || b.i == old
			both[1] = both[1] || b.i == next
		}
		if both[0] && !both[1] {
			return false
		}
	}
	return true
}

// waitingAtLocked are the streams that wait at a port, oldest first.
func (t *portTable) waitingAtLocked(p *port) []*incoming {
	var all []*incoming
	for _, w := range t.waiting {
		if w.port == p {
			all = append(all, w)
		}
	}
	slices.SortFunc(all, func(a, b *incoming) int { return cmp.Compare(a.id, b.id) })
	return all
}

var errNoSuchStream = errors.New("this stream is not waiting for this plugin")
