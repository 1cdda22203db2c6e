package samconform

const (
	primary    = "SAM PRIMARY Sessions"
	adding     = "Creating a Subsession"
	removing   = "Stopping a Subsession"
	primaryAdd = "Creating a PRIMARY Session"
)

var primaryRows = []row{
	{primaryAdd, "3.3", "STYLE=PRIMARY is answered OK with the private key", func(c *check) { c.create(newest, "PRIMARY", "") }, ""},
	{primaryAdd, "3.3", "STYLE=MASTER is its older name, and takes a STREAM subsession", func(c *check) {
		p := c.create(newest, "MASTER", "")
		two := c.pair(newest, "STREAM")
		sub := p.add("STREAM", "")
		near, far := c.stream(two.a, sub)
		c.talk(near, far, 100)
	}, ""},
	{adding, "3.3", "SESSION ADD STYLE=STREAM", adds("STREAM", ""), ""},
	{adding, "3.3", "SESSION ADD STYLE=DATAGRAM with PORT", adds("DATAGRAM", "PORT=9 FROM_PORT=3"), ""},
	{adding, "3.3", "SESSION ADD STYLE=RAW with PORT, PROTOCOL and HEADER", adds("RAW", "PORT=9 PROTOCOL=99 HEADER=true"), ""},
	{adding, "3.3", "SESSION ADD STYLE=DATAGRAM2 with PORT", adds("DATAGRAM2", "PORT=9"), "specified in 2025"},
	{adding, "3.3", "SESSION ADD STYLE=DATAGRAM3 with PORT", adds("DATAGRAM3", "PORT=9"), "specified in 2025"},
	{adding, "3.3", "several subsessions of one style with different LISTEN_PORTs", onPrimary(func(c *check, p, _ *session) {
		p.add("STREAM", "LISTEN_PORT=0 FROM_PORT=5")
		p.add("STREAM", "FROM_PORT=6")
		p.add("STREAM", "FROM_PORT=7 LISTEN_PORT=7")
		p.add("RAW", "PORT=9 LISTEN_PORT=7")
		p.add("RAW", "PORT=9 LISTEN_PORT=7 LISTEN_PROTOCOL=20")
	}), ""},
	{adding, "3.3", "an ID that is in use is an error", onPrimary(func(c *check, p, _ *session) {
		sub := p.add("STREAM", "")
		p.noAdd("STYLE=STREAM FROM_PORT=1 ID=" + sub.id)
		p.noAdd("STYLE=STREAM FROM_PORT=1 ID=" + p.id)
	}), ""},
	{"SAM Sessions", "3.3", "SESSION CREATE with the ID of a subsession is DUPLICATED_ID", onPrimary(func(c *check, p, _ *session) {
		sub := p.add("STREAM", "")
		c.hello(newest).asks("%s", c.createLine("STREAM", sub.id, "")).is("SESSION STATUS", "RESULT=DUPLICATED_ID")
	}), ""},
	{adding, "3.3", "a listen port and protocol that there is already is an error", onPrimary(func(c *check, p, _ *session) {
		p.add("STREAM", "FROM_PORT=6")
		p.noAdd("STYLE=STREAM LISTEN_PORT=6 FROM_PORT=6 ID=" + newID())
		p.add("RAW", "PORT=9 LISTEN_PORT=6 LISTEN_PROTOCOL=30")
		p.noAdd("STYLE=RAW PORT=9 LISTEN_PORT=6 PROTOCOL=30 ID=" + newID())
	}), ""},
	{adding, "3.3", "STYLE=STREAM with a LISTEN_PORT other than FROM_PORT or 0 is an error",
		noAdds("STYLE=STREAM FROM_PORT=5 LISTEN_PORT=6"), "Java lets it pass"},
	{adding, "3.3", "STYLE=RAW with LISTEN_PROTOCOL=6 is an error", noAdds("STYLE=RAW PORT=9 LISTEN_PROTOCOL=6"), ""},
	{adding, "3.3", "STYLE=RAW with PROTOCOL=17 is an error", noAdds("STYLE=RAW PORT=9 PROTOCOL=17"), ""},
	{adding, "3.3", "DESTINATION is an error", noAdds("STYLE=STREAM DESTINATION=TRANSIENT"), ""},
	{adding, "3.3", "STYLE=DATAGRAM without PORT is an error", noAdds("STYLE=DATAGRAM"), ""},
	{adding, "3.3", "STYLE=RAW without PORT is an error", noAdds("STYLE=RAW"), ""},
	{adding, "3.3", "an unknown STYLE is an error", noAdds("STYLE=PRIMARY"), ""},
	{adding, "3.3", "LISTEN_PORT=65536 is an error", noAdds("STYLE=RAW PORT=9 LISTEN_PORT=65536"), ""},
	{adding, "3.3", "LISTEN_PROTOCOL=256 is an error", noAdds("STYLE=RAW PORT=9 LISTEN_PROTOCOL=256"), ""},
	{adding, "3.3", "no ID is an error", onPrimary(func(_ *check, p, _ *session) { p.noAdd("STYLE=STREAM") }), ""},
	{adding, "3.3", "SESSION ADD to a session that is no PRIMARY is an error", func(c *check) {
		two := c.pair(newest, "STREAM")
		two.a.asks("SESSION ADD STYLE=STREAM ID=%s", newID()).refused("SESSION STATUS")
	}, ""},
	{adding, "3.3", "SESSION ADD on another connection is an error", func(c *check) {
		c.hello(newest).asks("SESSION ADD STYLE=STREAM ID=%s", newID()).refused("SESSION STATUS")
	}, ""},
	{removing, "3.3", "SESSION REMOVE: OK, then its ID is INVALID_ID", onPrimary(func(c *check, p, _ *session) {
		sub := p.add("STREAM", "")
		p.asks("SESSION REMOVE ID=%s", sub.id).is("SESSION STATUS", "RESULT=OK")
		c.hello(newest).asks("STREAM ACCEPT ID=%s", sub.id).is("STREAM STATUS", "RESULT=INVALID_ID")
	}), ""},
	{removing, "3.3", "SESSION REMOVE: ID, listen port and protocol are free again", onPrimary(func(c *check, p, _ *session) {
		sub := p.add("STREAM", "FROM_PORT=8")
		p.asks("SESSION REMOVE ID=%s", sub.id).is("SESSION STATUS", "RESULT=OK")
		p.asks("SESSION ADD STYLE=STREAM FROM_PORT=8 ID=%s", sub.id).is("SESSION STATUS", "RESULT=OK")
		p.asks("SESSION REMOVE ID=%s", sub.id).is("SESSION STATUS", "RESULT=OK")
	}), ""},
	{removing, "3.3", "SESSION REMOVE ends the subsession's streams and ACCEPTs, not those of others", onPrimary(func(c *check, p, q *session) {
		sub, other, from := p.add("STREAM", "FROM_PORT=1"), p.add("STREAM", "FROM_PORT=2"), q.add("STREAM", "")
		waiting := c.accept(sub, "")
		far := c.accept(other, "")
		near := c.connect(from, p.public, "TO_PORT=2")
		far.caller(from, "")
		p.asks("SESSION REMOVE ID=%s", sub.id).is("SESSION STATUS", "RESULT=OK")
		waiting.gone("an ACCEPT of a subsession that was removed")
		c.talk(near, far, 100)
	}), ""},
	{removing, "3.3", "SESSION REMOVE of an ID that there is not is an error", onPrimary(func(_ *check, p, _ *session) {
		p.asks("SESSION REMOVE ID=%s", newID()).refused("SESSION STATUS")
	}), ""},
	{removing, "3.3", "SESSION REMOVE of the PRIMARY's own ID is an error", onPrimary(func(_ *check, p, _ *session) {
		p.asks("SESSION REMOVE ID=%s", p.id).refused("SESSION STATUS")
	}), ""},
	{primaryAdd, "3.3", "STREAM CONNECT with the PRIMARY's own ID is an error", onPrimary(func(c *check, p, q *session) {
		c.hello(newest).asks("STREAM CONNECT ID=%s DESTINATION=%s", p.id, q.public).refused("STREAM STATUS")
	}), ""},
	{primaryAdd, "3.3", "STREAM ACCEPT with the PRIMARY's own ID is an error", onPrimary(func(c *check, p, _ *session) {
		c.hello(newest).asks("STREAM ACCEPT ID=%s", p.id).refused("STREAM STATUS")
	}), ""},
	{primaryAdd, "3.3", "when the PRIMARY's socket is closed its subsessions end", func(c *check) {
		p := c.create(newest, "PRIMARY", "")
		sub := p.add("STREAM", "")
		d := c.accept(sub, "")
		p.Close()
		d.gone("an ACCEPT of a subsession")
		c.until("the subsession's ID is gone", func() bool {
			return c.hello(newest).asks("STREAM ACCEPT ID=%s", sub.id).has("RESULT=INVALID_ID")
		})
	}, ""},
	{primaryAdd, "3.3", "utility commands work on its control socket", onPrimary(func(_ *check, p, _ *session) {
		p.asks("NAMING LOOKUP NAME=ME").is("NAMING REPLY", "RESULT=OK", "VALUE="+p.public)
		p.asks("DEST GENERATE SIGNATURE_TYPE=7").is("DEST REPLY", "PUB", "PRIV")
		p.asks("PING x").is("PONG x")
	}), ""},
}

// onPrimary gives the row two PRIMARY sessions, to which it may add by add.
func onPrimary(f func(c *check, p, q *session)) func(*check) {
	return func(c *check) {
		two := c.pair(newest, "PRIMARY")
		f(c, two.a, two.b)
	}
}

// add adds a subsession for the row.
func (s *session) add(style, options string) *session {
	id := newID()
	s.asks("SESSION ADD STYLE=%s ID=%s %s", style, id, options).is("SESSION STATUS", "RESULT=OK")
	s.c.defers(func() { s.asks("SESSION REMOVE ID=%s", id) })
	return &session{s.conn, id, s.private, s.public}
}

func (s *session) noAdd(options string) { s.asks("SESSION ADD %s", options).refused("SESSION STATUS") }

func adds(style, options string) func(*check) {
	return onPrimary(func(_ *check, p, _ *session) { p.add(style, options) })
}

func noAdds(options string) func(*check) {
	return onPrimary(func(_ *check, p, _ *session) { p.noAdd(options + " ID=" + newID()) })
}
