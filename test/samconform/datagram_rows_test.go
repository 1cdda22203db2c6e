package samconform

import (
	"fmt"
	"strings"
)

const (
	v1Way       = "DATAGRAM SEND, RAW SEND (V1/V2 Compatible Datagram Handling)"
	receiving   = "SAM Repliable Datagrams : Receiving a Datagram"
	udpSending  = "Sending Repliable or Raw Datagrams"
	udpReceives = "Forwarding Raw or Repliable Datagrams"
)

var datagramRows = []row{
	{v1Way, "3.0", "DATAGRAM SEND on the control socket arrives as DATAGRAM RECEIVED with DESTINATION and SIZE", onDatagrams("3.1", func(c *check, a, b *session) {
		c.deliver(a.send("DATAGRAM", b.public, ""), b.received("DATAGRAM"), newToken(), "").
			is("DATAGRAM RECEIVED", "DESTINATION="+a.public, "!FROM_PORT", "!TO_PORT")
	}), ""},
	{receiving, "3.2", "on 3.2 DATAGRAM RECEIVED has FROM_PORT and TO_PORT", onDatagrams("3.2", func(c *check, a, b *session) {
		c.deliver(a.send("DATAGRAM", b.public, ""), b.received("DATAGRAM"), newToken(), "").
			is("DATAGRAM RECEIVED", "DESTINATION="+a.public, "FROM_PORT=0", "TO_PORT=0")
	}), ""},
	{v1Way, "3.2", "FROM_PORT and TO_PORT of DATAGRAM SEND arrive", onDatagrams(newest, func(c *check, a, b *session) {
		c.deliver(a.send("DATAGRAM", b.public, "FROM_PORT=1000 TO_PORT=65535"), b.received("DATAGRAM"), newToken(), "").
			is("DATAGRAM RECEIVED", "FROM_PORT=1000", "TO_PORT=65535")
	}), ""},
	{"I2CP Ports and Protocol", "3.2", "FROM_PORT and TO_PORT of SESSION CREATE are the default of its datagrams", func(c *check) {
		s, two := c.create(newest, "DATAGRAM", "FROM_PORT=21 TO_PORT=22"), c.pair(newest, "DATAGRAM")
		c.deliver(s.send("DATAGRAM", two.b.public, ""), two.b.received("DATAGRAM"), newToken(), "").
			is("DATAGRAM RECEIVED", "FROM_PORT=21", "TO_PORT=22")
		c.deliver(s.send("DATAGRAM", two.b.public, "TO_PORT=23"), two.b.received("DATAGRAM"), newToken(), "").
			is("DATAGRAM RECEIVED", "FROM_PORT=21", "TO_PORT=23")
	}, ""},
	{v1Way, "3.3", "SEND_TAGS, TAG_THRESHOLD, EXPIRES and SEND_LEASESET are taken", onDatagrams(newest, func(c *check, a, b *session) {
		c.deliver(a.send("DATAGRAM", b.public, "SEND_TAGS=10 TAG_THRESHOLD=5 EXPIRES=30 SEND_LEASESET=true"),
			b.received("DATAGRAM"), newToken(), "").is("DATAGRAM RECEIVED")
	}), ""},
	{v1Way, "3.1", "DESTINATION may be a b32 address", onDatagrams(newest, func(c *check, a, b *session) {
		c.deliver(a.send("DATAGRAM", b32(b.public), ""), b.received("DATAGRAM"), newToken(), "")
	}), java},
	{v1Way, "3.0", "a datagram of 1 byte", onDatagrams(newest, func(c *check, a, b *session) {
		c.deliver(a.send("DATAGRAM", b.public, ""), b.received("DATAGRAM"), "!", "")
	}), ""},
	{v1Way, "3.0", "a datagram of any bytes, newlines and zeros too", onDatagrams(newest, func(c *check, a, b *session) {
		c.deliver(a.send("DATAGRAM", b.public, ""), b.received("DATAGRAM"), "\n\x00\xffDATAGRAM SEND\n"+newToken(), "")
	}), ""},
	{v1Way, "3.0", "a datagram of 11,000 bytes", sized("DATAGRAM", 11000), ""},
	{udpSending, "3.0", "a datagram of 31,744 bytes, the most there may be", sized("DATAGRAM", 31744), ""},
	{udpSending, "3.0", "a datagram of 31,745 bytes is not sent", oversized("DATAGRAM", 31745), ""},
	{udpSending, "3.0", "a datagram of no bytes is not sent", oversized("DATAGRAM", 0), ""},
	{v1Way, "3.0", "DATAGRAM SEND without SIZE, or with a bad one, ends the connection or is an error", func(c *check) {
		s := c.create(newest, "DATAGRAM", "")
		for _, size := range []string{"", "SIZE=-1", "SIZE=many"} {
			r := s.asks("DATAGRAM SEND DESTINATION=%s %s", stranger("size"), size)
			if r.closed {
				return
			}
			r.refused("DATAGRAM STATUS")
		}
	}, java + ": it ends the connection"},
	{v1Way, "3.0", "DATAGRAM SEND to a DESTINATION that is none does not stop later ones", onDatagrams(newest, func(c *check, a, b *session) {
		a.send("DATAGRAM", "rubbish", "")("lost")
		c.deliver(a.send("DATAGRAM", b.public, ""), b.received("DATAGRAM"), newToken(), "lost")
	}), ""},
	{v1Way, "3.0", "the reply to the sender's Destination arrives", onDatagrams(newest, func(c *check, a, b *session) {
		r := c.deliver(a.send("DATAGRAM", b.public, ""), b.received("DATAGRAM"), newToken(), "")
		c.deliver(b.send("DATAGRAM", r.options["DESTINATION"], ""), a.received("DATAGRAM"), newToken(), "")
	}), ""},
}

