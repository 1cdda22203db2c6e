package memconn

import (
	"net"
	"time"
)

// A Conn is one end of a connection through memory. Its methods may be called
// by many goroutines.
type Conn struct {
	in, out               *pipe
	readUntil, writeUntil deadline
	local, remote         Addr
}

// An Addr is the name of one end.
type Addr string

// Network is "memory".
func (Addr) Network() string { return "memory" }

// String is the name.
func (a Addr) String() string { return string(a) }

// Pair returns the two ends of a connection to the server of that name.
func Pair(name string) (client, server *Conn) {
	up, down := newPipe(), newPipe()
	here, there := Addr("client of "+name), Addr(name)
	client = &Conn{in: down, out: up, local: here, remote: there}
	server = &Conn{in: up, out: down, local: there, remote: here}
	return client, server
}

// Read reads what the other end wrote.
func (c *Conn) Read(b []byte) (int, error) { return c.in.read(b, &c.readUntil) }

// Write copies b and blocks while the buffer is full.
func (c *Conn) Write(b []byte) (int, error) { return c.out.write(b, &c.writeUntil) }

// Close ends the connection; the other end reads what was written, then io.EOF.
func (c *Conn) Close() error {
	c.in.endRead()
	c.out.endWrite()
	return c.SetDeadline(time.Time{})
}

// CloseWrite ends this direction only: the other end reads what was written,
// then io.EOF.
func (c *Conn) CloseWrite() error {
	c.out.endWrite()
	return nil
}

// Reset ends the connection for both ends at once, with ECONNRESET, as it ends
// when a process is killed.
func (c *Conn) Reset() {
	c.in.reset()
	c.out.reset()
	c.SetDeadline(time.Time{})
}

// LocalAddr names this end.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr names the other end.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline sets both deadlines.
func (c *Conn) SetDeadline(t time.Time) error {
	c.in.setDeadline(&c.readUntil, t)
	c.out.setDeadline(&c.writeUntil, t)
	return nil
}

// SetReadDeadline has reads fail with os.ErrDeadlineExceeded from t on; zero for never.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.in.setDeadline(&c.readUntil, t)
	return nil
}

// SetWriteDeadline has writes fail with os.ErrDeadlineExceeded from t on; zero for never.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.out.setDeadline(&c.writeUntil, t)
	return nil
}

var _ net.Conn = (*Conn)(nil)
