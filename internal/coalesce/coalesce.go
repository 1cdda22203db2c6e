// Package coalesce lets many goroutines write frames to one connection: they
// append to a buffer, and one goroutine writes whatever has gathered, in one
// call. Nothing waits for more to come: a frame alone is written at once, and
// frames that arrive during a write go out together after it.
//
// It is for packets, which may be refused when the other side is slow. It is
// not for bulk data whose writer should block.
//
//	w := coalesce.New(conn, 1<<20)
//	err := w.Append(func(b []byte) []byte { return append(b, frame...) })
//	...
//	conn.SetWriteDeadline(time.Now().Add(time.Second)) // bounds Close
//	w.Close()
//	conn.Close()
package coalesce

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

var (
	// ErrFull says that the frame was not taken because too much is waiting.
	ErrFull = errors.New("write queue is full")
	// ErrClosed says that the Writer was closed or that a write failed, then
	// it wraps the reason too.
	ErrClosed = errors.New("write queue is closed")
)

// A Writer gathers frames for an io.Writer. Its methods may be called by many
// goroutines. It must be closed, or its goroutine stays.
type Writer struct {
	w     io.Writer
	limit int
	done  chan struct{} // closed when run has ended

	mu      sync.Mutex
	filled  sync.Cond // pending is no longer empty, or the Writer has ended
	pending []byte    // frames that wait; whole ones only
	spare   []byte    // the buffer to swap with pending; run's during a write
	large   time.Time // when a batch last filled much of its buffer; run's
	ended   error     // what Append returns, once there is something
	failed  error     // why a write failed
}

// New returns a Writer to w in which at most limit bytes wait while others are
// written, so that it holds twice limit at most. A frame greater than limit is never
// taken.
func New(w io.Writer, limit int) *Writer {
	c := &Writer{w: w, limit: limit, done: make(chan struct{})}
	c.filled.L = &c.mu
	go c.run()
	return c
}

// Append calls frame with a buffer that it appends one frame to and returns.
// It is called under a lock, so it only encodes. What it appended is taken
// whole, or not at all: then the error is ErrFull or ErrClosed. Append does
// not allocate and never blocks for the connection.
func (c *Writer) Append(frame func(b []byte) []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended != nil {
		return c.ended
	}
	before := len(c.pending)
	c.pending = frame(c.pending)
	if len(c.pending) > c.limit {
		c.pending = c.pending[:before]
		return ErrFull
	}
	if before == 0 {
		c.filled.Signal()
	}
	return nil
}

// Close takes no more frames, writes those that wait and returns the error of
// the write that failed, if one did. It blocks as long as the connection does: set a
// write deadline first. It does not close the connection.
func (c *Writer) Close() error {
	c.mu.Lock()
	if c.ended == nil {
		c.ended = ErrClosed
	}
	c.filled.Signal()
	c.mu.Unlock()
	<-c.done
	return c.failed
}

// run writes batch after batch until the Writer is closed or a write fails.
func (c *Writer) run() {
	defer close(c.done)
	for {
		batch := c.next()
		if len(batch) == 0 {
			return
		}
		if _, err := c.w.Write(batch); err != nil {
			c.fail(err)
			return
		}
		c.spare = c.keep(batch)
	}
}

const (
	// alwaysKept is the size of a buffer that is no burden, in bytes.
	alwaysKept = 64 << 10
	// burstTime without a batch that fills a quarter of a greater one says that the
	// burst is over that made it so. Traffic that goes up and down must not have it made
	// anew all the time.
	burstTime = 5 * time.Second
)

// keep returns batch's buffer to be used again, or nil to have it freed.
func (c *Writer) keep(batch []byte) []byte {
	switch {
	case cap(batch) <= alwaysKept:
		return batch[:0]
	case len(batch) > cap(batch)/4:
		c.large = time.Now()
		return batch[:0]
	case time.Since(c.large) < burstTime:
		return batch[:0]
	}
	return nil
}

// next waits for frames and takes them, or returns nothing after Close.
func (c *Writer) next() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.pending) == 0 && c.ended == nil {
		c.filled.Wait()
	}
	batch := c.pending
	c.pending = c.spare
	return batch
}

func (c *Writer) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failed = err
	c.ended = fmt.Errorf("%w: %w", ErrClosed, err)
	c.pending = nil
}

var _ io.Closer = (*Writer)(nil)
