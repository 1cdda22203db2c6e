package samconform

import (
	"fmt"
	"time"
)

const handshake = "SAM Connection Handshake"

var helloRows = []row{
	greeting("3.0", "MIN=3.0 MAX=3.0 is answered RESULT=OK VERSION=3.0", "MIN=3.0 MAX=3.0", "3.0"),
	greeting("3.1", "MIN=3.1 MAX=3.1 is answered VERSION=3.1", "MIN=3.1 MAX=3.1", "3.1"),
	greeting("3.2", "MIN=3.2 MAX=3.2 is answered VERSION=3.2", "MIN=3.2 MAX=3.2", "3.2"),
	greeting("3.3", "MIN=3.3 MAX=3.3 is answered VERSION=3.3", "MIN=3.3 MAX=3.3", "3.3"),
	greeting("3.0", "the highest version that MIN and MAX allow is chosen", "MIN=3.0 MAX=3.2", "3.2"),
	greeting("3.3", "MAX may be above what the bridge has", "MIN=3.1 MAX=3.9", "3.3"),
	greeting("3.0", "MAX and MIN may come in any order", "MAX=3.1 MIN=3.0", "3.1"),
	greeting("3.1", "without MIN the version is at most MAX", "MAX=3.1", "3.1"),
	greeting("3.1", "without MAX it is the bridge's newest", "MIN=3.1", "3.3"),
	greeting("3.1", "without MIN and MAX it is the bridge's newest", "", "3.3"),
	greeting("3.1", "MIN=3 and MAX=3 may have a single digit", "MIN=3 MAX=3", "3.0|3.1|3.2|3.3"),
	greeting("3.1", "MIN=3 MAX=3.2: a single digit beside two", "MIN=3 MAX=3.2", "3.2"),
	{handshake, "3.0", "MIN above all that the bridge has is NOVERSION", noVersion("MIN=9.0 MAX=9.9"), ""},
	{handshake, "3.0", "MIN above MAX is NOVERSION", noVersion("MIN=3.3 MAX=3.0"), ""},
	{handshake, "3.0", "a MIN that is no version is I2P_ERROR or NOVERSION", func(c *check) {
		c.dial().asks("HELLO VERSION MIN=abc MAX=3.x").is("HELLO REPLY", "RESULT=I2P_ERROR|NOVERSION")
	}, ""},
	{handshake, "3.0", "what is no HELLO is answered HELLO REPLY RESULT=I2P_ERROR with a MESSAGE", func(c *check) {
		d := c.dial()
		d.asks("HELLO WORLD MIN=3.0 MAX=3.0").is("HELLO REPLY", "RESULT=I2P_ERROR")
	}, ""},
	{handshake, "3.0", "a command before HELLO is refused, and the connection ends", func(c *check) {
		d := c.dial()
		d.asks("NAMING LOOKUP NAME=ME").is("HELLO REPLY", "RESULT=I2P_ERROR")
		d.gone("after a command before HELLO")
	}, ""},
	{handshake, "3.0", "a second HELLO is not taken", func(c *check) {
		d := c.hello("3.1")
		d.asks("HELLO VERSION MIN=3.3 MAX=3.3").errorOrEnd()
	}, java + ": it ends the connection"},
	{handshake, "3.0", "HELLO that never comes is answered I2P_ERROR and the end, after a time", func(c *check) {
		d := c.dialTo(c.needs(c.impatient, "takes minutes where the time cannot be set"))
		d.hear().is("HELLO REPLY", "RESULT=I2P_ERROR")
		d.gone("after the time for HELLO")
	}, "optional in the specification"},
	{handshake, "3.2", "no command after HELLO is answered SESSION STATUS I2P_ERROR and the end, after a time", func(c *check) {
		d := c.dialTo(c.needs(c.impatient, "takes minutes where the time cannot be set"))
		d.asks("HELLO VERSION").is("HELLO REPLY", "RESULT=OK")
		d.hear().is("SESSION STATUS", "RESULT=I2P_ERROR")
		d.gone("after the time for the first command")
	}, "optional in the specification"},
	{"SSL", "3.2", "the control socket may be TLS", func(c *check) {
		d := c.dialTLS(c.needs(c.tls, "no TLS to be had"))
		d.asks("HELLO VERSION MIN=3.2 MAX=3.2").is("HELLO REPLY", "RESULT=OK", "VERSION=3.2")
		d.asks("DEST GENERATE SIGNATURE_TYPE=7").is("DEST REPLY", "PUB", "PRIV")
	}, "optional in the specification"},
}

// greeting is a row of one HELLO and the version that must come of it.
func greeting(since, says, options, version string) row {
	return row{handshake, since, says, func(c *check) {
		c.dial().asks("HELLO VERSION %s", options).is("HELLO REPLY", "RESULT=OK", "VERSION="+version)
	}, ""}
}

func noVersion(options string) func(c *check) {
	return func(c *check) { c.dial().asks("HELLO VERSION %s", options).is("HELLO REPLY", "RESULT=NOVERSION") }
}

// needs returns what the target has, or fails the row with why: what is optional counts as
// not supported where it cannot be had.
func (c *check) needs(has, why string) string {
	if has == "" {
		c.fail("%s", why)
	}
	return has
}

const encoding = "Encoding and Escaping"

