package samconform

import "strings"

const datagram23 = "Datagram 2/3"

var datagram23Rows = []row{
	{datagram23, "3.3", "DATAGRAM2 is forwarded like DATAGRAM, with the sender's Destination", datagram2(""), "specified in 2025"},
	{datagram23, "3.3", "DATAGRAM2: FROM_PORT and TO_PORT arrive", datagram2("FROM_PORT=5 TO_PORT=6"), ""},
	{datagram23, "3.3", "DATAGRAM2 of an offline-signed sender arrives", func(c *check) {
		a := offlineSession(c, "DATAGRAM2")
		b, u := c.forwards(newest, "DATAGRAM2", "")
		c.deliver(c.socket().send("3.3", a.id, b.public, ""), u.forwarded, newToken(), "").from(a.public, "FROM_PORT=0 TO_PORT=0")
	}, takesOffline},
	{datagram23, "3.3", "DATAGRAM3 is forwarded with the 44 characters of the sender's hash", func(c *check) {
		a, _ := c.forwards(newest, "DATAGRAM3", "")
		b, u := c.forwards(newest, "DATAGRAM3", "")
		c.acquaint("DATAGRAM3", a, b)
		c.deliver(c.socket().send("3.3", a.id, b.public, "FROM_PORT=9"), u.forwarded, newToken(), "").
			from(base64i2p.EncodeToString(hashOf(a.public)), "FROM_PORT=9 TO_PORT=0")
	}, "specified in 2025"},
	{datagram23, "3.3", "DATAGRAM3: the hash as a b32 address is looked up to a Destination, and the reply arrives", func(c *check) {
		a, back := c.forwards(newest, "DATAGRAM3", "")
		b, u := c.forwards(newest, "DATAGRAM3", "")
		r := c.deliver(c.socket().send("3.3", a.id, b.public, ""), u.forwarded, newToken(), "")
		hash, err := base64i2p.DecodeString(strings.Fields(r.line)[1])
		c.must(err)
		found := b.ask("NAMING LOOKUP NAME=%s", b32OfHash(hash)).is("NAMING REPLY", "RESULT=OK", "VALUE="+a.public)
		c.deliver(c.socket().send("3.3", b.id, found.options["VALUE"], ""), back.forwarded, newToken(), "")
	}, ""},
	{datagram23, "3.3", "a DATAGRAM session is not given datagrams of the other formats", func(c *check) {
		two := c.pair(newest, "DATAGRAM")
		a, _ := c.forwards(newest, "DATAGRAM2", "")
		c.acquaint("DATAGRAM2", a, two.b)
		c.socket().send("3.3", a.id, two.b.public, "")("lost")
		c.deliver(two.a.send("DATAGRAM", two.b.public, ""), two.b.received("DATAGRAM"), newToken(), "lost")
	}, ""},
}

// forwards is a session whose datagrams come to the socket.
func (c *check) forwards(version, style, options string) (*session, *socket) {
	u := c.socket()
	return c.create(version, style, u.here(options)), u
}

func datagram2(ports string) func(*check) {
	return func(c *check) {
		a, _ := c.forwards(newest, "DATAGRAM2", "")
		b, u := c.forwards(newest, "DATAGRAM2", "")
		c.acquaint("DATAGRAM2", a, b)
		want := ports
		if want == "" {
			want = "FROM_PORT=0 TO_PORT=0"
		}
		c.deliver(c.socket().send("3.3", a.id, b.public, ports), u.forwarded, newToken(), "").from(a.public, want)
	}
}
