package samconform

import "fmt"

// routingRows ask where a PRIMARY session's traffic goes.
var routingRows = []row{
	{adding, "3.3", "a stream goes to the STREAM subsession with its to-port, else to that with LISTEN_PORT=0", onPrimary(func(c *check, p, q *session) {
		from := q.add("STREAM", "")
		for _, to := range []struct{ options, port string }{{"", "9"}, {"FROM_PORT=1", "1"}, {"FROM_PORT=2 LISTEN_PORT=2", "2"}} {
			far := c.accept(p.add("STREAM", to.options), "")
			c.defers(func() { far.Close() })
			near := c.connect(from, p.public, "TO_PORT="+to.port)
			far.caller(from, "FROM_PORT=0 TO_PORT="+to.port)
			c.talk(near, far, 10)
		}
	}), ""},
	{adding, "3.3", "FROM_PORT and TO_PORT of a STREAM subsession are those of its streams", onPrimary(func(c *check, p, q *session) {
		far := c.accept(p.add("STREAM", ""), "")
		from := q.add("STREAM", "FROM_PORT=44 TO_PORT=55")
		c.connect(from, p.public, "")
		far.caller(from, "FROM_PORT=44 TO_PORT=55")
	}), ""},
	{adding, "3.3", "FORWARD of a subsession takes its streams only", onPrimary(func(c *check, p, q *session) {
		l, other := c.listen(), c.accept(p.add("STREAM", ""), "")
		c.forward(p.add("STREAM", "FROM_PORT=80"), l, "")
		from := q.add("STREAM", "")
		c.connect(from, p.public, "TO_PORT=80")
		l.next().caller(from, "FROM_PORT=0 TO_PORT=80")
		c.connect(from, p.public, "TO_PORT=81")
		other.caller(from, "FROM_PORT=0 TO_PORT=81")
	}), ""},
	{adding, "3.3", "a datagram goes to the DATAGRAM subsession with its to-port, else to that with LISTEN_PORT=0", onPrimary(func(c *check, p, q *session) {
		one, rest := c.socket(), c.socket()
		p.add("DATAGRAM", one.here("FROM_PORT=1"))
		p.add("DATAGRAM", rest.here(""))
		from := q.add("DATAGRAM", c.socket().here(""))
		c.routes(from, p, "TO_PORT=1", one.forwarded)
		c.routes(from, p, "TO_PORT=2", rest.forwarded)
	}), ""},
	{adding, "3.3", "datagrams and raw datagrams go to subsessions of their styles", onPrimary(func(c *check, p, q *session) {
		datagrams, raws := c.socket(), c.socket()
		p.add("DATAGRAM", datagrams.here(""))
		p.add("RAW", raws.here("HEADER=true"))
		c.routes(q.add("DATAGRAM", c.socket().here("")), p, "", datagrams.forwarded)
		c.routes(q.add("RAW", c.socket().here("")), p, "", raws.forwarded)
	}), ""},
	{adding, "3.3", "DATAGRAM2 and DATAGRAM3 go to subsessions of their styles", onPrimary(func(c *check, p, q *session) {
		two, three := c.socket(), c.socket()
		p.add("DATAGRAM2", two.here(""))
		p.add("DATAGRAM3", three.here(""))
		c.routes(q.add("DATAGRAM2", c.socket().here("")), p, "", two.forwarded)
		c.routes(q.add("DATAGRAM3", c.socket().here("")), p, "", three.forwarded)
	}), ""},
	{adding, "3.3", "a raw datagram goes to the RAW subsession with its protocol", onPrimary(func(c *check, p, q *session) {
		plain, own := c.socket(), c.socket()
		p.add("RAW", plain.here("HEADER=true"))
		p.add("RAW", own.here("HEADER=true LISTEN_PROTOCOL=77"))
		from := q.add("RAW", c.socket().here(""))
		c.routes(from, p, "PROTOCOL=77", own.forwarded).is("FORWARDED", "PROTOCOL=77")
		c.routes(from, p, "", plain.forwarded).is("FORWARDED", "PROTOCOL=18")
	}), ""},
	{adding, "3.3", "RAW with LISTEN_PROTOCOL=0 takes every protocol that has no subsession", onPrimary(func(c *check, p, q *session) {
		all, own := c.socket(), c.socket()
		p.add("RAW", all.here("HEADER=true LISTEN_PROTOCOL=0"))
		p.add("RAW", own.here("HEADER=true LISTEN_PROTOCOL=77"))
		from := q.add("RAW", c.socket().here(""))
		c.routes(from, p, "PROTOCOL=78", all.forwarded).is("FORWARDED", "PROTOCOL=78")
		c.routes(from, p, "PROTOCOL=77", own.forwarded).is("FORWARDED", "PROTOCOL=77")
	}), ""},
	{adding, "3.3", "what no subsession listens for is dropped", onPrimary(func(c *check, p, q *session) {
		u := c.socket()
		p.add("RAW", u.here("LISTEN_PORT=5"))
		from := q.add("RAW", c.socket().here(""))
		sender := c.socket()
		sender.send("3.3", from.id, p.public, "TO_PORT=6")("lost")
		c.deliver(sender.send("3.3", from.id, p.public, "TO_PORT=5"), u.plain, newToken(), "lost")
	}), ""},
	{adding, "3.3", "FROM_PORT, TO_PORT and PROTOCOL of a RAW subsession are those of what it sends", onPrimary(func(c *check, p, q *session) {
		u := c.socket()
		p.add("RAW", u.here("HEADER=true LISTEN_PROTOCOL=0"))
		from := q.add("RAW", c.socket().here("FROM_PORT=8 TO_PORT=9 PROTOCOL=10"))
		c.routes(from, p, "", u.forwarded).is("FORWARDED", "FROM_PORT=8", "TO_PORT=9", "PROTOCOL=10")
	}), ""},
	{adding, "3.3", "streams and datagrams of one Destination at once", onPrimary(func(c *check, p, q *session) {
		u := c.socket()
		far := c.accept(p.add("STREAM", ""), "")
		p.add("DATAGRAM", u.here(""))
		from := q.add("STREAM", "")
		near := c.connect(from, p.public, "")
		far.caller(from, "")
		c.routes(q.add("DATAGRAM", c.socket().here("")), p, "", u.forwarded).from(q.public, "FROM_PORT=0 TO_PORT=0")
		c.talk(near, far, 1000)
	}), ""},
}

// routes sends from a subsession through the UDP port, and wants it at one receiver.
func (c *check) routes(from, to *session, options string, receive next) reply {
	return c.deliver(c.socket().send("3.3", from.id, to.public, options), receive, fmt.Sprintf("routed %s", newToken()), "")
}
