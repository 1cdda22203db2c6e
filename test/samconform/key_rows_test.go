package samconform

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/binary"
	"time"
)

var keyRows = []row{
	{creation, "3.1", "SIGNATURE_TYPE=1 by number", ofType("1", 1), ""},
	{creation, "3.1", "SIGNATURE_TYPE=EdDSA_SHA512_Ed25519 by name", ofType("EdDSA_SHA512_Ed25519", 7), ""},
	{creation, "3.1", "SIGNATURE_TYPE=ecdsa_sha384_p384 in lower case", ofType("ecdsa_sha384_p384", 2), ""},
	{creation, "3.1", "SIGNATURE_TYPE=DSA_SHA1", ofType("DSA_SHA1", 0), ""},
	{creation, "3.1", "SIGNATURE_TYPE=RedDSA_SHA512_Ed25519", ofType("RedDSA_SHA512_Ed25519", 11), ""},
	{creation, "3.1", "an unknown SIGNATURE_TYPE is I2P_ERROR",
		createError("STYLE=STREAM ID=%s DESTINATION=TRANSIENT SIGNATURE_TYPE=ROT13", "I2P_ERROR"), java},
	{creation, "3.0", "without SIGNATURE_TYPE the key is DSA_SHA1 or Ed25519", func(c *check) {
		d := c.hello("3.0")
		r := d.ask("SESSION CREATE STYLE=STREAM ID=%s DESTINATION=TRANSIENT %s", newID(), c.params).is("SESSION STATUS", "RESULT=OK")
		if t := c.typeOf(c.public(r.options["DESTINATION"])); t != 0 && t != 7 {
			c.fail("type %d", t)
		}
	}, "the default is DSA_SHA1, \"which is NOT what you want\""},
	{creation, "3.0", "a private key of DEST GENERATE makes that Destination, and comes back in the reply", func(c *check) {
		r := c.hello("3.1").asks("DEST GENERATE SIGNATURE_TYPE=7").is("DEST REPLY", "PUB", "PRIV")
		s := c.create("3.1", "STREAM", "DESTINATION="+r.options["PRIV"])
		if s.public != r.options["PUB"] || s.private != r.options["PRIV"] {
			c.fail("another key came back: %s", redact(s.private))
		}
	}, ""},
	{creation, "3.0", "a private key with zeros for the unused encryption key is taken", func(c *check) {
		r := c.hello("3.1").asks("DEST GENERATE SIGNATURE_TYPE=7").is("DEST REPLY", "PUB", "PRIV")
		b, _ := base64i2p.DecodeString(r.options["PRIV"])
		clear(b[destinationSize(b):][:256])
		if s := c.create("3.1", "STREAM", "DESTINATION="+base64i2p.EncodeToString(b)); s.public != r.options["PUB"] {
			c.fail("another Destination came of it")
		}
	}, ""},
	{"Session Creation Response", "3.0", "DESTINATION=rubbish is INVALID_KEY",
		createError("STYLE=STREAM ID=%s DESTINATION=rubbish", "INVALID_KEY"), ""},
	{"Session Creation Response", "3.0", "a public Destination is INVALID_KEY",
		createError("STYLE=STREAM ID=%s DESTINATION="+stranger("public"), "INVALID_KEY"), ""},
	{"Session Creation Response", "3.0", "a private key that is cut off is INVALID_KEY", func(c *check) {
		r := c.hello("3.1").asks("DEST GENERATE SIGNATURE_TYPE=7").is("DEST REPLY", "PRIV")
		createError("STYLE=STREAM ID=%s DESTINATION="+r.options["PRIV"][:880], "INVALID_KEY")(c)
	}, ""},
	{creation, "3.3", "STYLE=STREAM with an offline-signed key: the same comes back", offline("STREAM", ""), takesOffline},
	{creation, "3.3", "STYLE=RAW with an offline-signed key", offline("RAW", "PORT=9 HOST=127.0.0.1"), takesOffline},
	{creation, "3.3", "STYLE=DATAGRAM2 with an offline-signed key", offline("DATAGRAM2", "PORT=9 HOST=127.0.0.1"), takesOffline},
	{creation, "3.3", "STYLE=DATAGRAM3 with an offline-signed key", offline("DATAGRAM3", "PORT=9 HOST=127.0.0.1"), takesOffline},
	{creation, "3.3", "STYLE=DATAGRAM with an offline-signed key is an error", func(c *check) {
		c.hello(newest).ask("%s", c.createLine("DATAGRAM", newID(), "DESTINATION="+offlineKey(time.Now().Add(24*time.Hour)))).
			refused("SESSION STATUS")
	}, ""},
	{creation, "3.3", "an offline-signed key that has expired is an error", func(c *check) {
		c.hello(newest).ask("%s", c.createLine("STREAM", newID(), "DESTINATION="+offlineKey(time.Now().Add(-time.Hour)))).
			refused("SESSION STATUS")
	}, ""},
	{creation, "3.3", "an offline signature that is forged is INVALID_KEY", func(c *check) {
		b, _ := base64i2p.DecodeString(offlineKey(time.Now().Add(24 * time.Hour)))
		b[len(b)-40] ^= 1 // in the signature, before 32 bytes of transient key
		c.hello(newest).ask("%s", c.createLine("STREAM", newID(), "DESTINATION="+base64i2p.EncodeToString(b))).
			is("SESSION STATUS", "RESULT=INVALID_KEY")
	}, ""},
}

