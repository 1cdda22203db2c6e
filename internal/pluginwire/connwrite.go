package pluginwire

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"time"
)

// Write returns when the socket has taken all of p.
func (c *Conn) Write(p []byte) (written int, err error) {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	err = c.writeState()
	for err == nil && written < len(p) {
		var n int
		n, err = c.writeFrame(p[written:])
		written += n
	}
	return written, err
}

// writeState is why nothing may be written, or nil.
func (c *Conn) writeState() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.ending:
		return net.ErrClosed
	case c.readEnd != nil && c.readEnd != io.EOF:
		return c.readEnd
	case c.endSent:
		return net.ErrClosed
	}
	return c.writeEnd
}

// writeFrame writes a frame with the first of p, or of p what the last frame still
// lacks since a deadline cut it short.
func (c *Conn) writeFrame(p []byte) (int, error) {
	if c.owed == 0 {
		c.owed, c.headerLeft = min(len(p), MaxFrame), headerSize
		putHeader(c.header[:], typeData, c.owed)
	}
	c.vec = [2][]byte{c.header[headerSize-c.headerLeft:], p[:min(len(p), c.owed)]}
	c.parts = c.vec[:]
	all, err := c.parts.WriteTo(c.raw)
	c.vec = [2][]byte{}
	ofHeader := min(int(all), c.headerLeft)
	n := int(all) - ofHeader
	c.headerLeft -= ofHeader
	c.owed -= n
	if c.headerLeft == headerSize {
		c.owed = 0 // nothing went, so there is no such frame
	}
	if err != nil {
		err = c.writeFailed(err)
	}
	return n, err
}

// CloseWrite says END: the other end reads io.EOF after what was written. It waits
// as a Write does. In the middle of a frame that a deadline cut short it resets.
func (c *Conn) CloseWrite() error {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	if c.saidEnd() {
		return nil
	}
	if err := c.writeState(); err != nil {
		return err
	}
	if c.owed > 0 {
		c.Reset()
		return os.ErrDeadlineExceeded
	}
	var end [headerSize]byte
	putHeader(end[:], typeEnd, 0)
	if _, err := c.raw.Write(end[:]); err != nil {
		return c.writeFailed(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.endSent = true
	if c.readEnd != nil {
		c.release()
	}
	return nil
}

func (c *Conn) saidEnd() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.endSent && !c.ending
}

// writeFailed is what Write returns if raw failed. All but a deadline is final.
func (c *Conn) writeFailed(err error) error {
	state := c.writeState()
	switch {
	case state != nil:
		return state
	case errors.Is(err, os.ErrDeadlineExceeded):
		return os.ErrDeadlineExceeded
	}
	gone := c.whyGone()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writeEnd = gone
	return gone
}

const (
	goneWait = time.Second // more than enough to read what a socket has buffered
	goneMost = 1 << 20     // more than a socket buffers
)

// whyGone finds in what the other end sent before it closed the connection why it
// did; Read still gets it all. A reader that waits has got the end by itself.
func (c *Conn) whyGone() error {
	c.raw.SetReadDeadline(time.Now().Add(goneWait))
	c.rmu.Lock()
	defer c.rmu.Unlock()
	end := c.ended()
	if end != nil && end != io.EOF {
		return end
	}
	rest, _ := io.ReadAll(io.LimitReader(c.reader, goneMost))
	c.reader.Reset(bytes.NewReader(rest))
	return lastWord(rest, c.left, end)
}

// lastWord is the error of the RESET in b, whose frames begin after left bytes; or
// net.ErrClosed if there is END, or end is; or ErrBroken.
func lastWord(b []byte, left int, end error) error {
	for len(b) >= left+headerSize {
		b = b[left:]
		t, n, err := parseHeader(b)
		b, left = b[headerSize:], n
		switch {
		case err != nil:
			return err
		case t == typeEnd:
			end = io.EOF
		case t == typeReset && len(b) >= n:
			return parseReset(b[:n])
		case t != typeData && t != typeReset:
			return strange(t)
		}
	}
	if end == io.EOF {
		return net.ErrClosed
	}
	return ErrBroken
}
