package sambridge

import (
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/onelease/onelease/internal/coalesce"
)

// An output is what a control connection says. Most say a line or two, and are
// written to at once; one that gets datagrams has a queue, which never blocks who
// brings them.
type output struct {
	nc      net.Conn
	timeout time.Duration
	closing atomic.Bool

	mu    sync.Mutex
	queue *coalesce.Writer
}

// send writes what frame appends, or queues it. An error says that it was not taken:
// coalesce.ErrFull that the queue has no room, others that the connection is broken.
func (o *output) send(frame func(b []byte) []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.queue != nil {
		return o.queue.Append(frame)
	}
	_, err := o.Write(frame(nil))
	return err
}

// Write writes to the connection, in limited time. A connection that cannot be
// written to is closed: its reader would not notice.
func (o *output) Write(b []byte) (int, error) {
	limit := o.timeout
	if o.closing.Load() {
		limit = min(limit, time.Second)
	}
	o.nc.SetWriteDeadline(time.Now().Add(limit))
	n, err := o.nc.Write(b)
	if err != nil {
		o.nc.Close()
	}
	return n, err
}

// startQueue has all that is sent from now on queued, up to limit bytes.
func (o *output) startQueue(limit int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.queue == nil {
		o.queue = coalesce.New(o, limit)
	}
}

// close sends what is queued, for a second at most.
func (o *output) close() {
	o.mu.Lock()
	queue := o.queue
	o.closing.Store(true)
	o.mu.Unlock()
	if queue != nil {
		o.nc.SetWriteDeadline(time.Now().Add(time.Second))
		queue.Close()
	}
}
