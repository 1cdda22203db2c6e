package sam

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/onelease/onelease/internal/owner"
)

// Dialogues of backends that have names; see dialogues.
var backendDialogues = map[string]string{
	"a name":        "HELLO> SESSION CREATE STYLE=RAW ID=a DESTINATION={B32} BACKEND=web-1\n< SESSION STATUS RESULT=OK DESTINATION={PUB} FRONTEND=f1 ID_KEY={KEY}",
	"bad name":      "HELLO> SESSION CREATE STYLE=RAW ID=a DESTINATION=TRANSIENT BACKEND=Web\n< SESSION STATUS RESULT=I2P_ERROR MESSAGE=\"BACKEND=*",
	"bad weight":    "HELLO> SESSION CREATE STYLE=RAW ID=a DESTINATION=TRANSIENT BACKEND=a WEIGHT=65536\n< SESSION STATUS RESULT=I2P_ERROR MESSAGE=\"WEIGHT=*",
	"bad standby":   "HELLO> SESSION CREATE STYLE=RAW ID=a DESTINATION=TRANSIENT BACKEND=a STANDBY=perhaps\n< SESSION STATUS RESULT=I2P_ERROR MESSAGE=\"STANDBY=*",
	"no name":       "HELLO> SESSION CREATE STYLE=RAW ID=a DESTINATION={B32} WEIGHT=3\n< SESSION STATUS RESULT=OK DESTINATION={PUB}\n> SESSION WEIGHT VALUE=1\n< SESSION WEIGHT RESULT=I2P_ERROR MESSAGE=*",
	"no session":    "HELLO> SESSION WEIGHT VALUE=1\n< SESSION WEIGHT RESULT=I2P_ERROR MESSAGE=*\n> SESSION HEARD DESTINATION={B32}\n> SESSION BEGAN ID=1 DESTINATION={B32}\n> PING\n< PONG",
	"weights":       "NAMED> SESSION WEIGHT VALUE=0\n< SESSION WEIGHT RESULT=OK VALUE=0\n> session weight VALUE=65535\n< SESSION WEIGHT RESULT=OK VALUE=65535",
	"not a weight":  "NAMED> SESSION WEIGHT VALUE=-1\n< SESSION WEIGHT RESULT=I2P_ERROR MESSAGE=*\n> SESSION WEIGHT\n< SESSION WEIGHT RESULT=I2P_ERROR MESSAGE=\"SESSION WEIGHT needs*",
	"bad facts":     "NAMED> SESSION HEARD\n> SESSION HEARD DESTINATION=x\n> SESSION BEGAN ID=x DESTINATION={B32}\n> SESSION BEGAN ID=1\n> PING\n< PONG",
	"taken by one":  "NAMED> PING\n< PONG\n= SESSION CREATE STYLE=RAW ID=b DESTINATION=TRANSIENT BACKEND=web-1\n< SESSION STATUS RESULT=DUPLICATED_ID MESSAGE=\"BACKEND=web-1: one of that name*",
	"looks like it": "NAMED> PING\n< PONG\n= SESSION CREATE STYLE=RAW ID=b DESTINATION=TRANSIENT BACKEND={TWIN}\n< SESSION STATUS RESULT=I2P_ERROR MESSAGE=\"BACKEND={TWIN}: its stream IDs would look like those of web-1*",
}

// twin is a name with the tag of another.
func twin(name string) string {
	for i := 0; ; i++ {
		if other := fmt.Sprint("w", i); owner.Tag(other) == owner.Tag(name) {
			return other
		}
	}
}

func TestBackendDialogues(t *testing.T) {
	other := twin("web-1")
	for name, script := range backendDialogues {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newFakeHost(t)
				s := newNamedServer(t, h)
				script = strings.NewReplacer("{PUB}", h.dest.Base64(), "{B32}", h.dest.Base32(), "{KEY}", hexKey(idKey), "{TWIN}", other).Replace(script)
				script = strings.Replace(script, "NAMED>", "HELLO> SESSION CREATE STYLE=RAW ID=a DESTINATION=TRANSIENT BACKEND=web-1\n< SESSION STATUS RESULT=OK*\n>", 1)
				script = strings.Replace(script, "HELLO>", "> HELLO VERSION\n< HELLO REPLY RESULT=OK*\n>", 1)
				k := newTalker(t, dial(s))
				for line := range strings.SplitSeq(script, "\n") {
					if want, reply := strings.CutPrefix(line, "< "); reply {
						k.expect(want)
						continue
					}
					if strings.HasPrefix(line, "= ") { // by another connection
						k = newTalker(t, dial(s))
						k.say("HELLO VERSION\n")
						k.expect("HELLO REPLY*")
					}
					k.say(line[2:] + "\n")
				}
			})
		})
	}
}

// Without a key all get everything, as from a frontend of an earlier version.
func TestNamesWithoutAKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFakeHost(t)
		s := newTestServer(t, h)
		attachBackend(t, s, "a", "")
		attachBackend(t, s, "b", "")
		if n := s.Deliver(data(1, 2)); n != 2 {
			t.Errorf("delivered to %d", n)
		}
		if err := s.SetIDKey([]byte("short")); err == nil {
			t.Error("a short key is taken")
		}
	})
}
