package plugin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/datagram"
	"github.com/onelease/onelease/internal/pluginwire"
)

// maxPending is how many datagrams of a port may wait for the lookup of their receiver.
const maxPending = 16

// A packetPort is the part of a port that datagrams come and go by. While no instance
// reads them, they wait in the Node's queue, which drops what does not fit.
type packetPort struct {
	conn net.PacketConn
	sink atomic.Pointer[packetSink]

	mu     sync.Mutex
	owner  *binding
	sinks  map[*binding]*packetSink
	change chan struct{} // closed when sink was changed
	closed bool
}

// A packetSink is an instance's connection for the datagrams of a port.
type packetSink struct {
	conn    *pluginwire.PacketConn
	traffic *traffic
	lost    atomic.Uint64
	pending chan struct{}
}

func newPacketPort(conn net.PacketConn) *packetPort {
	return &packetPort{conn: conn, sinks: make(map[*binding]*packetSink), change: make(chan struct{})}
}

func (p *packetPort) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.closed = true
		p.conn.Close()
		close(p.change)
	}
}

// assign has datagrams go to another instance.
func (p *packetPort) assign(owner *binding) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.owner = owner
	p.assignLocked()
}

func (p *packetPort) assignLocked() {
	sink := p.sinks[p.owner]
	if p.closed || p.sink.Swap(sink) == sink {
		return
	}
	close(p.change)
	p.change = make(chan struct{})
}

func (p *packetPort) attach(b *binding, sink *packetSink) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sinks[b] != nil || p.closed {
		return false
	}
	p.sinks[b] = sink
	p.assignLocked()
	return true
}

func (p *packetPort) detach(b *binding) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.sinks, b)
	p.assignLocked()
}

// run takes datagrams to whom the port belongs. It waits for nobody but while there is none.
func (p *packetPort) run(s *Supervisor) {
	buffer := make([]byte, datagram.MaxSize)
	for {
		n, from, err := p.conn.ReadFrom(buffer)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			s.log.Error("port takes no more datagrams: reload the plugin", "error", err)
			return
		}
		sink := p.await()
		if sink == nil {
			return
		}
		if sink.conn.WritePacket(buffer[:n], addrOf(from)) == nil {
			sink.traffic.packetsIn.Add(1)
		} else {
			sink.traffic.droppedIn.Add(1)
		}
	}
}

// await is where datagrams go to; nil if the port was closed.
func (p *packetPort) await() *packetSink {
	for {
		if sink := p.sink.Load(); sink != nil {
			return sink
		}
		p.mu.Lock()
		sink, change, closed := p.sink.Load(), p.change, p.closed
		p.mu.Unlock()
		if sink != nil || closed {
			return sink
		}
		<-change
	}
}

// servePackets serves an instance's connection for a port until that ends.
func (i *instance) servePackets(raw net.Conn, id uint64) {
	b := i.s.ports.packetsOf(i, id)
	if b == nil {
		pluginwire.NewPacketConn(raw, nil).Refuse(fmt.Errorf("no port for datagrams is open by id %d: %w", id, net.ErrClosed))
		return
	}
	p := b.port.packets
	sink := &packetSink{
		conn: pluginwire.NewPacketConn(raw, addrOf(p.conn.LocalAddr())), traffic: &i.traffic,
		pending: make(chan struct{}, maxPending),
	}
	defer sink.conn.Close()
	if err := sink.conn.Begin(); err != nil || !p.attach(b, sink) {
		return
	}
	defer p.detach(b)
	sink.sendAll(p.conn)
}

// packetsOf is the instance's binding of that id, if it is for datagrams.
func (t *portTable) packetsOf(i *instance, id uint64) *binding {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.ports {
		for _, b := range p.bindings {
			if b.i == i && b.id == id && p.packets != nil {
				return b
			}
		}
	}
	return nil
}

// sendAll sends what the plugin writes until it closes the connection.
func (s *packetSink) sendAll(to net.PacketConn) {
	buffer := make([]byte, datagram.MaxSize+1)
	for {
		n, addr, err := s.conn.ReadPacket(buffer)
		if err != nil {
			return
		}
		if addr.Destination.IsZero() {
			s.sendLater(to, buffer[:n], addr)
			continue
		}
		_, err = to.WriteTo(buffer[:n], addr)
		s.sent(err)
	}
}

// sendLater sends to one whose Destination is looked up first, so that the others do not
// wait for that.
func (s *packetSink) sendLater(to net.PacketConn, payload []byte, addr *i2p.Addr) {
	select {
	case s.pending <- struct{}{}:
	default:
		s.sent(errBusy)
		return
	}
	payload = append([]byte(nil), payload...)
	go func() {
		_, err := to.WriteTo(payload, addr)
		s.sent(err)
		<-s.pending
	}()
}

var errBusy = errors.New("too many lookups at once")

// sent counts a datagram, and tells the plugin of one that was lost.
func (s *packetSink) sent(err error) {
	if err == nil {
		s.traffic.packetsOut.Add(1)
		return
	}
	s.traffic.droppedOut.Add(1)
	s.conn.TellLost(s.lost.Add(1))
}

func withLimit(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	if limit == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, limit, os.ErrDeadlineExceeded)
}
