package sam

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/onelease/onelease/i2p"
)

// Dialogues with the server: "> " is said, "< " is expected, with "*" for any
// end; "." expects the end. Words in braces stand for keys.
var dialogues = map[string]string{
	"no limits":       "> HELLO VERSION\n< HELLO REPLY RESULT=OK VERSION=3.3",
	"stock library":   "> HELLO VERSION MIN=3.0 MAX=3.1 \n< HELLO REPLY RESULT=OK VERSION=3.1",
	"single digits":   "> HELLO VERSION MIN=3 MAX=3\n< HELLO REPLY RESULT=OK VERSION=3.0",
	"newer client":    "> hello version MIN=3.1 MAX=4.7\n< HELLO REPLY RESULT=OK VERSION=3.3",
	"too old":         "> HELLO VERSION MIN=1.0 MAX=2.0\n< HELLO REPLY RESULT=NOVERSION*\n.",
	"too new":         "> HELLO VERSION MIN=3.4\n< HELLO REPLY RESULT=NOVERSION*\n.",
	"bad version":     "> HELLO VERSION MIN=x\n< HELLO REPLY RESULT=I2P_ERROR MESSAGE=*\n.",
	"no hello":        "> PING\n< HELLO REPLY RESULT=I2P_ERROR MESSAGE=\"begin with HELLO VERSION\"\n.",
	"bad first line":  "> \xff\n< HELLO REPLY RESULT=I2P_ERROR MESSAGE=*\n.",
	"hello twice":     "> HELLO VERSION\n< HELLO REPLY*\n> HELLO VERSION\n< SESSION STATUS RESULT=I2P_ERROR*\n.",
	"unknown command": "HELLO> STREAM CONNECT ID=x\n< SESSION STATUS RESULT=I2P_ERROR MESSAGE=\"command \\\"STREAM\\\"*\n.",
	"bad syntax":      "HELLO> NAMING LOOKUP NAME=\"x\n< SESSION STATUS RESULT=I2P_ERROR MESSAGE=*\n.",
	"a reply":         "HELLO> HELLO REPLY RESULT=OK\n< SESSION STATUS RESULT=I2P_ERROR*\n.",
	"ping":            "HELLO> PING  a=b \"c\n< PONG  a=b \"c\n> PING\n< PONG\n> PONG 1\n> ping x\n< PONG x",
	"empty lines":     "HELLO> \n>   \n> PING\n< PONG",
	"help":            "HELLO> HELP dest\n< DEST GENERATE [SIGNATURE_TYPE=<name or number>]\n<     Makes keys*\n<     SIGNATURE_TYPE: *\n< HELP STATUS RESULT=OK",
	"quit":            "HELLO> QUIT\n.", "stop": "HELLO> stop\n.", "exit": "HELLO> EXIT\n.",

	"transient":        "HELLO> SESSION CREATE STYLE=RAW ID=a DESTINATION=TRANSIENT i2cp.leaseSetEncType=4,0\n< SESSION STATUS RESULT=OK DESTINATION={NOKEYS}",
	"by base64":        "HELLO> SESSION CREATE STYLE=RAW ID=a DESTINATION={PUB}\n< SESSION STATUS RESULT=OK DESTINATION={PUB}",
	"by b32":           "HELLO> SESSION CREATE STYLE=RAW ID=a DESTINATION={B32}\n< SESSION STATUS RESULT=OK DESTINATION={PUB}",
	"by private keys":  "HELLO> SESSION CREATE STYLE=RAW ID=a DESTINATION={KEYS}\n< SESSION STATUS RESULT=OK DESTINATION={KEYS}",
	"other keys":       "HELLO> SESSION CREATE STYLE=RAW ID=a DESTINATION={OTHER}\n< SESSION STATUS RESULT=INVALID_KEY MESSAGE=\"DESTINATION is not the one*",
	"bad key":          "HELLO> SESSION CREATE STYLE=RAW ID=a DESTINATION=????\n< SESSION STATUS RESULT=INVALID_KEY*",
	"short key":        "HELLO> SESSION CREATE STYLE=RAW ID=a DESTINATION=AAAA\n< SESSION STATUS RESULT=INVALID_KEY*",
	"no destination":   "HELLO> SESSION CREATE STYLE=RAW ID=a\n< SESSION STATUS RESULT=INVALID_KEY*",
	"other style":      "HELLO> SESSION CREATE STYLE=STREAM ID=a DESTINATION=TRANSIENT\n< SESSION STATUS RESULT=I2P_ERROR MESSAGE=\"STYLE=STREAM*",
	"no ID":            "HELLO> SESSION CREATE STYLE=RAW DESTINATION=TRANSIENT\n< SESSION STATUS RESULT=INVALID_ID*",
	"ID with a space":  "HELLO> SESSION CREATE STYLE=RAW ID=\"a b\" DESTINATION=TRANSIENT\n< SESSION STATUS RESULT=INVALID_ID*",
	"bad protocol":     "HELLO> SESSION CREATE STYLE=RAW ID=a DESTINATION=TRANSIENT PROTOCOL=256\n< SESSION STATUS RESULT=I2P_ERROR MESSAGE=\"PROTOCOL=*",
	"no UDP":           "HELLO> SESSION CREATE STYLE=RAW ID=a DESTINATION=TRANSIENT PORT=9\n< SESSION STATUS RESULT=I2P_ERROR MESSAGE=\"PORT:*",
	"again after that": "HELLO> SESSION CREATE STYLE=X\n< SESSION STATUS RESULT=I2P_ERROR*\n> SESSION CREATE STYLE=RAW ID=a DESTINATION=TRANSIENT PROTOCOL=6\n< SESSION STATUS RESULT=OK*",
	"two sessions":     "SESSION> SESSION CREATE STYLE=RAW ID=b DESTINATION=TRANSIENT\n< SESSION STATUS RESULT=I2P_ERROR MESSAGE=\"this connection*",

	"me":            "HELLO> NAMING LOOKUP NAME=ME\n< NAMING REPLY RESULT=OK NAME=ME VALUE={PUB}",
	"host name":     "HELLO> NAMING LOOKUP NAME=peer.i2p OPTIONS=true\r\n< NAMING REPLY RESULT=OK NAME=peer.i2p VALUE={PEER}",
	"base64":        "HELLO> NAMING LOOKUP NAME={PUB}\n< NAMING REPLY RESULT=OK NAME={PUB} VALUE={PUB}",
	"long nonsense": "HELLO> NAMING LOOKUP NAME={PUB}{PUB}\n< NAMING REPLY RESULT=INVALID_KEY*",
	"not found":     "HELLO> NAMING LOOKUP NAME=x.i2p\n< NAMING REPLY RESULT=KEY_NOT_FOUND NAME=x.i2p MESSAGE=*",
	"not a name":    "HELLO> NAMING LOOKUP NAME=\"x y\"\n< NAMING REPLY RESULT=INVALID_KEY NAME=\"x y\" MESSAGE=*",
	"no name":       "HELLO> NAMING LOOKUP\n< NAMING REPLY RESULT=INVALID_KEY*",

	"keys":          "HELLO> DEST GENERATE SIGNATURE_TYPE=7\n< DEST REPLY PUB=*\n> DEST GENERATE SIGNATURE_TYPE=eddsa_sha512_ed25519\n< DEST REPLY PUB=*",
	"default keys":  "HELLO> DEST GENERATE\n< DEST REPLY PUB=*",
	"old keys":      "HELLO> DEST GENERATE SIGNATURE_TYPE=DSA_SHA1\n< DEST REPLY PUB=*",
	"no such keys":  "HELLO> DEST GENERATE SIGNATURE_TYPE=GOST\n< DEST REPLY RESULT=I2P_ERROR MESSAGE=\"SIGNATURE_TYPE=GOST*",
	"no SIZE":       "SESSION> RAW SEND DESTINATION={PUB}\n< SESSION STATUS RESULT=I2P_ERROR MESSAGE=\"RAW SEND needs SIZE*\n.",
	"zero SIZE":     "SESSION> RAW SEND DESTINATION={PUB} SIZE=0\n< SESSION STATUS RESULT=I2P_ERROR*\n.",
	"great SIZE":    "SESSION> RAW SEND DESTINATION={PUB} SIZE=99999999999999999999\n< SESSION STATUS RESULT=I2P_ERROR*\n.",
	"no session":    "HELLO> RAW SEND DESTINATION={PUB} SIZE=2\nx\n< SESSION STATUS RESULT=I2P_ERROR MESSAGE=\"RAW SEND without*",
	"send, no info": "SESSION> RAW SEND SIZE=1\n> \n> PING\n< PONG",
}

