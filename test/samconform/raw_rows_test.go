package samconform

import (
	"fmt"
	"strings"
	"time"
)

const rawSection = "SAM Anonymous (Raw) Datagrams"

var rawRows = []row{
	{v1Way, "3.1", "RAW SEND on the control socket arrives as RAW RECEIVED with SIZE", onRaws("3.1", func(c *check, a, b *session) {
		c.deliver(a.send("RAW", b.public, ""), b.received("RAW"), newToken(), "").
			is("RAW RECEIVED", "!DESTINATION", "!FROM_PORT", "!TO_PORT", "!PROTOCOL")
	}), ""},
	{rawSection, "3.2", "on 3.2 RAW RECEIVED has FROM_PORT, TO_PORT and PROTOCOL, which is 18", onRaws(newest, func(c *check, a, b *session) {
		c.deliver(a.send("RAW", b.public, ""), b.received("RAW"), newToken(), "").
			is("RAW RECEIVED", "FROM_PORT=0", "TO_PORT=0", "PROTOCOL=18")
	}), ""},
	{v1Way, "3.2", "FROM_PORT and TO_PORT of RAW SEND arrive", onRaws(newest, func(c *check, a, b *session) {
		c.deliver(a.send("RAW", b.public, "FROM_PORT=1 TO_PORT=2"), b.received("RAW"), newToken(), "").
			is("RAW RECEIVED", "FROM_PORT=1", "TO_PORT=2")
	}), ""},
	{v1Way, "3.2", "PROTOCOL of RAW SEND arrives at a session with that PROTOCOL", func(c *check) {
		two := c.pair(newest, "RAW")
		b := c.create(newest, "RAW", "PROTOCOL=199")
		c.acquaint("RAW", two.a, b)
		c.deliver(two.a.send("RAW", b.public, "PROTOCOL=199"), b.received("RAW"), newToken(), "").is("RAW RECEIVED", "PROTOCOL=199")
	}, ""},
	{"I2CP Ports and Protocol", "3.2", "PROTOCOL, FROM_PORT and TO_PORT of SESSION CREATE are the default of its raw datagrams", func(c *check) {
		a, b := c.create(newest, "RAW", "PROTOCOL=77 FROM_PORT=3 TO_PORT=4"), c.create(newest, "RAW", "PROTOCOL=77")
		c.acquaint("RAW", a, b)
		c.deliver(a.send("RAW", b.public, ""), b.received("RAW"), newToken(), "").
			is("RAW RECEIVED", "PROTOCOL=77", "FROM_PORT=3", "TO_PORT=4")
	}, ""},
	{v1Way, "3.3", "RAW SEND takes SEND_TAGS, TAG_THRESHOLD, EXPIRES and SEND_LEASESET", onRaws(newest, func(c *check, a, b *session) {
		c.deliver(a.send("RAW", b.public, "SEND_TAGS=1 TAG_THRESHOLD=1 EXPIRES=60 SEND_LEASESET=false"), b.received("RAW"), newToken(), "")
	}), ""},
	{rawSection, "3.1", "a raw datagram of 1 byte", onRaws(newest, func(c *check, a, b *session) {
		c.deliver(a.send("RAW", b.public, ""), b.received("RAW"), "!", "")
	}), ""},
	{rawSection, "3.1", "a raw datagram of 11,000 bytes", sized("RAW", 11000), ""},
	{rawSection, "3.1", "a raw datagram of 32,768 bytes, the most there may be", sized("RAW", 32768), ""},
	{rawSection, "3.1", "a raw datagram of 32,769 bytes is not sent", oversized("RAW", 32769), ""},
	{rawSection, "3.1", "a raw datagram of no bytes is not sent", oversized("RAW", 0), ""},
	{udpSending, "3.0", "a raw datagram to the UDP port", onRaws("3.1", func(c *check, a, b *session) {
		c.deliver(c.socket().send("3.0", a.id, b.public, ""), b.received("RAW"), newToken(), "").is("RAW RECEIVED")
	}), ""},
	{udpSending, "3.2", "FROM_PORT, TO_PORT and PROTOCOL in its first line", func(c *check) {
		two := c.pair(newest, "RAW")
		b := c.create(newest, "RAW", "PROTOCOL=201")
		c.acquaint("RAW", two.a, b)
		c.deliver(c.socket().send("3.2", two.a.id, b.public, "FROM_PORT=5 TO_PORT=6 PROTOCOL=201"), b.received("RAW"), newToken(), "").
			is("RAW RECEIVED", "FROM_PORT=5", "TO_PORT=6", "PROTOCOL=201")
	}, ""},
	{udpReceives, "3.0", "with PORT and HOST raw datagrams are forwarded as they are", forwardsRaw(""), ""},
	{udpReceives, "3.2", "HEADER=false is the default", forwardsRaw("HEADER=false"), ""},
	{udpReceives, "3.2", "HEADER=true: forwarded after a line FROM_PORT=nnn TO_PORT=nnn PROTOCOL=nnn", func(c *check) {
		two := c.pair(newest, "RAW")
		b, u := c.forwards(newest, "RAW", "HEADER=true")
		c.acquaint("RAW", two.a, b)
		r := c.deliver(two.a.send("RAW", b.public, "FROM_PORT=1 TO_PORT=2"), u.forwarded, newToken(), "")
		if r.line != "FORWARDED FROM_PORT=1 TO_PORT=2 PROTOCOL=18" {
			c.fail("%s; want FROM_PORT=1 TO_PORT=2 PROTOCOL=18", r)
		}
	}, ""},
	forbiddenProtocol(6), forbiddenProtocol(17), forbiddenProtocol(256),
}

// onRaws gives the row two RAW sessions.
func onRaws(version string, f func(c *check, a, b *session)) func(*check) {
	return func(c *check) {
		two := c.pair(version, "RAW")
		f(c, two.a, two.b)
	}
}

func forwardsRaw(options string) func(*check) {
	return func(c *check) {
		two := c.pair(newest, "RAW")
		b, u := c.forwards(newest, "RAW", options)
		c.acquaint("RAW", two.a, b)
		token := newToken()
		c.deliver(two.a.send("RAW", b.public, ""), func(wait time.Duration) (reply, string, bool) {
			r, body, ok := u.plain(wait)
			if strings.HasSuffix(body, token) && body != token {
				c.fail("something before the payload: %s", body[:len(body)-len(token)])
			}
			return r, body, ok
		}, token, "")
	}
}

// forbiddenProtocol is a RAW SEND with a PROTOCOL that it may not have. The bridge may end
// the connection.
func forbiddenProtocol(p int) row {
	return row{creation, "3.2", fmt.Sprintf("RAW SEND with PROTOCOL=%d is not sent", p), func(c *check) {
		two := c.pair(newest, "RAW")
		c.spoiled = true
		two.a.send("RAW", two.b.public, fmt.Sprintf("PROTOCOL=%d", p))("lost")
		r := two.a.hearIn(c.resend)
		if r.closed {
			return
		}
		if r.ended == "" {
			r.refused("RAW STATUS")
			if two.a.hearIn(c.resend).closed {
				return
			}
		}
		c.deliver(two.a.send("RAW", two.b.public, ""), two.b.received("RAW"), newToken(), "lost")
	}, ""}
}
