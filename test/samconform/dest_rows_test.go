package samconform

import (
	"fmt"
	"strings"
)

const generating = "Destination Key Generation"

var destRows = []row{
	generated("DSA_SHA1", 0), generated("ECDSA_SHA256_P256", 1), generated("ECDSA_SHA384_P384", 2), generated("ECDSA_SHA512_P521", 3),
	generated("RSA_SHA256_2048", 4), generated("RSA_SHA384_3072", 5), generated("RSA_SHA512_4096", 6),
	generated("EdDSA_SHA512_Ed25519", 7), generated("EdDSA_SHA512_Ed25519ph", 8), generated("RedDSA_SHA512_Ed25519", 11),
	{generating, "3.1", "a name of a SIGNATURE_TYPE in lower case", func(c *check) { c.generate("SIGNATURE_TYPE=eddsa_sha512_ed25519", 7) }, ""},
	{generating, "3.0", "without SIGNATURE_TYPE it is DSA_SHA1 or Ed25519", func(c *check) {
		r := c.hello("3.0").asks("DEST GENERATE").is("DEST REPLY", "PUB", "PRIV")
		if t := c.typeOf(r.options["PUB"]); t != 0 && t != 7 {
			c.fail("type %d", t)
		}
	}, "the default is DSA_SHA1, \"which is NOT what you want\""},
	{generating, "3.1", "an unknown SIGNATURE_TYPE is I2P_ERROR", func(c *check) {
		c.hello("3.1").asks("DEST GENERATE SIGNATURE_TYPE=99").is("DEST REPLY", "RESULT=I2P_ERROR")
	}, java},
	{generating, "3.0", "two are not the same", func(c *check) {
		d := c.hello("3.1")
		one := d.asks("DEST GENERATE SIGNATURE_TYPE=7").is("DEST REPLY", "PUB").options["PUB"]
		if two := d.asks("DEST GENERATE SIGNATURE_TYPE=7").is("DEST REPLY", "PUB").options["PUB"]; one == two {
			c.fail("the same Destination twice")
		}
	}, ""},
	{generating, "3.0", "another DEST command is an error, or ends the connection", func(c *check) {
		c.hello("3.1").asks("DEST ROY").errorOrEnd()
	}, java},
}

// generated is DEST GENERATE of a type by its name and by its number.
func generated(name string, number int) row {
	return row{generating, "3.1", fmt.Sprintf("SIGNATURE_TYPE=%s and =%d", name, number), func(c *check) {
		c.generate("SIGNATURE_TYPE="+name, number)
		c.generate(fmt.Sprintf("SIGNATURE_TYPE=%d", number), number)
	}, ""}
}

// generate wants keys of the type: PUB with it, and PRIV that is PUB, 256 bytes and a
// signing key of the type's size.
func (c *check) generate(options string, want int) {
	r := c.hello("3.1").ask("DEST GENERATE %s", options).is("DEST REPLY", "PUB", "PRIV")
	if got := c.typeOf(r.options["PUB"]); got != want {
		c.fail("%s: a key of type %d", options, got)
	}
	private, err := base64i2p.DecodeString(r.options["PRIV"])
	public, _ := base64i2p.DecodeString(r.options["PUB"])
	if err != nil || !strings.HasPrefix(string(private), string(public)) {
		c.fail("%s: PRIV does not begin with PUB (%v)", options, err)
	}
	if n := len(private) - len(public); n != 256+privateSizes[want] {
		c.fail("%s: %d bytes of private keys, want 256 and %d", options, n, privateSizes[want])
	}
}
