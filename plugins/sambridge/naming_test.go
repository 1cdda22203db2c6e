package sambridge

import (
	"strings"
	"testing"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/simnet"
)

func TestNaming(t *testing.T) {
	w := newWorld(t, nil)
	c, none := w.session("STYLE=RAW ID=a"), w.hello()
	dest := w.bridge.sessions.find("", "a").Hosted.Keys().Destination
	w.network.SetName("site.i2p", dest.Hash())
	w.until("it is in the netDB", func() bool {
		_, ok := w.network.Lookup(dest.Hash())
		return ok
	})
	b33 := strings.Repeat("a", 56) + ".b32.i2p"
	nobody := i2p.Hash{1}.Base32()
	ok := func(name string) string { return "RESULT=OK NAME=" + name + " VALUE=" + dest.Base64() }
	for _, q := range []struct{ ask, session, without string }{
		{"NAME=ME", ok("ME"), "RESULT=KEY_NOT_FOUND NAME=ME MESSAGE=*"},
		{"NAME=ME OPTIONS=true", ok("ME"), "RESULT=KEY_NOT_FOUND NAME=ME MESSAGE=*"},
		{"NAME=site.i2p", ok("site.i2p"), ok("site.i2p")},
		{"NAME=" + dest.Base32(), ok(dest.Base32()), ok(dest.Base32())},
		{"NAME=" + strings.ToUpper(dest.Base32()), ok(strings.ToUpper(dest.Base32())), ok(strings.ToUpper(dest.Base32()))},
		{"NAME=" + dest.Base64(), ok(dest.Base64()), ok(dest.Base64())},
		{"NAME=site.i2p OPTIONS=true", ok("site.i2p"), ok("site.i2p")},
		{"NAME=" + dest.Base64() + " OPTIONS=true", ok(dest.Base64()), ok(dest.Base64())},
		{"NAME=nobody.i2p", "RESULT=KEY_NOT_FOUND NAME=nobody.i2p MESSAGE=*", "RESULT=KEY_NOT_FOUND NAME=nobody.i2p MESSAGE=*"},
		{"NAME=nobody.i2p OPTIONS=true", "RESULT=KEY_NOT_FOUND NAME=nobody.i2p MESSAGE=*", "RESULT=KEY_NOT_FOUND NAME=nobody.i2p MESSAGE=*"},
		{"NAME=" + nobody, "RESULT=KEY_NOT_FOUND NAME=" + nobody + " MESSAGE=*", "RESULT=KEY_NOT_FOUND NAME=" + nobody + " MESSAGE=*"},
		{"NAME=" + nobody + " OPTIONS=true", "RESULT=LEASESET_NOT_FOUND NAME=" + nobody + " MESSAGE=*", "RESULT=LEASESET_NOT_FOUND NAME=" + nobody + " MESSAGE=*"},
		{"NAME=" + b33, "RESULT=KEY_NOT_FOUND NAME=" + b33 + " MESSAGE=*", "RESULT=KEY_NOT_FOUND NAME=" + b33 + " MESSAGE=*"},
		{"NAME=a.b32.i2p", "RESULT=INVALID_KEY NAME=a.b32.i2p MESSAGE=*", "RESULT=INVALID_KEY NAME=a.b32.i2p MESSAGE=*"},
		{"NAME=example.com", "RESULT=INVALID_KEY NAME=example.com MESSAGE=*", "RESULT=INVALID_KEY NAME=example.com MESSAGE=*"},
		{"NAME=\"a b.i2p\"", "RESULT=INVALID_KEY NAME=\"a b.i2p\" MESSAGE=*", "RESULT=INVALID_KEY NAME=\"a b.i2p\" MESSAGE=*"},
		{"NAME=" + strings.Repeat("!", 516), "RESULT=INVALID_KEY*", "RESULT=INVALID_KEY*"},
		{"", "RESULT=INVALID_KEY*", "RESULT=INVALID_KEY*"},
		{"NAME=site.i2p OPTIONS=perhaps", "RESULT=I2P_ERROR NAME=site.i2p*", "RESULT=I2P_ERROR NAME=site.i2p*"},
	} {
		c.talk("NAMING LOOKUP "+q.ask, "NAMING REPLY "+q.session)
		none.talk("NAMING LOOKUP "+q.ask, "NAMING REPLY "+q.without)
	}
}

