package samclient

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"sync"
)

// A conn is a stream that we began.
type conn struct {
	net.Conn
	lines *bufio.Reader // what came with the bridge's answer
	to    string
}

// Read reads what the stream brings.
func (c *conn) Read(b []byte) (int, error) { return c.lines.Read(b) }

// RemoteAddr is the Destination, an Addr.
func (c *conn) RemoteAddr() net.Addr { return Addr(c.to) }

// An accepted conn begins with a line that says who began the stream.
type accepted struct {
	net.Conn
	once  sync.Once
	lines *bufio.Reader
	from  string
	err   error
}

// Read reads what the stream brings after that line.
func (c *accepted) Read(b []byte) (int, error) {
	c.once.Do(c.readFrom)
	if c.err != nil {
		return 0, c.err
	}
	return c.lines.Read(b)
}

// RemoteAddr is the Destination, an Addr.
func (c *accepted) RemoteAddr() net.Addr {
	c.once.Do(c.readFrom)
	return Addr(c.from)
}

func (c *accepted) readFrom() {
	c.lines = bufio.NewReader(c.Conn)
	line, err := c.lines.ReadString('\n')
	if err != nil {
		c.err = fmt.Errorf("sam: read who began the stream: %w", err)
	}
	c.from, _, _ = strings.Cut(strings.TrimSpace(line), " ")
}

// An Addr is a Destination in I2P base64.
type Addr string

// Network is "i2p".
func (Addr) Network() string { return "i2p" }

// String is the Destination.
func (a Addr) String() string { return string(a) }

var (
	_ net.Conn = (*conn)(nil)
	_ net.Conn = (*accepted)(nil)
)
