package samconform

import (
	"crypto/tls"
)

const auth = "Authorization Configuration"

// authRows have a bridge that they change, one after the other, and leave it without users and
// with authorization off.
var authRows = []row{
	{auth, "3.2", "AUTH ADD with USER and PASSWORD is answered AUTH STATUS RESULT=OK", withAuth(func(c *check, d *conn) {
		d.asks("AUTH ADD USER=foo PASSWORD=bar").is("AUTH STATUS", "RESULT=OK")
		d.asks("AUTH REMOVE USER=foo").is("AUTH STATUS", "RESULT=OK")
	}), ""},
	{auth, "3.2", "AUTH ADD of a user that there is, is I2P_ERROR", withAuth(func(c *check, d *conn) {
		d.asks("AUTH ADD USER=foo PASSWORD=bar").is("AUTH STATUS", "RESULT=OK")
		d.asks("AUTH ADD USER=foo PASSWORD=baz").is("AUTH STATUS", "RESULT=I2P_ERROR")
		d.asks("AUTH REMOVE USER=foo").is("AUTH STATUS", "RESULT=OK")
	}), java},
	{auth, "3.2", "AUTH ADD without PASSWORD is I2P_ERROR", authError("AUTH ADD USER=foo"), ""},
	{auth, "3.2", "AUTH ADD without USER is I2P_ERROR", authError("AUTH ADD PASSWORD=bar"), ""},
	{auth, "3.2", "AUTH REMOVE of a user that there is not, is I2P_ERROR", authError("AUTH REMOVE USER=nobody"), ""},
	{auth, "3.2", "AUTH REMOVE without USER is I2P_ERROR", authError("AUTH REMOVE"), ""},
	{auth, "3.2", "another AUTH command is I2P_ERROR", authError("AUTH BREAK"), java},
	{auth, "3.2", "AUTH ENABLE: HELLO without USER and PASSWORD is I2P_ERROR from then on", enabled(func(c *check) {
		c.dialTo(c.aside).asks("HELLO VERSION").is("HELLO REPLY", "RESULT=I2P_ERROR")
	}), ""},
	{"Authorization", "3.2", "HELLO with a wrong PASSWORD is I2P_ERROR", enabled(func(c *check) {
		c.dialTo(c.aside).ask(`HELLO VERSION USER="foo" PASSWORD="wrong"`).is("HELLO REPLY", "RESULT=I2P_ERROR")
	}), ""},
	{"Authorization", "3.2", "HELLO with a wrong USER is I2P_ERROR", enabled(func(c *check) {
		c.dialTo(c.aside).ask(`HELLO VERSION USER="fool" PASSWORD="b a\"r"`).is("HELLO REPLY", "RESULT=I2P_ERROR")
	}), ""},
	{"Authorization", "3.2", "HELLO with the right USER and PASSWORD is OK; a quote in it is escaped", enabled(func(c *check) {
		c.dialTo(c.aside).asks(`HELLO VERSION MIN=3.2 MAX=3.2 USER="foo" PASSWORD="b a\"r"`).
			is("HELLO REPLY", "RESULT=OK", "VERSION=3.2")
	}), ""},
	{auth, "3.2", "AUTH REMOVE takes the user's access", enabled(func(c *check) {
		d := c.dialTo(c.aside)
		d.asks(`HELLO VERSION USER="foo" PASSWORD="b a\"r"`).is("HELLO REPLY", "RESULT=OK")
		d.asks("AUTH ADD USER=bar PASSWORD=foo").is("AUTH STATUS", "RESULT=OK")
		d.asks("AUTH REMOVE USER=bar").is("AUTH STATUS", "RESULT=OK")
		c.dialTo(c.aside).ask(`HELLO VERSION USER=bar PASSWORD=foo`).is("HELLO REPLY", "RESULT=I2P_ERROR")
	}), ""},
	{auth, "3.2", "AUTH DISABLE: HELLO needs no USER any more", enabled(func(c *check) {
		d := c.dialTo(c.aside)
		d.asks(`HELLO VERSION USER="foo" PASSWORD="b a\"r"`).is("HELLO REPLY", "RESULT=OK")
		d.asks("AUTH DISABLE").is("AUTH STATUS", "RESULT=OK")
		c.dialTo(c.aside).asks("HELLO VERSION").is("HELLO REPLY", "RESULT=OK")
		d.asks("AUTH ENABLE").is("AUTH STATUS", "RESULT=OK")
	}), ""},
}

// withAuth gives the row the bridge that may be changed, alone, and a connection to it.
func withAuth(f func(c *check, d *conn)) func(*check) {
	return func(c *check) {
		c.asideBusy.Lock()
		c.defers(c.asideBusy.Unlock)
		d := c.dialTo(c.aside)
		d.asks("HELLO VERSION MIN=3.2 MAX=3.2").is("HELLO REPLY", "RESULT=OK")
		f(c, d)
	}
}

func authError(line string) func(*check) {
	return withAuth(func(c *check, d *conn) { d.asks("%s", line).is("AUTH STATUS", "RESULT=I2P_ERROR") })
}

// enabled has the row in a bridge that asks for user foo with password b a"r.
func enabled(f func(c *check)) func(*check) {
	return withAuth(func(c *check, d *conn) {
		d.asks(`AUTH ADD USER="foo" PASSWORD="b a\"r"`).is("AUTH STATUS", "RESULT=OK")
		d.asks("AUTH ENABLE").is("AUTH STATUS", "RESULT=OK")
		admin := c.dialTo(c.aside)
		admin.ask(`HELLO VERSION USER="foo" PASSWORD="b a\"r"`).is("HELLO REPLY", "RESULT=OK")
		c.defers(func() {
			admin.asks("AUTH DISABLE").is("AUTH STATUS", "RESULT=OK")
			admin.asks("AUTH REMOVE USER=foo").is("AUTH STATUS", "RESULT=OK")
		})
		f(c)
	})
}

// dialTLS is dial to a socket with TLS, whose certificate is nobody's business here.
func (c *check) dialTLS(addr string) *conn {
	d := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // a test's own bridge
	raw, err := d.DialContext(c.ctx, "tcp", addr)
	c.must(err)
	c.defers(func() { raw.Close() })
	return c.wrap(raw)
}