// lineRows ask how lines are read. NAMING LOOKUP shows it best: its reply repeats the name.
var lineRows = []row{
	{encoding, "3.0", "options may come in any order", func(c *check) {
		c.generate("FOO=BAR SIGNATURE_TYPE=1", 1)
		c.generate("SIGNATURE_TYPE=1 FOO=BAR", 1)
	}, ""},
	{encoding, "3.2", "several spaces are as one", func(c *check) {
		c.hello(newest).asks("DEST   GENERATE    SIGNATURE_TYPE=7  ").is("DEST REPLY", "PUB", "PRIV")
	}, ""},
	{encoding, "3.2", "a value in quotes may have spaces", func(c *check) { c.echo(`"no such.i2p"`, "no such.i2p") }, ""},
	{encoding, "3.2", `\" in quotes is a quote`, func(c *check) { c.echo(`"no\"such.i2p"`, `no"such.i2p`) }, ""},
	{encoding, "3.2", `\\ in quotes is a backslash`, func(c *check) { c.echo(`"no\\such.i2p"`, `no\such.i2p`) }, ""},
	{encoding, "3.2", "a value may have quotes without need", func(c *check) {
		c.hello(newest).asks(`DEST GENERATE SIGNATURE_TYPE="7"`).is("DEST REPLY", "PUB", "PRIV")
	}, ""},
	{encoding, "3.2", "keys and values are UTF-8", func(c *check) { c.echo("bücher-日本.i2p", "bücher-日本.i2p") }, ""},
	{encoding, "3.2", "a value may contain =", func(c *check) { c.echo("a=b.i2p", "a=b.i2p") }, ""},
	{"Empty values", "3.2", "KEY without a value", empty("EMPTY"), "optional in the specification"},
	{"Empty values", "3.2", "KEY= without a value", empty("EMPTY="), "optional in the specification"},
	{"Empty values", "3.2", `KEY="" without a value`, empty(`EMPTY=""`), "optional in the specification"},
	{"Case Sensitivity", "3.2", "commands may be lower case", func(c *check) {
		d := c.dial()
		d.asks("hello version MIN=3.2 MAX=3.2").is("HELLO REPLY", "RESULT=OK")
		d.asks("dest generate SIGNATURE_TYPE=7").is("DEST REPLY", "PUB")
	}, "recommended in the specification"},
	{"Case Sensitivity", "3.0", "keys are case-sensitive", func(c *check) {
		c.hello(newest).asks("NAMING LOOKUP name=ME").refusedOrClosed("NAMING REPLY")
	}, ""},
	{encoding, "3.0", "a carriage return before the newline is no part of the line", func(c *check) {
		d := c.dial()
		d.asks("HELLO VERSION MIN=3.1 MAX=3.1\r").is("HELLO REPLY", "RESULT=OK", "VERSION=3.1")
		d.asks("DEST GENERATE SIGNATURE_TYPE=7\r").is("DEST REPLY", "PUB")
	}, java},
	{encoding, "3.0", "an empty line is passed over", func(c *check) {
		c.hello(newest).asks("\nDEST GENERATE SIGNATURE_TYPE=7").is("DEST REPLY", "PUB")
	}, java},
	{encoding, "3.0", "a line may come in pieces", func(c *check) {
		d := c.hello("3.0")
		for _, piece := range []string{"DE", "ST GENE", "RATE SIGNATURE_", "TYPE=7", "\n"} {
			d.put(piece)
			d.pause()
		}
		d.hearIn(c.quick).is("DEST REPLY", "PUB")
	}, ""},
	{encoding, "3.0", "two lines may come at once", func(c *check) {
		d := c.hello("3.1")
		d.put("DEST GENERATE SIGNATURE_TYPE=7\nDEST GENERATE SIGNATURE_TYPE=1\n")
		for _, want := range []int{7, 1} {
			if got := c.typeOf(d.hearIn(c.quick).is("DEST REPLY", "PUB").options["PUB"]); got != want {
				c.fail("a key of type %d, want %d", got, want)
			}
		}
	}, ""},
	{encoding, "3.0", "an unknown command is answered with an error, or ends the connection", func(c *check) {
		c.hello(newest).asks("MAKE COFFEE MILK=true").errorOrEnd()
	}, java + ": it ends the connection"},
	{encoding, "3.0", "a command of one word only is answered with an error, or ends the connection", func(c *check) {
		c.hello(newest).asks("SESSION").errorOrEnd()
	}, java + ": command not specified"},
	{encoding, "3.0", "a line without end does not hurt others", func(c *check) {
		d := c.hello(newest)
		flood := fmt.Sprintf("%01048576d", 7)
		_ = d.SetWriteDeadline(time.Now().Add(c.quick))
		for range 4 {
			if _, err := d.Write([]byte(flood)); err != nil {
				break
			}
		}
		c.hello(newest).asks("DEST GENERATE SIGNATURE_TYPE=7").is("DEST REPLY", "PUB")
	}, ""},
}

// pause gives what was put a packet of its own; that it mostly works is enough.
func (d *conn) pause() { <-time.After(5 * time.Millisecond) }

// echo looks a name up that nobody has, and wants it back as the bridge read it.
func (c *check) echo(spelled, want string) {
	r := c.hello(newest).ask("NAMING LOOKUP NAME=%s", spelled)
	r.is("NAMING REPLY", "RESULT=KEY_NOT_FOUND|INVALID_KEY")
	if r.options["NAME"] != want {
		c.fail("%s; want NAME to be %s", r, want)
	}
}

func empty(option string) func(*check) {
	return func(c *check) { c.generate(option+" SIGNATURE_TYPE=1", 1) }
}
