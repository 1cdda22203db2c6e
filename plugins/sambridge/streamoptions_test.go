package sambridge

import (
	"strings"
	"testing"
	"time"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/sam"
	"github.com/onelease/onelease/i2p/streaming"
)

// readCreate has a session read the options of a SESSION CREATE.
func readCreate(t *testing.T, options string) (*session, onelease.Opening, error) {
	t.Helper()
	b := &Bridge{cfg: Config{Limits: Limits{}.withDefaults()}}
	c := &conn{b: b}
	if err := c.cmd.Parse([]byte("SESSION CREATE STYLE=STREAM ID=a DESTINATION=TRANSIENT " + options)); err != nil {
		t.Fatal(err)
	}
	s := newSession(t.Context(), c)
	opening, err := s.read(&c.cmd)
	return s, opening, err
}

// Options go to the streams or to the routers, each where it means something.
func TestOptions(t *testing.T) {
	s, o, err := readCreate(t, `FROM_PORT=5 inbound.length=1 inbound.nickname="a b" i2cp.leaseSetEncType=6,4 i2p.streaming.profile=2 `+
		`i2p.streaming.connectTimeout=5000 i2p.streaming.inactivityTimeout=60000 i2p.streaming.answerPings=false `+
		`i2p.streaming.maxMessageSize=1000 i2p.streaming.maxConcurrentStreams=7 i2p.streaming.maxConnsPerMinute=1 `+
		`i2p.streaming.maxConnsPerHour=2 i2p.streaming.maxConnsPerDay=0 i2p.streaming.maxTotalConnsPerMinute=3 `+
		`i2p.streaming.maxTotalConnsPerHour=4 i2p.streaming.maxTotalConnsPerDay=-1 i2p.streaming.unheardOf=x`)
	if err != nil {
		t.Fatal(err)
	}
	streams := o.Backend.Streams
	limits := streams.Limits
	limits.Allow = nil
	want := streaming.Limits{
		Streams: 7, StreamsPerRemote: 7, PerMinute: 1, PerHour: 2, PerDay: -1, TotalPerMinute: 3, TotalPerHour: 4, TotalPerDay: -1,
	}
	if s.connectTime != 5*time.Second || streams.IdleTimeout != time.Minute || !streams.NoPongs || streams.MaxPayload != 1000 ||
		limits.Backlog != want.Backlog || limits.Streams != want.Streams || limits.StreamsPerRemote != want.StreamsPerRemote ||
		limits.PerMinute != 1 || limits.PerHour != 2 || limits.PerDay != -1 || limits.TotalPerMinute != 3 || limits.TotalPerHour != 4 || limits.TotalPerDay != -1 {
		t.Errorf("connect in %v, %+v", s.connectTime, streams)
	}
	for name, value := range map[string]string{"inbound.length": "1", "inbound.nickname": "a b", "i2cp.leaseSetEncType": "6,4"} {
		if o.Options[name] != value {
			t.Errorf("%s is %q", name, o.Options[name])
		}
	}
	if len(o.Options) != 3 {
		t.Errorf("the routers get %v", o.Options)
	}
}

func TestBadOptions(t *testing.T) {
	for _, option := range []string{
		"i2p.streaming.connectTimeout=soon", "i2p.streaming.answerPings=perhaps", "i2p.streaming.maxMessageSize=x",
		"i2cp.accessList=abc", "i2cp.enableAccessList=x", "i2cp.dontPublishLeaseSet=x", "i2p.streaming.maxConnsPerDay=9999999999",
	} {
		_, _, err := readCreate(t, option)
		name, _, _ := strings.Cut(option, "=")
		if sam.ResultOf(err) != sam.ResultI2PError || err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", option, err)
		}
	}
}

func TestAccessLists(t *testing.T) {
	listed, other := i2p.Hash{1}, i2p.Hash{2}
	list := "i2cp.accessList=" + i2p.Base64.EncodeToString(listed[:]) + "," + i2p.Hash{3}.Base32()
	for _, tt := range []struct {
		switches      string
		listed, other bool
	}{
		{"", true, true},
		{" i2cp.enableAccessList=true", true, false},
		{" i2cp.enableBlackList=true", false, true},
		{" i2cp.enableBlackList=true i2cp.enableAccessList=true", true, false},
	} {
		_, o, err := readCreate(t, list+tt.switches)
		if err != nil {
			t.Fatal(err)
		}
		allow := o.Backend.Streams.Limits.Allow
		if allow == nil {
			allow = func(i2p.Hash) bool { return true }
		}
		if allow(listed) != tt.listed || allow(other) != tt.other || allow(i2p.Hash{3}) != tt.listed {
			t.Errorf("%q: listed %v, other %v", tt.switches, allow(listed), allow(other))
		}
	}
}

// A session that is never to be published is not, and its ACCEPT does not wait for it.
func TestDontPublish(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.session("STYLE=STREAM ID=a i2cp.dontPublishLeaseSet=true")
		began := time.Now()
		w.accept("a")
		if took := time.Since(began); took > time.Second {
			t.Errorf("ACCEPT took %v", took)
		}
		time.Sleep(time.Minute)
		if _, ok := w.network.Lookup(w.bridge.sessions.find("", "a").Hosted.Keys().Destination.Hash()); ok {
			t.Error("it is in the netDB")
		}
	})
}
