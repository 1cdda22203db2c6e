package samconform

const (
	ping = "PING/PONG"
	quit = "QUIT/STOP/EXIT"
)

var utilityRows = []row{
	{ping, "3.2", "PING is answered PONG, without a session", func(c *check) { c.hello(newest).asks("PING").pong("PONG") }, ""},
	{ping, "3.2", "PING with text is answered PONG with that text", func(c *check) {
		c.hello(newest).asks("PING some arbitrary=text 1").pong("PONG some arbitrary=text 1")
	}, ""},
	{ping, "3.2", "PING again and again", func(c *check) {
		d := c.hello(newest)
		for _, text := range []string{"a", "b", "c"} {
			d.asks("PING %s", text).pong("PONG " + text)
		}
	}, ""},
	{ping, "3.2", "PING on the socket of a session, which goes on", onPair(func(_ *check, a, _ *session) {
		a.asks("PING 1").pong("PONG 1")
		a.asks("NAMING LOOKUP NAME=ME").is("NAMING REPLY", "RESULT=OK")
	}), ""},
	{ping, "3.2", "a PONG that was not asked for is passed over", func(c *check) {
		c.hello(newest).asks("PONG 1\nDEST GENERATE SIGNATURE_TYPE=7").is("DEST REPLY", "PUB")
	}, java},
	quits("QUIT"), quits("STOP"), quits("EXIT"),
	{quit, "3.2", "QUIT ends the session", func(c *check) {
		s := c.create(newest, "STREAM", "")
		s.say("QUIT")
		s.gone("QUIT")
		c.until("INVALID_ID", func() bool { return c.hello(newest).asks("STREAM ACCEPT ID=%s", s.id).has("RESULT=INVALID_ID") })
	}, "optional in the specification"},
	{"HELP", "3.2", "HELP says something, and the connection goes on", func(c *check) {
		d := c.hello(newest)
		if r := d.asks("HELP"); r.ended != "" {
			c.fail("%s", r)
		}
		d.say("PING after help")
		for {
			r := d.hearIn(c.quick)
			if r.line == "PONG after help" {
				return
			}
			if r.ended != "" {
				c.fail("after HELP: %s", r)
			}
		}
	}, "optional in the specification"},
}

// pong wants exactly the line.
func (r reply) pong(line string) {
	if r.line != line {
		r.c.fail("%s; want %s", r, line)
	}
}

func quits(command string) row {
	return row{quit, "3.2", command + " closes the socket", func(c *check) {
		d := c.hello(newest)
		d.say("%s", command)
		d.gone(command)
	}, "optional in the specification"}
}
