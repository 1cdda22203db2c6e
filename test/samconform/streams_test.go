package samconform

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// accept has the session wait for a stream, on a connection that comes back once the bridge
// has said OK. A bridge may first publish the session.
func (c *check) accept(s *session, options string) *conn { return c.acceptAs(newest, s, options) }

func (c *check) acceptAs(version string, s *session, options string) *conn {
	d := c.hello(version)
	c.defers(d.leave)
	d.ask("STREAM ACCEPT ID=%s %s", s.id, options).is("STREAM STATUS", "RESULT=OK")
	return d
}

// connect begins a stream of the session to the address.
func (c *check) connect(s *session, address, options string) *conn {
	d := c.hello(newest)
	d.ask("STREAM CONNECT ID=%s DESTINATION=%s %s", s.id, address, options).is("STREAM STATUS", "RESULT=OK")
	return d
}

// stream begins a stream from one session and accepts it at the other; far has had the line
// that says who calls.
func (c *check) stream(from, to *session) (near, far *conn) {
	far = c.accept(to, "")
	near = c.connect(from, to.public, "")
	far.caller(from, "")
	return near, far
}

// caller reads the line of an accepted stream: the base64 Destination of the other end, and
// after it exactly what is said ("Accept Response").
func (d *conn) caller(from *session, after string) {
	r := d.hear()
	if r.ended != "" {
		d.c.fail("instead of the line that says who calls: %s", r)
	}
	destination, rest, _ := strings.Cut(r.line, " ")
	if destination != from.public {
		d.c.fail("the line that says who calls: %s", r)
	}
	if after != "" && rest != after {
		d.c.fail("after the Destination: %q, want %q", rest, after)
	}
}

// talk sends bytes both ways and wants them whole.
func (c *check) talk(near, far *conn, size int) {
	there, back := noise(size), noise(size)
	near.put(there)
	far.get(there)
	far.put(back)
	near.get(back)
}

// noise is text of random letters, which no other row sends.
func noise(size int) string {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte('a' + rand.IntN(26))
	}
	return string(b)
}

// token is a line of text that no other row sends.
func newToken() string { return fmt.Sprintf("token-%s\n", noise(20)) }
