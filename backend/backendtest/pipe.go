package backendtest

import (
	"sync"

	"github.com/onelease/onelease/internal/memconn"
)

// A pipe is a connection that can be frozen: reads and writes wait then.
type pipe struct {
	*memconn.Conn
	closed chan struct{}
	once   sync.Once

	mu   sync.Mutex
	flow chan struct{} // closed while it is not frozen
}

func newPipe(c *memconn.Conn) *pipe {
	p := &pipe{Conn: c, closed: make(chan struct{}), flow: make(chan struct{})}
	close(p.flow)
	return p
}

func (p *pipe) freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.flow = make(chan struct{})
}

func (p *pipe) thaw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.flow:
	default:
		close(p.flow)
	}
}

// wait returns when the pipe is not frozen, or closed.
func (p *pipe) wait() {
	p.mu.Lock()
	flow := p.flow
	p.mu.Unlock()
	select {
	case <-flow:
	case <-p.closed:
	}
}

// Read waits after the read: what was under way when the pipe froze is not
// seen before it thaws.
func (p *pipe) Read(b []byte) (int, error) {
	n, err := p.Conn.Read(b)
	p.wait()
	return n, err
}

func (p *pipe) Write(b []byte) (int, error) {
	p.wait()
	return p.Conn.Write(b)
}

func (p *pipe) Close() error {
	p.once.Do(func() { close(p.closed) })
	return p.Conn.Close()
}

func (p *pipe) reset() {
	p.once.Do(func() { close(p.closed) })
	p.Reset()
}
