package pluginwire

import (
	"bufio"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/onelease/onelease/i2p"
)

// A Conn is a stream over a connection to the data socket, at either end of it.
// It behaves as a *streaming.Stream does, with one difference: after a Write that
// a deadline, Close or Reset of this end cut off in the middle of a frame, the
// other end gets either the rest by the next Write, or a reset.
//
// All methods may be called by many goroutines, but for the handshake: those
// of handshake.go come first, one after the other.
type Conn struct {
	raw           net.Conn
	local, remote *i2p.Addr
	released      sync.Once
	done          chan struct{} // closed when raw is
	onDone        func()

	rmu    sync.Mutex // held by a Read
	reader *bufio.Reader
	left   int // of the DATA frame that is being read

	wmu        sync.Mutex // held by a Write
	writeEnd   error      // why no Write can succeed any more
	header     [headerSize]byte
	headerLeft int         // of the frame that is being written
	owed       int         // likewise, of its content
	vec        [2][]byte   // what parts has room in
	parts      net.Buffers // what is written at once

	mu      sync.Mutex
	readBy  time.Time
	ending  bool  // Close or Reset was called
	endSent bool  // END was written
	readEnd error // what Read returns when nothing is left: io.EOF or why it broke
}

// readSize is the buffer for headers and small frames; what is greater goes
// straight to the reader.
const readSize = 4096

// NewConn makes a Conn of a connection whose preface has been read. It is of use
// after Begin.
func NewConn(raw net.Conn) *Conn {
	return &Conn{raw: raw, reader: bufio.NewReaderSize(raw, readSize), done: make(chan struct{})}
}

// LocalAddr is an *i2p.Addr.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr is an *i2p.Addr.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// Done is closed when the connection to the data socket is: all that was written
// has gone, or never will.
func (c *Conn) Done() <-chan struct{} { return c.done }

// OnDone has f called when Done is closed. It must be set before c is used. As f is
// called with locks of c held, it must call nothing of c, and not block.
func (c *Conn) OnDone(f func()) { c.onDone = f }

// SetDeadline is SetReadDeadline and SetWriteDeadline.
func (c *Conn) SetDeadline(t time.Time) error {
	c.SetReadDeadline(t)
	return c.SetWriteDeadline(t)
}

// SetReadDeadline has pending and later Reads end at t.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending {
		return net.ErrClosed
	}
	c.readBy = t
	c.raw.SetReadDeadline(t) // fails if all has ended, when nobody waits
	return nil
}

// SetWriteDeadline has pending and later Writes end at t.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending {
		return net.ErrClosed
	}
	c.raw.SetWriteDeadline(t)
	return nil
}

// readState is why a Read must not look for more, or nil.
func (c *Conn) readState() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.ending:
		return net.ErrClosed
	case !c.readBy.IsZero() && !time.Now().Before(c.readBy):
		return os.ErrDeadlineExceeded
	}
	return nil
}

// end notes how the other end's direction ended, the first time, and returns that.
// A RESET may follow END.
func (c *Conn) end(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.readEnd == nil || c.readEnd == io.EOF {
		c.readEnd = err
	}
	if c.endSent || c.readEnd != io.EOF {
		c.release()
	}
	return c.readEnd
}

// ended is what end has noted, or nil.
func (c *Conn) ended() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.readEnd
}

// release closes raw. Nothing more is to be written.
func (c *Conn) release() {
	c.released.Do(func() {
		c.raw.Close()
		close(c.done)
		if c.onDone != nil {
			c.onDone()
		}
	})
}

var _ net.Conn = (*Conn)(nil)
