package memconn

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// bufferSize is how many bytes a connection holds in each direction, as a
// socket's buffers do: writers block beyond it.
const bufferSize = 256 << 10

// A pipe is one direction of a connection. It blocks on its condition only,
// which testing/synctest knows.
type pipe struct {
	mu      sync.Mutex
	changed sync.Cond
	buf     []byte // what is written and not read, from next on
	next    int
	large   time.Time // when buf was last emptied that had much in it
	eof     bool      // the writer closed: reads return io.EOF once buf is empty
	readErr error     // what reads return
	// writeErr is what writes return.
	writeErr error
}

func newPipe() *pipe {
	p := &pipe{}
	p.changed.L = &p.mu
	return p
}

// read blocks until there is something, the pipe ends, or d expires.
func (p *pipe) read(b []byte, d *deadline) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		switch {
		case p.readErr != nil:
			return 0, p.readErr
		case d.expired:
			return 0, os.ErrDeadlineExceeded
		case p.next < len(p.buf):
			return p.readLocked(b), nil
		case p.eof:
			return 0, io.EOF
		}
		p.changed.Wait()
	}
}

func (p *pipe) readLocked(b []byte) int {
	n := copy(b, p.buf[p.next:])
	p.next += n
	if p.next == len(p.buf) {
		p.emptyLocked()
	}
	p.changed.Broadcast()
	return n
}

const (
	// alwaysKept is the size of a buffer that is no burden, in bytes.
	alwaysKept = 64 << 10
	// burstTime without much in a greater one says that the burst is over that made
	// it so.
	burstTime = 5 * time.Second
)

// emptyLocked begins anew with buf, or without one if it is larger than is needed.
func (p *pipe) emptyLocked() {
	little, greater := len(p.buf) <= cap(p.buf)/4, cap(p.buf) > alwaysKept
	p.buf, p.next = p.buf[:0], 0
	switch {
	case !greater:
	case !little:
		p.large = time.Now()
	case time.Since(p.large) >= burstTime:
		p.buf = nil
	}
}

// write blocks while the buffer is full.
func (p *pipe) write(b []byte, d *deadline) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	written := 0
	for {
		switch {
		case p.writeErr != nil:
			return written, p.writeErr
		case d.expired:
			return written, os.ErrDeadlineExceeded
		}
		n := min(bufferSize-(len(p.buf)-p.next), len(b)-written)
		p.appendLocked(b[written : written+n])
		if written += n; written == len(b) {
			return written, nil
		}
		p.changed.Wait()
	}
}

// appendLocked makes room by moving what is unread to the front.
func (p *pipe) appendLocked(b []byte) {
	if len(b) == 0 {
		return
	}
	if p.next > 0 && len(p.buf)+len(b) > cap(p.buf) {
		p.buf = p.buf[:copy(p.buf, p.buf[p.next:])]
		p.next = 0
	}
	p.buf = append(p.buf, b...)
	p.changed.Broadcast()
}

// endWrite is the writer's close: what was written can still be read.
func (p *pipe) endWrite() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.eof = true
	p.setErrorsLocked(nil, net.ErrClosed)
}

// endRead is the reader's close; what was not read is gone.
func (p *pipe) endRead() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.setErrorsLocked(net.ErrClosed, syscall.EPIPE)
}

// reset ends the pipe for both sides at once.
func (p *pipe) reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.setErrorsLocked(syscall.ECONNRESET, syscall.ECONNRESET)
}

// setErrorsLocked keeps the first error of each side.
func (p *pipe) setErrorsLocked(read, write error) {
	if p.readErr == nil {
		p.readErr = read
	}
	if p.writeErr == nil {
		p.writeErr = write
	}
	p.changed.Broadcast()
}

// A deadline wakes those who wait on a pipe. Guarded by the pipe's mu. Its
// timer is kept, since servers set deadlines for every write.
type deadline struct {
	at      time.Time // zero for never
	expired bool
	timer   *time.Timer
}

func (p *pipe) setDeadline(d *deadline, t time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	left := time.Until(t)
	d.at, d.expired = t, !t.IsZero() && left <= 0
	switch {
	case t.IsZero() || d.expired:
		if d.timer != nil {
			d.timer.Stop()
		}
		if d.expired {
			p.changed.Broadcast()
		}
	case d.timer == nil:
		d.timer = time.AfterFunc(left, func() { p.expire(d) })
	default:
		d.timer.Reset(left)
	}
}

// expire is the timer's, which may come too late to be stopped: the deadline
// may be another by now.
func (p *pipe) expire(d *deadline) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if d.at.IsZero() {
		return
	}
	if left := time.Until(d.at); left > 0 {
		d.timer.Reset(left)
		return
	}
	d.expired = true
	p.changed.Broadcast()
}
