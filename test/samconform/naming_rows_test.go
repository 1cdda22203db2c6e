package samconform

import (
	"encoding/binary"
	"hash/crc32"
	"strings"
)

const (
	naming        = "Host Name Lookup"
	namingOptions = "Name Lookup Options"
)

var namingRows = []row{
	{naming, "3.0", "NAME=ME is the session's Destination", onPair(func(_ *check, a, _ *session) {
		a.asks("NAMING LOOKUP NAME=ME").is("NAMING REPLY", "RESULT=OK", "NAME=ME", "VALUE="+a.public)
	}), ""},
	{naming, "3.0", "NAME=ME without a session is an error", func(c *check) {
		c.hello("3.1").asks("NAMING LOOKUP NAME=ME").refusedOrClosed("NAMING REPLY")
	}, java},
	{naming, "3.0", "NAME in base64 is itself, without a session", func(c *check) {
		d := stranger("lookup")
		c.hello("3.0").asks("NAMING LOOKUP NAME=%s", d).is("NAMING REPLY", "RESULT=OK", "NAME="+d, "VALUE="+d)
	}, java},
	{naming, "3.0", "a b32 address on the session's socket", onPair(func(_ *check, a, b *session) {
		name := b32(b.public)
		a.ask("NAMING LOOKUP NAME=%s", name).is("NAMING REPLY", "RESULT=OK", "NAME="+name, "VALUE="+b.public)
	}), ""},
	{naming, "3.0", "a b32 address on another socket, without a session", func(c *check) {
		two := c.pair(newest, "STREAM")
		name := b32(two.b.public)
		c.hello("3.1").ask("NAMING LOOKUP NAME=%s", name).is("NAMING REPLY", "RESULT=OK", "NAME="+name, "VALUE="+two.b.public)
	}, "may fail in some implementations, says the specification"},
	{naming, "3.0", "a b32 address in upper case", onPair(func(_ *check, a, b *session) {
		name := strings.ToUpper(strings.TrimSuffix(b32(b.public), ".b32.i2p")) + ".b32.i2p"
		a.ask("NAMING LOOKUP NAME=%s", name).is("NAMING REPLY", "RESULT=OK", "VALUE="+b.public)
	}), java},
	{naming, "3.0", "a b32 address that nobody has is KEY_NOT_FOUND", func(c *check) {
		name := nobody("lookup")
		c.hello("3.1").ask("NAMING LOOKUP NAME=%s", name).is("NAMING REPLY", "RESULT=KEY_NOT_FOUND", "NAME="+name)
	}, ""},
	{naming, "3.0", "a host name", func(c *check) {
		if c.host == "" {
			c.skip("no host name is known on this network")
		}
		c.hello("3.1").ask("NAMING LOOKUP NAME=%s", c.host).is("NAMING REPLY", "RESULT=OK", "NAME="+c.host, "VALUE")
	}, ""},
	{naming, "3.0", "a host name that there is not is KEY_NOT_FOUND", func(c *check) {
		c.hello("3.1").ask("NAMING LOOKUP NAME=no-such-host.i2p").is("NAMING REPLY", "RESULT=KEY_NOT_FOUND", "NAME=no-such-host.i2p")
	}, ""},
	{naming, "3.0", "a name that is none is INVALID_KEY or KEY_NOT_FOUND", func(c *check) {
		c.hello("3.1").ask("NAMING LOOKUP NAME=!!").is("NAMING REPLY", "RESULT=INVALID_KEY|KEY_NOT_FOUND", "NAME=!!")
	}, ""},
	{naming, "3.0", "a b32 address that is too short is INVALID_KEY or KEY_NOT_FOUND", func(c *check) {
		c.hello("3.1").ask("NAMING LOOKUP NAME=abc.b32.i2p").is("NAMING REPLY", "RESULT=INVALID_KEY|KEY_NOT_FOUND", "NAME=abc.b32.i2p")
	}, ""},
	{naming, "3.0", "a b33 address that nobody has is KEY_NOT_FOUND", func(c *check) {
		name := b33Nobody()
		c.hello("3.1").ask("NAMING LOOKUP NAME=%s", name).is("NAMING REPLY", "RESULT=KEY_NOT_FOUND", "NAME="+name)
	}, ""},
	{naming, "3.0", "without NAME it is an error, or ends the connection", func(c *check) {
		c.hello("3.1").asks("NAMING LOOKUP").refusedOrClosed("NAMING REPLY")
	}, java},
	{naming, "3.0", "several lookups on one connection are answered in turn", func(c *check) {
		d, first, second := c.hello("3.1"), stranger("first"), stranger("second")
		d.put("NAMING LOOKUP NAME=" + first + "\nNAMING LOOKUP NAME=" + second + "\n")
		d.hear().is("NAMING REPLY", "RESULT=OK", "VALUE="+first)
		d.hear().is("NAMING REPLY", "RESULT=OK", "VALUE="+second)
	}, ""},
	{namingOptions, "3.3", "OPTIONS=true: the Destination, and options if the LeaseSet has any", onPair(func(_ *check, a, b *session) {
		a.ask("NAMING LOOKUP NAME=%s OPTIONS=true", b32(b.public)).is("NAMING REPLY", "RESULT=OK", "VALUE="+b.public)
	}), "router API 0.9.66"},
	{namingOptions, "3.3", "OPTIONS=true with NAME in base64", onPair(func(_ *check, a, b *session) {
		a.ask("NAMING LOOKUP NAME=%s OPTIONS=true", b.public).is("NAMING REPLY", "RESULT=OK", "NAME="+b.public, "VALUE="+b.public)
	}), "router API 0.9.66"},
	{namingOptions, "3.3", "OPTIONS=true and no LeaseSet is LEASESET_NOT_FOUND", func(c *check) {
		c.hello(newest).ask("NAMING LOOKUP NAME=%s OPTIONS=true", stranger("options")).
			is("NAMING REPLY", "RESULT=LEASESET_NOT_FOUND")
	}, "router API 0.9.66"},
	{namingOptions, "3.3", "OPTIONS=false is the default", func(c *check) {
		d := stranger("no options")
		c.hello(newest).asks("NAMING LOOKUP NAME=%s OPTIONS=false", d).is("NAMING REPLY", "RESULT=OK", "VALUE="+d)
	}, "router API 0.9.66"},
}

// b33Nobody is an address of an encrypted LeaseSet that there is not: a flags byte, the
// types of the unblinded and of the blinded key (7, 11), the key, the first three bytes
// masked by the CRC-32 of the key ("Encrypted LeaseSet", "b32").
func b33Nobody() string {
	key := hashOf(stranger("b33"))
	sum := binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE(key))
	b := append([]byte{0 ^ sum[0], 7 ^ sum[1], 11 ^ sum[2]}, key...)
	return base32i2p.EncodeToString(b) + ".b32.i2p"
}