// datagramUDPRows go through the bridge's UDP port, or arrive at one of the client's.
var datagramUDPRows = []row{
	{udpSending, "3.0", "a datagram to the UDP port: 3.0 $nickname $destination", overUDP(newest, "3.0", ""), ""},
	{udpSending, "3.2", "its first line may begin with 3.1", overUDP(newest, "3.1", ""), ""},
	{udpSending, "3.2", "its first line may begin with 3.2", overUDP(newest, "3.2", ""), ""},
	{udpSending, "3.2", "its first line may begin with 3.3", overUDP(newest, "3.3", ""), ""},
	{udpSending, "3.2", "FROM_PORT and TO_PORT in its first line", overUDP(newest, "3.2", "FROM_PORT=77 TO_PORT=78"), ""},
	{udpSending, "3.3", "SEND_TAGS, TAG_THRESHOLD, EXPIRES and SEND_LEASESET in its first line",
		overUDP(newest, "3.3", "SEND_TAGS=10 TAG_THRESHOLD=5 EXPIRES=30 SEND_LEASESET=true"), ""},
	{udpSending, "3.1", "$destination may be a b32 address", onDatagrams(newest, func(c *check, a, b *session) {
		c.deliver(c.socket().send("3.0", a.id, b32(b.public), ""), b.received("DATAGRAM"), newToken(), "")
	}), "Java I2P only, says the specification"},
	{udpSending, "3.0", "an unknown nickname, no line and rubbish hurt nobody", onDatagrams(newest, func(c *check, a, b *session) {
		u := c.socket()
		u.send("3.0", newID(), b.public, "")("lost")
		u.send("9.9", a.id, b.public, "")("lost")
		u.send("\x00", "", "", "")("lost")
		c.deliver(u.send("3.0", a.id, b.public, ""), b.received("DATAGRAM"), newToken(), "lost")
	}), ""},
	{udpSending, "3.0", "31,744 bytes to the UDP port", onDatagrams(newest, func(c *check, a, b *session) {
		c.deliver(c.socket().send("3.0", a.id, b.public, ""), b.received("DATAGRAM"), noise(31744), "")
	}), ""},
	{udpReceives, "3.0", "with PORT and HOST datagrams are forwarded there, after a line with the sender's Destination", forwardsDatagrams("3.1", ""), ""},
	{udpReceives, "3.2", "on 3.2 that line has FROM_PORT and TO_PORT too", forwardsDatagrams(newest, "FROM_PORT=5 TO_PORT=6"), ""},
	{udpReceives, "3.0", "without HOST it is the address of the control socket", func(c *check) {
		u, two := c.socket(), c.pair(newest, "DATAGRAM")
		b := c.create(newest, "DATAGRAM", fmt.Sprintf("PORT=%d", u.port))
		c.acquaint("DATAGRAM", two.a, b)
		c.deliver(two.a.send("DATAGRAM", b.public, ""), u.forwarded, newToken(), "")
	}, ""},
	{udpReceives, "3.0", "what is forwarded is not on the control socket", func(c *check) {
		u, two := c.socket(), c.pair(newest, "DATAGRAM")
		b := c.create(newest, "DATAGRAM", u.here(""))
		c.acquaint("DATAGRAM", two.a, b)
		c.deliver(two.a.send("DATAGRAM", b.public, ""), u.forwarded, newToken(), "")
		b.quiet("the control socket of a session that forwards")
	}, ""},
}

// onDatagrams gives the row two DATAGRAM sessions.
func onDatagrams(version string, f func(c *check, a, b *session)) func(*check) {
	return func(c *check) {
		two := c.pair(version, "DATAGRAM")
		f(c, two.a, two.b)
	}
}

func sized(style string, size int) func(*check) {
	return func(c *check) {
		two := c.pair(newest, style)
		r := c.deliver(two.a.send(style, two.b.public, ""), two.b.received(style), noise(size), "")
		r.is(style+" RECEIVED", fmt.Sprintf("SIZE=%d", size))
	}
}

// oversized sends what is too large or too small. The bridge may end the connection; if it
// does not, later datagrams arrive and this one does not.
func oversized(style string, size int) func(*check) {
	return func(c *check) {
		two := c.pair(newest, style)
		c.spoiled = true
		bad := noise(size)
		two.a.send(style, two.b.public, "")(bad)
		r := two.a.hearIn(c.resend)
		if r.closed {
			return
		}
		if r.ended == "" {
			r.refused(style + " STATUS")
			if two.a.hearIn(c.resend).closed {
				return
			}
		}
		about := c.deliver(two.a.send(style, two.b.public, ""), two.b.received(style), newToken(), bad)
		if size == 0 && about.has("SIZE=0") {
			c.fail("%s", about)
		}
	}
}

// overUDP sends through the bridge's UDP port.
func overUDP(version, first, options string) func(*check) {
	return onDatagrams(version, func(c *check, a, b *session) {
		r := c.deliver(c.socket().send(first, a.id, b.public, options), b.received("DATAGRAM"), newToken(), "")
		r.is("DATAGRAM RECEIVED", "DESTINATION="+a.public)
		if strings.Contains(options, "PORT") {
			r.is("DATAGRAM RECEIVED", strings.Fields(options)...)
		}
	})
}

func forwardsDatagrams(version, ports string) func(*check) {
	return func(c *check) {
		u, two := c.socket(), c.pair(newest, "DATAGRAM")
		b := c.create(version, "DATAGRAM", u.here(""))
		c.acquaint("DATAGRAM", two.a, b)
		token := newToken()
		c.deliver(two.a.send("DATAGRAM", b.public, ports), u.forwarded, token, "").from(two.a.public, ports)
	}
}
