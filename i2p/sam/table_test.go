package sam

import (
	"strings"
	"testing"
)

// Every kind has a row that says all there is to say.
func TestTableIsWhole(t *testing.T) {
	for k := KindUnknown + 1; k < kindCount; k++ {
		r := k.Row()
		if r.Verb == "" || r.From == 0 || r.By == 0 || r.Since == "" || r.Meaning == "" {
			t.Errorf("kind %d, %v: %+v", k, k, r)
		}
		seen := map[string]bool{}
		for _, o := range r.Options {
			if o.Key == "" || o.Value == "" || o.Meaning == "" || seen[o.Key] || !r.Serves(ByBridge, &o) && !r.Serves(ByFrontend, &o) {
				t.Errorf("%v: option %+v", k, o)
			}
			seen[o.Key] = true
		}
		if asks := r.From&FromClient != 0 && r.By&ByFrontend != 0; asks != (handlers[k] != nil) {
			t.Errorf("%v: the table says that a frontend serves it: %v, and the server has a handler: %v", k, asks, !asks)
		}
	}
}

func TestReplyKind(t *testing.T) {
	for line, want := range map[string]Kind{
		"HELLO VERSION": KindHelloReply, "AUTH DANCE": KindAuthStatus, "SESSION ADD ID=a": KindSessionStatus,
		"SESSION": KindSessionStatus, "SESSION DANCE": KindSessionStatus, "STREAM": KindStreamStatus,
		"STREAM DANCE": KindStreamStatus, "DATAGRAM SEND": KindDatagramStatus, "RAW X": KindRawStatus,
		"NAMING LOOKUP": KindNamingReply, "DEST X": KindDestReply, "PING": KindPong, "DANCE": KindSessionStatus,
	} {
		var c Command
		if err := c.Parse([]byte(line)); err != nil {
			t.Fatal(err)
		}
		if got := c.ReplyKind(); got != want {
			t.Errorf("%s is answered by %v, want %v", line, got, want)
		}
	}
}

func TestOwn(t *testing.T) {
	for key, want := range map[string]bool{
		"DESTINATION": true, "SIGNATURE_TYPE": true, "HEADER": true, "sam.udp.port": true, "SEND_STATUS": true,
		"inbound.quantity": false, "i2cp.leaseSetEncType": false, "destination": false, "OPTIONS": false,
	} {
		if KindSessionCreate.Own(key) != want {
			t.Errorf("%s is SAM's own: %v", key, !want)
		}
	}
}

func TestHelp(t *testing.T) {
	all, session := string(AppendHelp(nil, ByBridge, "")), string(AppendHelp(nil, ByBridge, "session"))
	for _, want := range []string{
		"STREAM CONNECT ID=<name> DESTINATION=<base64, b32, b33 or host name> [SILENT=<true|false>] [FROM_PORT=<0-65535>] [TO_PORT=<0-65535>]\n",
		"QUIT\n", "PING [text]\n", "AUTH ADD USER=<name> PASSWORD=<text>\n",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("HELP has no %q:\n%s", want, all)
		}
	}
	for _, unwanted := range []string{"WEIGHT", "SEND_STATUS", "REPLY", "RECEIVED"} {
		if strings.Contains(all, unwanted) {
			t.Errorf("HELP has %s, which is not for a program to say", unwanted)
		}
	}
	if strings.Contains(session, "STREAM CONNECT") || !strings.Contains(session, "\n    SIGNATURE_TYPE: with TRANSIENT;") {
		t.Errorf("HELP SESSION:\n%s", session)
	}
	if got := string(AppendHelp(nil, ByBridge, "no such")); got != all {
		t.Errorf("HELP of what there is not:\n%s", got)
	}
}
