package samconform

import (
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// A next waits for the next datagram: what is said of it, and its content.
type next func(wait time.Duration) (about reply, body string, ok bool)

// deliver sends until the body arrives, since datagrams may be lost, and returns what is
// said of it. The forbidden body must not arrive meanwhile.
func (c *check) deliver(send func(body string), receive next, body, forbidden string) reply {
	for end := time.Now().Add(c.delivery); time.Now().Before(end); {
		send(body)
		for until := time.Now().Add(c.resend); time.Now().Before(until); {
			about, got, ok := receive(time.Until(until))
			switch {
			case ok && got == body:
				return about
			case ok && forbidden != "" && got == forbidden:
				c.fail("delivered what should not be: %s", about)
			}
		}
	}
	c.fail("no datagram arrived in %v", c.delivery)
	return reply{}
}

// send is DATAGRAM SEND or RAW SEND on the session's control socket.
func (s *session) send(verb, to, options string) func(body string) {
	return func(body string) {
		s.put(fmt.Sprintf("%s SEND DESTINATION=%s SIZE=%d %s\n%s", verb, to, len(body), options, body))
	}
}

// received is DATAGRAM RECEIVED or RAW RECEIVED on the session's control socket.
func (s *session) received(verb string) next {
	return func(wait time.Duration) (reply, string, bool) {
		r := s.hearIn(wait)
		if r.closed {
			s.c.fail("closed the session instead of %s RECEIVED", verb)
		}
		if r.ended != "" || r.verb != verb+" RECEIVED" {
			return r, "", false
		}
		size, err := strconv.Atoi(r.options["SIZE"])
		if err != nil || size < 0 || size > 1<<16 {
			s.c.fail("%s; want a SIZE", r)
		}
		body := make([]byte, size)
		_ = s.SetReadDeadline(time.Now().Add(s.c.quick))
		if _, err := io.ReadFull(s.in, body); err != nil {
			s.c.fail("%s and fewer bytes: %v", r, err)
		}
		return r, string(body), true
	}
}

// A socket is a UDP socket of the client: what it sends to the bridge and what is forwarded
// to it.
type socket struct {
	*net.UDPConn
	c    *check
	port int
}

func (c *check) socket() *socket {
	u, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	c.must(err)
	c.defers(func() { u.Close() })
	return &socket{u, c, u.LocalAddr().(*net.UDPAddr).Port}
}

// send is a datagram to the bridge's UDP port: a line, then the body.
func (u *socket) send(version, id, to, options string) func(body string) {
	bridge, err := net.ResolveUDPAddr("udp", u.c.udp)
	u.c.must(err)
	line := strings.TrimRight(fmt.Sprintf("%s %s %s %s", version, id, to, options), " ")
	return func(body string) {
		_, err := u.WriteTo([]byte(line+"\n"+body), bridge)
		u.c.must(err)
	}
}

// forwarded is what comes with a line before it.
func (u *socket) forwarded(wait time.Duration) (reply, string, bool) {
	r, packet, ok := u.plain(wait)
	if !ok {
		return r, "", false
	}
	line, body, ok := strings.Cut(packet, "\n")
	return parse(u.c, "FORWARDED "+line), body, ok
}

// plain is what comes without one.
func (u *socket) plain(wait time.Duration) (reply, string, bool) {
	_ = u.SetReadDeadline(time.Now().Add(wait))
	b := make([]byte, 1<<16)
	n, err := u.Read(b)
	return reply{c: u.c, line: "a datagram without a line"}, string(b[:n]), err == nil
}

// here are the options that have a session's datagrams forwarded to the socket.
func (u *socket) here(more string) string {
	return fmt.Sprintf("HOST=127.0.0.1 PORT=%d %s", u.port, more)
}

// from fails unless the line before a forwarded datagram has the Destination and after it
// exactly what is said.
func (r reply) from(destination, after string) {
	want := strings.TrimRight("FORWARDED "+destination+" "+after, " ")
	if r.line != want {
		r.c.fail("%s; want %s", r, redact(want))
	}
}
