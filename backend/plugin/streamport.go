package plugin

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/onelease/onelease/backend/pluginpb"
)

// maxIncoming is how many streams of a port may wait to be accepted. More wait
// in the Node's own queue.
const maxIncoming = 128

// A streamPort is the part of a port that streams come by. Its owner is the table's.
type streamPort struct {
	ln     net.Listener
	slots  chan struct{} // one for each that waits
	owner  *binding      // nil while no instance runs that has it open
	closed chan struct{}
	once   sync.Once
}

// An incoming is a stream that no instance has accepted yet.
type incoming struct {
	id     uint64
	port   *port
	stream net.Conn
	told   *instance // who was told of it last
	late   *time.Timer
}

func newStreamPort(ln net.Listener) *streamPort {
	return &streamPort{ln: ln, slots: make(chan struct{}, maxIncoming), closed: make(chan struct{})}
}

func (p *streamPort) close() {
	p.once.Do(func() {
		close(p.closed)
		p.ln.Close()
	})
}

// acceptFrom takes the streams that come by a port until that is closed.
func (t *portTable) acceptFrom(p *port) {
	for {
		select {
		case p.streams.slots <- struct{}{}:
		case <-p.streams.closed:
			return
		}
		stream, err := p.streams.ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			t.s.log.Error("port takes no more streams: reload the plugin", "port", p.number, "error", err)
			return
		}
		t.arrived(p, stream)
	}
}

// arrived tells the port's owner of a stream, or the next one who comes.
func (t *portTable) arrived(p *port, stream net.Conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ports[p.portKey] != p {
		<-p.streams.slots
		go reset(stream)
		return
	}
	t.last++
	w := &incoming{id: t.last, port: p, stream: stream}
	w.late = time.AfterFunc(t.s.timing.accept, func() { t.expire(w) })
	t.waiting[w.id] = w
	t.announceLocked(w)
}

// announceLocked tells the owner of the port, unless it was told. Telling does not wait.
func (t *portTable) announceLocked(w *incoming) {
	owner := w.port.streams.owner
	if owner == nil || w.told == owner.i {
		return
	}
	w.told = owner.i
	owner.i.tell(&pluginpb.ToPlugin{Message: &pluginpb.ToPlugin_Incoming{
		Incoming: &pluginpb.Incoming{Listener: owner.id, Stream: w.id},
	}})
}

func (t *portTable) announceAllLocked(p *port) {
	for _, w := range t.waitingAtLocked(p) {
		t.announceLocked(w)
	}
}

// claim takes a stream for an instance that was told of it last.
func (t *portTable) claim(i *instance, id uint64) (net.Conn, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := t.waiting[id]
	if w == nil || w.told != i {
		return nil, fmt.Errorf("%w: %w", errNoSuchStream, net.ErrClosed)
	}
	t.takeLocked(w)
	return w.stream, nil
}

func (t *portTable) takeLocked(w *incoming) {
	delete(t.waiting, w.id)
	w.late.Stop()
	<-w.port.streams.slots
}

// expire resets a stream that nobody has accepted in time.
func (t *portTable) expire(w *incoming) {
	t.mu.Lock()
	mine := t.waiting[w.id] == w
	if mine {
		t.takeLocked(w)
		t.unaccepted++
	}
	t.mu.Unlock()
	if mine {
		reset(w.stream)
	}
}
