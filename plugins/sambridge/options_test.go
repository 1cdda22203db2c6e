package sambridge

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/sam"
)

func readLine(t *testing.T, line string) (*session, onelease.Opening, error) {
	t.Helper()
	var cmd sam.Command
	if err := cmd.Parse([]byte(line)); err != nil {
		t.Fatal(err)
	}
	b := new(Bridge)
	b.cfg.Limits.Streams = 100
	s, o := &session{b: b}, onelease.Opening{}
	err := s.readOptions(&cmd, &o)
	return s, o, err
}

// What is SAM's own stays here, what is the streams' is taken, and the rest goes to
// the routers; a key without a value is true.
func TestReadOptions(t *testing.T) {
	s, o, err := readLine(t, `SESSION CREATE STYLE=STREAM ID=a DESTINATION=TRANSIENT SIGNATURE_TYPE=7 CRYPTO_TYPE=4 sam.udp.port=7655`+
		` i2cp.leaseSetEncType=6,4 inbound.nickname="my app" inbound.allowZeroHop i2cp.dontPublishLeaseSet=`+
		` i2p.streaming.answerPings=FALSE i2p.streaming.inactivityTimeout=60000 i2p.streaming.maxConcurrentStreams=7`)
	if err != nil {
		t.Fatal(err)
	}
	want := i2p.Mapping{
		"i2cp.leaseSetEncType": "6,4", "inbound.nickname": "my app", "inbound.allowZeroHop": "true", "i2cp.dontPublishLeaseSet": "true",
	}
	if !maps.Equal(o.Options, want) {
		t.Errorf("to the routers: %v", o.Options)
	}
	streams := o.Backend.Streams
	if !s.dontPublish || !streams.NoPongs || streams.IdleTimeout != time.Minute || streams.Limits.Streams != 7 {
		t.Errorf("not published: %v, streams %+v", s.dontPublish, streams)
	}
}

func TestReadOptionsRefuses(t *testing.T) {
	for line, says := range map[string]string{
		"SESSION CREATE i2p.streaming.connectTimeout=soon": "option i2p.streaming.connectTimeout=\"soon\": want milliseconds",
		"SESSION CREATE i2cp.dontPublishLeaseSet=maybe":    "want true or false",
		"SESSION CREATE i2cp.accessList=nobody":            "want hashes",
	} {
		if _, _, err := readLine(t, line); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", line, err)
		}
	}
}