// The options of a LeaseSet are told where the routers tell them: with a session or without
// one, by name and of oneself.
func TestNamingOptions(t *testing.T) {
	inWorldOf(t, simnet.JavaI2P, nil, func(w *world) {
		c, none := w.session(`STYLE=RAW ID=a i2cp.leaseSetOption.0="_web._tcp=0 7 80 site"`), w.hello()
		dest := w.bridge.sessions.find("", "a").Hosted.Keys().Destination
		w.network.SetName("site.i2p", dest.Hash())
		w.until("it is in the netDB", func() bool {
			_, ok := w.network.Lookup(dest.Hash())
			return ok
		})
		want := " VALUE=" + dest.Base64() + ` OPTION:_web._tcp="0 7 80 site"`
		for _, name := range []string{"ME", "site.i2p", dest.Base32()} {
			c.talk("NAMING LOOKUP OPTIONS=true NAME="+name, "NAMING REPLY RESULT=OK NAME="+name+want)
			if name != "ME" {
				none.talk("NAMING LOOKUP OPTIONS=true NAME="+name, "NAMING REPLY RESULT=OK NAME="+name+want)
			}
			c.talk("NAMING LOOKUP NAME="+name, "NAMING REPLY RESULT=OK NAME="+name+" VALUE="+dest.Base64())
		}
	})
}

// While a lookup is under way the connection of a session goes on.
func TestNamingIsNoHindrance(t *testing.T) {
	w := newWorld(t, nil)
	c := w.session("STYLE=RAW ID=a")
	c.say("NAMING LOOKUP NAME=" + i2p.Hash{2}.Base32())
	c.talk("PING", "PONG")
	for range maxLookups + 5 {
		c.say("NAMING LOOKUP NAME=" + i2p.Hash{2}.Base32())
	}
	many, missed := 0, 0
	for range maxLookups + 6 {
		switch line := c.line(); {
		case strings.HasPrefix(line, "NAMING REPLY RESULT=I2P_ERROR"):
			many++
		case strings.HasPrefix(line, "NAMING REPLY RESULT=KEY_NOT_FOUND"):
			missed++
		default:
			t.Errorf("got %q", line)
		}
	}
	if many == 0 || missed < maxLookups {
		t.Errorf("%d refused, %d not found", many, missed)
	}
}

func TestDestGenerate(t *testing.T) {
	w := newWorld(t, nil)
	c := w.hello()
	for name, want := range map[string]i2p.SigType{
		"": i2p.SigEd25519, " SIGNATURE_TYPE=7": i2p.SigEd25519, " SIGNATURE_TYPE=eddsa_sha512_ed25519": i2p.SigEd25519,
		" SIGNATURE_TYPE=DSA_SHA1": i2p.SigDSASHA1, " SIGNATURE_TYPE=1": i2p.SigECDSAP256, " SIGNATURE_TYPE=RSA_SHA256_2048": i2p.SigRSA2048,
		" SIGNATURE_TYPE=11": i2p.SigRedDSAEd25519,
	} {
		fields := strings.Fields(c.talk("DEST GENERATE"+name, "DEST REPLY PUB=*"))
		keys, err := i2p.ParseKeysBase64(strings.TrimPrefix(fields[3], "PRIV="))
		if err != nil || keys.Destination.SigType() != want || "PUB="+keys.Destination.Base64() != fields[2] {
			t.Errorf("%q: %v, %v", name, keys, err)
		}
	}
	for _, name := range []string{"99", "x", "65536"} {
		c.talk("DEST GENERATE SIGNATURE_TYPE="+name, "DEST REPLY RESULT=I2P_ERROR MESSAGE=*")
	}
}