func TestDialogues(t *testing.T) {
	for name, script := range dialogues {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { runDialogue(t, script) })
		})
	}
}

func runDialogue(t *testing.T, script string) {
	h := newFakeHost(t)
	other, _ := i2p.GenerateKeys()
	script = strings.NewReplacer("{NOKEYS}", keylessBase64(h.dest), "{PUB}", h.dest.Base64(), "{B32}", h.dest.Base32(),
		"{OTHER}", keylessBase64(other.Destination), "{KEYS}", h.keys, "{PEER}", h.peer.Base64()).Replace(script)
	script = strings.Replace(script, "SESSION>", "HELLO> SESSION CREATE STYLE=RAW ID=a DESTINATION=TRANSIENT\n< SESSION STATUS RESULT=OK*\n>", 1)
	script = strings.Replace(script, "HELLO>", "> HELLO VERSION\n< HELLO REPLY RESULT=OK*\n>", 1)
	k := newTalker(t, dial(newTestServer(t, h)))
	for line := range strings.SplitSeq(script, "\n") {
		switch want, reply := strings.CutPrefix(line, "< "); {
		case line == ".":
			k.expectEnd()
		case reply:
			k.expect(want)
		default:
			k.say(strings.TrimPrefix(line, "> ") + "\n")
		}
	}
}
