package samconform

import (
	"strings"
)

const accepting = "SAM Virtual Streams : ACCEPT"

var acceptRows = []row{
	{accepting, "3.0", "OK at once, then a line with the caller's Destination", onPair(func(c *check, a, b *session) {
		far := c.accept(b, "")
		near := c.connect(a, b.public, "")
		far.caller(a, "")
		c.talk(near, far, 100)
	}), ""},
	{accepting, "3.0", "on 3.1 the line has the Destination alone", onPair(func(c *check, a, b *session) {
		far := c.acceptAs("3.1", b, "")
		c.connect(a, b.public, "")
		if r := far.hear(); r.line != a.public {
			c.fail("%s; want the Destination and nothing after it", r)
		}
	}), ""},
	{accepting, "3.2", "on 3.2 the line has FROM_PORT and TO_PORT after the Destination", onPair(func(c *check, a, b *session) {
		far := c.acceptAs("3.2", b, "")
		c.connect(a, b.public, "")
		far.caller(a, "FROM_PORT=0 TO_PORT=0")
	}), ""},
	{accepting, "3.0", "SILENT=false is the default", onPair(func(c *check, a, b *session) {
		far := c.accept(b, "SILENT=false")
		c.connect(a, b.public, "SILENT=false")
		far.caller(a, "")
	}), ""},
	{accepting, "3.0", "SILENT=true: neither OK nor a line, only the stream's bytes", onPair(func(c *check, a, b *session) {
		far := c.hello(newest)
		far.say("STREAM ACCEPT ID=%s SILENT=true", b.id)
		far.quiet("a silent ACCEPT")
		near := c.connect(a, b.public, "")
		c.talk(near, far, 100)
	}), ""},
	{accepting, "3.0", "an ID that there is not is INVALID_ID, and the socket is closed", func(c *check) {
		d := c.hello("3.0")
		d.asks("STREAM ACCEPT ID=%s", newID()).is("STREAM STATUS", "RESULT=INVALID_ID")
		d.gone("after INVALID_ID")
	}, ""},
	{accepting, "3.0", "SILENT=true and an ID that there is not: the socket is closed", func(c *check) {
		d := c.hello("3.0")
		d.say("STREAM ACCEPT ID=%s SILENT=true", newID())
		d.gone("a silent ACCEPT of no session")
	}, ""},
	{accepting, "3.0", "without ID it is an error", func(c *check) {
		c.hello(newest).asks("STREAM ACCEPT").refusedOrClosed("STREAM STATUS")
	}, java + ": I2P_ERROR"},
	{accepting, "3.0", "the ID of a session of another style is an error", func(c *check) {
		c.hello(newest).asks("STREAM ACCEPT ID=%s", c.pair(newest, "DATAGRAM").a.id).refused("STREAM STATUS")
	}, java + ": I2P_ERROR"},
	{accepting, "3.2", "several ACCEPTs wait at once, each takes one stream", onPair(func(c *check, a, b *session) {
		waiting := []*conn{c.accept(b, ""), c.accept(b, ""), c.accept(b, "")}
		c.talkToAll(a, b, waiting)
	}), ""},
	{accepting, "3.0", "on 3.0 a second ACCEPT while one waits is ALREADY_ACCEPTING", onPair(func(c *check, _, b *session) {
		c.acceptAs("3.0", b, "")
		c.hello("3.0").asks("STREAM ACCEPT ID=%s", b.id).is("STREAM STATUS", "RESULT=ALREADY_ACCEPTING")
	}), "Java and i2pd allow it on 3.1 too"},
	{accepting, "3.0", "after a stream was accepted another ACCEPT takes the next", onPair(func(c *check, a, b *session) {
		for range 3 {
			near, far := c.stream(a, b)
			c.talk(near, far, 10)
		}
	}), ""},
	{accepting, "3.0", "an ACCEPT whose socket was closed takes no stream", onPair(func(c *check, a, b *session) {
		c.accept(b, "").Close()
		far := c.accept(b, "")
		near := c.connect(a, b.public, "")
		far.caller(a, "")
		c.talk(near, far, 10)
	}), ""},
	{accepting, "3.0", "ACCEPT while a FORWARD is active is an error", onPair(func(c *check, _, b *session) {
		c.forward(b, c.listen(), "")
		c.hello(newest).asks("STREAM ACCEPT ID=%s", b.id).refused("STREAM STATUS")
	}), ""},
	{accepting, "3.0", "what is sent before the accepting side has read is not lost", onPair(func(c *check, a, b *session) {
		far := c.accept(b, "")
		near := c.connect(a, b.public, "")
		text := noise(50000)
		near.put(text)
		far.caller(a, "")
		far.get(text)
	}), ""},
}

// talkToAll begins as many streams as there are ACCEPTs, and finds each at one of them.
func (c *check) talkToAll(a, b *session, waiting []*conn) {
	sent := map[string]bool{}
	for range waiting {
		token := newToken()
		c.connect(a, b.public, "").put(token)
		sent[token] = true
	}
	for _, far := range waiting {
		far.caller(a, "")
		r := far.hear()
		if !sent[r.line+"\n"] {
			c.fail("one of the accepted streams brought %s", strings.TrimSpace(r.String()))
		}
		delete(sent, r.line+"\n")
	}
}
