package samconform

import "fmt"

const connecting = "SAM Virtual Streams : CONNECT"

var connectRows = []row{
	{connecting, "3.0", "DESTINATION in base64: RESULT=OK, then bytes both ways", onPair(func(c *check, a, b *session) {
		near, far := c.stream(a, b)
		c.talk(near, far, 20000)
	}), ""},
	{connecting, "3.1", "DESTINATION may be a b32 address", onPair(func(c *check, a, b *session) {
		far := c.accept(b, "")
		near := c.connect(a, b32(b.public), "")
		far.caller(a, "")
		c.talk(near, far, 100)
	}), ""},
	{connecting, "3.1", "DESTINATION may be a host name", func(c *check) {
		if c.host == "" {
			c.skip("no host name is known on this network")
		}
		two := c.pair(newest, "STREAM")
		c.connect(two.a, c.host, "")
	}, ""},
	{connecting, "3.0", "SILENT=true: no line, only the stream's bytes", onPair(func(c *check, a, b *session) {
		far := c.accept(b, "")
		near := c.hello(newest)
		near.say("STREAM CONNECT ID=%s DESTINATION=%s SILENT=true", a.id, b.public)
		far.caller(a, "")
		c.talk(near, far, 100)
	}), ""},
	{connecting, "3.0", "SILENT=true and no such Destination: the socket is closed without a line", onPair(func(c *check, a, _ *session) {
		d := c.hello(newest)
		d.say("STREAM CONNECT ID=%s DESTINATION=%s SILENT=true", a.id, stranger("silent"))
		d.ended("after a silent CONNECT to nobody")
	}), ""},
	{connecting, "3.0", "what follows the command in the same packet belongs to the stream", onPair(func(c *check, a, b *session) {
		far, token := c.accept(b, ""), newToken()
		near := c.hello(newest)
		near.put(fmt.Sprintf("STREAM CONNECT ID=%s DESTINATION=%s\n%s", a.id, b.public, token))
		near.hear().is("STREAM STATUS", "RESULT=OK")
		far.caller(a, "")
		far.get(token)
	}), ""},
	{connecting, "3.0", "an ID that there is not is INVALID_ID, and the socket is closed", func(c *check) {
		d := c.hello("3.0")
		d.asks("STREAM CONNECT ID=%s DESTINATION=%s", newID(), stranger("id")).is("STREAM STATUS", "RESULT=INVALID_ID")
		d.gone("after INVALID_ID")
	}, ""},
	{connecting, "3.0", "a DESTINATION that is none is INVALID_KEY, and the socket is closed", onPair(func(c *check, a, _ *session) {
		d := c.hello(newest)
		d.asks("STREAM CONNECT ID=%s DESTINATION=rubbish~", a.id).is("STREAM STATUS", "RESULT=INVALID_KEY")
		d.gone("after INVALID_KEY")
	}), ""},
	{connecting, "3.0", "a Destination that nobody hosts is CANT_REACH_PEER, and the socket is closed", onPair(func(c *check, a, _ *session) {
		d := c.hello(newest)
		d.ask("STREAM CONNECT ID=%s DESTINATION=%s", a.id, stranger("nowhere")).
			is("STREAM STATUS", "RESULT=CANT_REACH_PEER|PEER_NOT_FOUND|TIMEOUT")
		d.gone("after CANT_REACH_PEER")
	}), ""},
	{connecting, "3.1", "a b32 address that nobody has is an error, and the socket is closed", onPair(func(c *check, a, _ *session) {
		d := c.hello(newest)
		d.ask("STREAM CONNECT ID=%s DESTINATION=%s", a.id, nobody("connect")).refused("STREAM STATUS")
		d.gone("after the error")
	}), ""},
	{connecting, "3.0", "without DESTINATION it is an error", onPair(func(c *check, a, _ *session) {
		c.hello(newest).asks("STREAM CONNECT ID=%s", a.id).refused("STREAM STATUS")
	}), java + ": I2P_ERROR"},
	{connecting, "3.0", "without ID it is an error", func(c *check) {
		c.hello(newest).asks("STREAM CONNECT DESTINATION=%s", stranger("x")).refused("STREAM STATUS")
	}, java + ": I2P_ERROR"},
	{connecting, "3.0", "the ID of a session of another style is an error", func(c *check) {
		two := c.pair(newest, "DATAGRAM")
		c.hello(newest).ask("STREAM CONNECT ID=%s DESTINATION=%s", two.a.id, two.b.public).refused("STREAM STATUS")
	}, java + ": I2P_ERROR"},
	{connecting, "3.0", "on the session's own control socket it is an error", onPair(func(c *check, a, b *session) {
		c.spoiled = true
		a.ask("STREAM CONNECT ID=%s DESTINATION=%s", a.id, b.public).errorOrEnd()
	}), java + ": I2P_ERROR"},
	{connecting, "3.2", "FROM_PORT and TO_PORT arrive at the other end", onPair(func(c *check, a, b *session) {
		far := c.accept(b, "")
		c.connect(a, b.public, "FROM_PORT=1234 TO_PORT=65535")
		far.caller(a, "FROM_PORT=1234 TO_PORT=65535")
	}), ""},
	{connecting, "3.2", "without FROM_PORT and TO_PORT they are 0", onPair(func(c *check, a, b *session) {
		far := c.accept(b, "")
		c.connect(a, b.public, "")
		far.caller(a, "FROM_PORT=0 TO_PORT=0")
	}), ""},
	{"I2CP Ports and Protocol", "3.2", "those of SESSION CREATE are the default of its streams", func(c *check) {
		s := c.create(newest, "STREAM", "FROM_PORT=4711 TO_PORT=4712")
		two := c.pair(newest, "STREAM")
		far := c.accept(two.b, "")
		c.connect(s, two.b.public, "")
		far.caller(s, "FROM_PORT=4711 TO_PORT=4712")
		far = c.accept(two.b, "")
		c.connect(s, two.b.public, "TO_PORT=5")
		far.caller(s, "FROM_PORT=4711 TO_PORT=5")
	}, ""},
	{connecting, "3.2", "FROM_PORT=65536 is an error", onPair(func(c *check, a, b *session) {
		c.hello(newest).ask("STREAM CONNECT ID=%s DESTINATION=%s FROM_PORT=65536", a.id, b.public).refused("STREAM STATUS")
	}), ""},
	{connecting, "3.2", "TO_PORT=smtp is an error", onPair(func(c *check, a, b *session) {
		c.hello(newest).ask("STREAM CONNECT ID=%s DESTINATION=%s TO_PORT=smtp", a.id, b.public).refused("STREAM STATUS")
	}), ""},
	{"SAM Virtual Streams", "3.0", "another STREAM command is an error", onPair(func(c *check, a, _ *session) {
		c.hello(newest).asks("STREAM SWIM ID=%s", a.id).refusedOrClosed("STREAM STATUS")
	}), java + ": I2P_ERROR"},
}

// onPair gives the row two STREAM sessions.
func onPair(f func(c *check, a, b *session)) func(*check) {
	return func(c *check) {
		two := c.pair(newest, "STREAM")
		f(c, two.a, two.b)
	}
}
