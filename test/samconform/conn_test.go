package samconform

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"
)

// maxLine bounds what is read as one line of a bridge.
const maxLine = 128 << 10

// A conn is a control connection to the bridge, or the stream that it became.
type conn struct {
	c *check
	net.Conn
	in *bufio.Reader
}

// dial opens a connection that ends with the row.
func (c *check) dial() *conn { return c.dialTo(c.tcp) }

func (c *check) dialTo(addr string) *conn {
	var d net.Dialer
	raw, err := d.DialContext(c.ctx, "tcp", addr)
	c.must(err)
	c.defers(func() { raw.Close() })
	return c.wrap(raw)
}

func (c *check) wrap(raw net.Conn) *conn { return &conn{c, raw, bufio.NewReaderSize(raw, maxLine)} }

// newest stands for the newest version that the bridge speaks.
const newest = ""

// hello is dial and a handshake that ends with that version.
func (c *check) hello(version string) *conn {
	if version == newest {
		version = c.speaks
	}
	d := c.dial()
	d.ask("HELLO VERSION MIN=%s MAX=%[1]s", version).is("HELLO REPLY", "RESULT=OK", "VERSION="+version)
	return d
}

// put sends bytes as they are.
func (d *conn) put(b string) {
	_ = d.SetWriteDeadline(time.Now().Add(d.c.quick))
	if _, err := io.WriteString(d, b); err != nil {
		d.c.fail("write: %v", err)
	}
}

// say sends a line.
func (d *conn) say(format string, args ...any) { d.put(fmt.Sprintf(format, args...) + "\n") }

// ask sends a line and waits for one, as long as tunnels take.
func (d *conn) ask(format string, args ...any) reply {
	d.say(format, args...)
	return d.hear()
}

// asks is ask with a question that the bridge can answer by itself.
func (d *conn) asks(format string, args ...any) reply {
	d.say(format, args...)
	return d.hearIn(d.c.quick)
}

// hear waits for a line.
func (d *conn) hear() reply { return d.hearIn(d.c.slow) }

func (d *conn) hearIn(t time.Duration) reply {
	line, err := d.line(t)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return reply{c: d.c, ended: fmt.Sprintf("no answer in %v", t)}
	case errors.Is(err, bufio.ErrBufferFull):
		return reply{c: d.c, ended: "a line without end"}
	case err != nil:
		return reply{c: d.c, ended: "closed the connection", closed: true}
	}
	return parse(d.c, strings.TrimSuffix(string(line), "\n"))
}

// line reads a line that begins within the time; what has begun gets longer, since what
// is read of a line at a deadline is lost.
func (d *conn) line(t time.Duration) ([]byte, error) {
	_ = d.SetReadDeadline(time.Now().Add(t))
	if _, err := d.in.Peek(1); err != nil {
		return nil, err
	}
	_ = d.SetReadDeadline(time.Now().Add(d.c.quick))
	return d.in.ReadSlice('\n')
}

// quiet fails if the bridge says something or closes within a moment.
func (d *conn) quiet(why string) {
	r := d.hearIn(300 * time.Millisecond)
	if r.ended == "" || r.closed {
		d.c.fail("%s: %s", why, r)
	}
}

// get waits for exactly these bytes.
func (d *conn) get(want string) {
	_ = d.SetReadDeadline(time.Now().Add(d.c.slow))
	got := make([]byte, len(want))
	n, err := io.ReadFull(d.in, got)
	if err != nil || string(got) != want {
		d.c.fail("%d of %d bytes (%v), the right ones: %v: %.60q", n, len(want), err, string(got) == want, got[:n])
	}
}

// gone waits until the bridge closes, and passes over what it says before.
func (d *conn) gone(why string) {
	_ = d.SetReadDeadline(time.Now().Add(d.c.slow))
	if _, err := io.Copy(io.Discard, d.in); errors.Is(err, os.ErrDeadlineExceeded) {
		d.c.fail("%s: the connection stays open", why)
	}
}

// leave ends the connection, and waits for a moment until the bridge has noticed: the next
// row with this session may find nobody waiting there.
func (d *conn) leave() {
	if half, ok := d.Conn.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		_ = d.SetReadDeadline(time.Now().Add(time.Second))
		_, _ = io.Copy(io.Discard, d.in)
	}
	d.Close()
}

// ended waits for the end of the connection with nothing said before.
func (d *conn) ended(why string) {
	_ = d.SetReadDeadline(time.Now().Add(d.c.slow))
	b, err := d.in.ReadByte()
	switch {
	case err == nil:
		_ = d.in.UnreadByte()
		d.c.fail("%s: said %s", why, d.hearIn(d.c.quick))
	case errors.Is(err, os.ErrDeadlineExceeded):
		d.c.fail("%s: the connection stays open %v", why, b)
	}
}
