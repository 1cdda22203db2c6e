package i2cp

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/onelease/onelease/i2p"
)

// golden are the recorded frames of a session with a real router.
func golden(t *testing.T) (who []string, kinds []MessageType, bodies [][]byte) {
	file, err := os.ReadFile("testdata/i2pd-2.45.1.frames")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(file)) {
		var from, text string
		var kind MessageType
		if strings.HasPrefix(line, "#") {
			continue
		}
		if _, err := fmt.Sscanf(line, "%s %d %s", &from, &kind, &text); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		body, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		who, kinds, bodies = append(who, from), append(kinds, kind), append(bodies, body)
	}
	return who, kinds, bodies
}

// What i2pd sent and took is parsed, and encoded again to the same bytes.
func TestGolden(t *testing.T) {
	who, kinds, bodies := golden(t)
	seen := map[string]bool{}
	for i, body := range bodies {
		m, err := parseAny(kinds[i], body)
		if err != nil {
			t.Errorf("%v: %v", kinds[i], err)
			continue
		}
		again, err := encodeAny(m, body)
		if err != nil || !bytes.Equal(again[HeaderSize:], body) || MessageType(again[4]) != kinds[i] {
			t.Errorf("%v %x: encoded to %x, %v", kinds[i], body, again, err)
		}
		seen[fmt.Sprint(who[i], " ", kinds[i])] = true
		checkGolden(t, m)
	}
	if len(seen) < 13 {
		t.Errorf("only %d kinds of frames: %v", len(seen), seen)
	}
}

func encodeAny(m any, body []byte) ([]byte, error) {
	if m, ok := m.(frame); ok {
		return m.AppendFrame(nil)
	}
	return AppendCreateSession(nil, body)
}

// checkGolden looks at what the round trip does not show.
func checkGolden(t *testing.T, m any) {
	switch m := m.(type) {
	case SessionConfig:
		if err := m.Verify(); err != nil || m.Options["inbound.quantity"] != "3" {
			t.Errorf("%+v: %v", m.Options, err)
		}
	case SetDate:
		if m.Version != Version || m.Date.Year() < 2024 {
			t.Errorf("%+v", m)
		}
	case MessagePayload:
		if p, err := new(Inflater).Parse(m.Payload); err != nil || p.FromPort != 11 || p.ToPort != 22 || p.Protocol != ProtocolRaw {
			t.Errorf("%+v, %v", p, err)
		}
	case RequestVariableLeaseSet:
		if len(m.Leases) == 0 || m.Leases[0].End.Year() < 2024 {
			t.Errorf("%+v", m)
		}
	case CreateLeaseSet2:
		ls, _, err := i2p.ParseLeaseSet2(m.LeaseSet)
		if err == nil {
			_, err = checkLeaseSet(m.LeaseSet, m.Keys, ls.Destination, ls.Published)
		}
		if err != nil {
			t.Error(err)
		}
	}
}
