package samconform

import (
	"fmt"
	"strings"
)

const creation = "Session Creation Request"

var createRows = []row{
	{creation, "3.0", "STYLE=STREAM DESTINATION=TRANSIENT is answered OK with the private key", creates("3.0", "STREAM", ""), ""},
	{creation, "3.0", "STYLE=DATAGRAM", creates("3.0", "DATAGRAM", ""), ""},
	{creation, "3.0", "STYLE=RAW", creates("3.1", "RAW", ""), ""},
	{creation, "3.3", "STYLE=DATAGRAM2", creates(newest, "DATAGRAM2", "PORT=9 HOST=127.0.0.1"), "specified in 2025"},
	{creation, "3.3", "STYLE=DATAGRAM3", creates(newest, "DATAGRAM3", "PORT=9 HOST=127.0.0.1"), "specified in 2025"},
	{creation, "3.0", "STYLE=DATAGRAM with PORT and HOST", creates("3.0", "DATAGRAM", "PORT=9 HOST=127.0.0.1"), ""},
	{creation, "3.0", "STYLE=RAW with PORT alone", creates("3.1", "RAW", "PORT=9"), ""},
	{creation, "3.2", "FROM_PORT and TO_PORT", creates(newest, "STREAM", "FROM_PORT=80 TO_PORT=65535"), ""},
	{creation, "3.2", "STYLE=RAW with PROTOCOL and HEADER", creates(newest, "RAW", "PORT=9 PROTOCOL=200 HEADER=true"), ""},
	{creation, "3.0", "sam.udp.host and sam.udp.port are no error", creates(newest, "DATAGRAM",
		"PORT=9 sam.udp.host=127.0.0.1 sam.udp.port=7655"), "Java I2P only in the specification"},
	{creation, "3.0", "other options go to I2CP and streaming, known or not", creates(newest, "STREAM",
		`inbound.nickname="two words" outbound.nickname=x i2p.streaming.profile=1 foo.bar=baz i2cp.closeOnIdle=false`), ""},
	{creation, "3.0", "an unknown STYLE is I2P_ERROR", createError("STYLE=SEMAPHORE ID=%s DESTINATION=TRANSIENT", "I2P_ERROR"), ""},
	{creation, "3.0", "a missing STYLE is I2P_ERROR", createError("ID=%s DESTINATION=TRANSIENT", "I2P_ERROR"), ""},
	{creation, "3.0", "a missing ID is I2P_ERROR", createError("STYLE=STREAM DESTINATION=TRANSIENT", "I2P_ERROR|INVALID_ID"), ""},
	{creation, "3.2", "an empty ID is an error", createError(`STYLE=STREAM ID="" DESTINATION=TRANSIENT`, "I2P_ERROR|INVALID_ID"), ""},
	{creation, "3.2", "an ID with white space is an error", createError(`STYLE=STREAM ID="a b" DESTINATION=TRANSIENT`, "I2P_ERROR|INVALID_ID"), ""},
	{creation, "3.0", "a missing DESTINATION is an error", createError("STYLE=STREAM ID=%s", "I2P_ERROR|INVALID_KEY"), java + ": I2P_ERROR"},
	{creation, "3.0", "no options at all is I2P_ERROR", createError("", "I2P_ERROR"), java},
	{creation, "3.2", "FROM_PORT=65536 is I2P_ERROR", createError("STYLE=STREAM ID=%s DESTINATION=TRANSIENT FROM_PORT=65536", "I2P_ERROR"), ""},
	{creation, "3.2", "TO_PORT=-1 is I2P_ERROR", createError("STYLE=STREAM ID=%s DESTINATION=TRANSIENT TO_PORT=-1", "I2P_ERROR"), ""},
	{creation, "3.2", "FROM_PORT=http is I2P_ERROR", createError("STYLE=STREAM ID=%s DESTINATION=TRANSIENT FROM_PORT=http", "I2P_ERROR"), ""},
	{creation, "3.0", "PORT=70000 is I2P_ERROR", createError("STYLE=DATAGRAM ID=%s DESTINATION=TRANSIENT HOST=127.0.0.1 PORT=70000", "I2P_ERROR"), ""},
	badProtocol("6"), badProtocol("17"), badProtocol("19"), badProtocol("20"), badProtocol("256"),
	{creation, "3.0", "after a refused SESSION CREATE the connection takes another", func(c *check) {
		d := c.hello("3.1")
		d.asks("SESSION CREATE STYLE=STREAM ID=%s DESTINATION=rubbish", newID()).is("SESSION STATUS", "RESULT=INVALID_KEY")
		d.ask("%s", c.createLine("STREAM", newID(), "")).is("SESSION STATUS", "RESULT=OK", "DESTINATION")
	}, java},
	{creation, "3.0", "another SESSION command is I2P_ERROR", func(c *check) {
		c.hello(newest).asks("SESSION ATTACH ID=%s", newID()).is("SESSION STATUS", "RESULT=I2P_ERROR")
	}, java},
	{"SAM Sessions", "3.0", "a second SESSION CREATE on the same socket is I2P_ERROR", func(c *check) {
		two := c.pair(newest, "STREAM")
		two.a.asks("%s", c.createLine("STREAM", newID(), "")).is("SESSION STATUS", "RESULT=I2P_ERROR")
	}, java},
	{"Session Creation Response", "3.0", "an ID that is in use is DUPLICATED_ID", func(c *check) {
		two := c.pair(newest, "STREAM")
		c.hello("3.0").asks("%s", c.createLine("STREAM", two.a.id, "")).is("SESSION STATUS", "RESULT=DUPLICATED_ID")
	}, ""},
	{"Session Creation Response", "3.0", "a Destination that is in use is DUPLICATED_DEST", func(c *check) {
		two := c.pair(newest, "STREAM")
		c.hello("3.0").asks("%s", c.createLine("STREAM", newID(), "DESTINATION="+two.a.private)).
			is("SESSION STATUS", "RESULT=DUPLICATED_DEST")
	}, ""},
	{"Session Creation Response", "3.0", "DUPLICATED_ID leaves the session that has it alone", func(c *check) {
		two := c.pair(newest, "STREAM")
		c.hello("3.0").asks("%s", c.createLine("STREAM", two.a.id, "")).is("SESSION STATUS", "RESULT=DUPLICATED_ID")
		two.a.asks("NAMING LOOKUP NAME=ME").is("NAMING REPLY", "RESULT=OK", "VALUE="+two.a.public)
	}, ""},
}

// creates is a SESSION CREATE that must succeed.
func creates(version, style, options string) func(*check) {
	return func(c *check) {
		s := c.create(version, style, options)
		if got := c.typeOf(s.public); got != 7 {
			c.fail("signature type %d, want the 7 that was asked for", got)
		}
	}
}

// createError is a SESSION CREATE that must be refused with one of the results; %s in it is
// an ID.
func createError(options, results string) func(*check) {
	return func(c *check) {
		c.hello(newest).asks("SESSION CREATE %s", strings.ReplaceAll(options, "%s", newID())).
			is("SESSION STATUS", "RESULT="+results)
	}
}

func badProtocol(p string) row {
	return row{creation, "3.2", fmt.Sprintf("STYLE=RAW with PROTOCOL=%s is I2P_ERROR", p),
		createError("STYLE=RAW ID=%s DESTINATION=TRANSIENT PROTOCOL="+p, "I2P_ERROR"), ""}
}