// takesOffline is the note of rows with offline-signed keys.
const takesOffline = "a bridge over I2CP needs routers that take them: Java I2P does, i2pd does not"

// ofType is a session whose new key must have the type.
func ofType(name string, want int) func(*check) {
	return func(c *check) {
		d := c.hello("3.1")
		r := d.ask("SESSION CREATE STYLE=STREAM ID=%s DESTINATION=TRANSIENT SIGNATURE_TYPE=%s %s", newID(), name, c.params)
		r.is("SESSION STATUS", "RESULT=OK", "DESTINATION")
		if got := c.typeOf(c.public(r.options["DESTINATION"])); got != want {
			c.fail("signature type %d, want %d", got, want)
		}
	}
}

func offline(style, options string) func(*check) {
	return func(c *check) {
		key := offlineKey(time.Now().Add(24 * time.Hour))
		if s := c.create(newest, style, "DESTINATION="+key+" "+options); s.private != key {
			c.fail("another key came back")
		}
	}
}

// offlineKey makes an Ed25519 Destination whose own key stays away: the Destination, 256
// bytes, 32 zeros for the signing key, then when it expires (4, seconds), the type of the
// transient key (2), that key, the signature of these three, and the transient private key.
func offlineKey(expires time.Time) string {
	public, private, _ := ed25519.GenerateKey(rand.Reader)
	transientPublic, transientPrivate, _ := ed25519.GenerateKey(rand.Reader)
	b, _ := base64i2p.DecodeString(stranger(""))
	copy(b[384-32:], public)
	b = append(b, make([]byte, 256+32)...)
	begin := len(b)
	b = binary.BigEndian.AppendUint32(b, uint32(expires.Unix()))
	b = append(binary.BigEndian.AppendUint16(b, 7), transientPublic...)
	b = append(b, ed25519.Sign(private, b[begin:])...)
	return base64i2p.EncodeToString(append(b, transientPrivate.Seed()...))
}

const lifetime = "Session Creation Response"

var lifeRows = []row{
	{lifetime, "3.0", "when the socket is closed the ID is free again", func(c *check) {
		s := c.create("3.1", "STREAM", "")
		s.Close()
		c.until("the ID is free", func() bool {
			return c.hello("3.1").ask("%s", c.createLine("STREAM", s.id, "")).has("RESULT=OK")
		})
	}, ""},
	{lifetime, "3.0", "when the socket is closed the Destination is free again", func(c *check) {
		s := c.create("3.1", "STREAM", "")
		s.Close()
		c.until("the Destination is free", func() bool {
			return c.hello("3.1").ask("%s", c.createLine("STREAM", newID(), "DESTINATION="+s.private)).has("RESULT=OK")
		})
	}, ""},
	{lifetime, "3.0", "when the socket is closed the session's streams end", func(c *check) {
		s := c.create(newest, "STREAM", "")
		two := c.pair(newest, "STREAM")
		near, far := c.stream(two.a, s)
		s.Close()
		near.gone("a stream to a session that ended")
		far.gone("a stream of a session that ended")
	}, ""},
	{lifetime, "3.0", "when the socket is closed the session's pending ACCEPTs end", func(c *check) {
		s := c.create(newest, "STREAM", "")
		d := c.accept(s, "")
		s.Close()
		d.gone("an ACCEPT of a session that ended")
	}, ""},
	{lifetime, "3.0", "when the socket is closed its ID is INVALID_ID", func(c *check) {
		s := c.create(newest, "STREAM", "")
		s.Close()
		c.until("INVALID_ID", func() bool { return c.hello(newest).asks("STREAM ACCEPT ID=%s", s.id).has("RESULT=INVALID_ID") })
	}, ""},
}

// offlineSession is a session of an offline-signed key that nothing is forwarded from.
func offlineSession(c *check, style string) *session {
	u := c.socket()
	return c.create(newest, style, u.here("DESTINATION="+offlineKey(time.Now().Add(24*time.Hour))))
}
