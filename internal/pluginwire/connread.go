package pluginwire

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// Read reads what came; io.EOF when the other end has said END.
func (c *Conn) Read(p []byte) (int, error) {
	c.rmu.Lock()
	defer c.rmu.Unlock()
	if err := c.readState(); err != nil || len(p) == 0 {
		return 0, err
	}
	for c.left == 0 {
		if err := c.nextFrame(); err != nil {
			return 0, err
		}
	}
	n, err := c.reader.Read(p[:min(len(p), c.left)])
	c.left -= n
	if n == 0 {
		return 0, c.readFailed(err)
	}
	return n, nil
}

// nextFrame reads the header of a DATA frame, or returns what Read is to. A
// deadline leaves everything as it was.
func (c *Conn) nextFrame() error {
	if err := c.ended(); err != nil {
		return err
	}
	b, err := c.reader.Peek(headerSize)
	if err != nil {
		return c.readFailed(err)
	}
	t, n, err := parseHeader(b)
	switch {
	case err != nil:
		return c.end(err)
	case t != typeData:
		return c.lastFrame(t, n)
	}
	c.left = n
	c.reader.Discard(headerSize)
	return nil
}

// lastFrame reads END or RESET, whose header has been seen.
func (c *Conn) lastFrame(t frameType, n int) error {
	if t != typeEnd && t != typeReset {
		return c.end(strange(t))
	}
	b, err := c.reader.Peek(headerSize + n)
	if err != nil {
		return c.readFailed(err)
	}
	c.reader.Discard(len(b))
	if t == typeEnd {
		return c.end(io.EOF)
	}
	return c.end(parseReset(b[headerSize:]))
}

// strange says that a stream has no such frames.
func strange(t frameType) error {
	return fmt.Errorf("frame of type %d in a stream: %w", t, ErrProtocol)
}

// parseReset is the error that a RESET or ERROR tells, or what is wrong with it.
func parseReset(content []byte) error {
	e, err := ParseError(content)
	if err != nil {
		return err
	}
	return e
}

// readFailed is what Read returns if raw failed. All but a deadline is final.
func (c *Conn) readFailed(err error) error {
	if state := c.readState(); state != nil {
		return state
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return os.ErrDeadlineExceeded // which has been moved since
	}
	return c.end(ErrBroken)
}

// AwaitClose is for the host, after Read has returned io.EOF. It returns nil when
// the other end has closed the connection, and so wants nothing that still comes,
// or when both have said END. Else it returns why the stream broke.
func (c *Conn) AwaitClose() error {
	c.rmu.Lock()
	defer c.rmu.Unlock()
	b, err := c.reader.Peek(headerSize)
	if err != nil {
		return nil
	}
	t, n, err := parseHeader(b)
	switch {
	case err != nil:
		return c.end(err)
	case t != typeReset:
		return c.end(fmt.Errorf("frame of type %d after END: %w", t, ErrProtocol))
	}
	return c.lastFrame(t, n)
}
