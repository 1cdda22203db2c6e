package i2cp

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p"
)

// seeds are frames of every type.
func seeds(tb testing.TB) [][]byte {
	config, err := BuildSessionConfig(testKeys, testKeys.Destination, SessionOptions(), time.UnixMilli(1_700_000_000_000))
	if err != nil {
		tb.Fatal(err)
	}
	to, payload := testKeys.Destination, AppendPayload(nil, 1, 2, ProtocolRaw, []byte("x"))
	lease := i2p.Lease{Tunnel: 5, End: time.UnixMilli(1_700_000_000_000)}
	signed := signLeaseSet(tb, time.Unix(1_700_000_000, 0), []i2p.Lease{lease})
	var all [][]byte
	for _, m := range []frame{
		GetDate{Version, i2p.Mapping{"i2cp.username": "u", "i2cp.password": "p"}},
		SetDate{time.UnixMilli(1_700_000_000_000), "0.9.57"},
		ReconfigureSession{1, config},
		DestroySession{1},
		SessionStatus{1, SessionCreated},
		Disconnect{"reason"},
		SendMessage{Session: 1, To: to, Payload: payload, Nonce: 1},
		SendMessage{Session: 1, To: to, Payload: payload, Nonce: 1, Flags: FlagNoLeaseSet, Expires: time.UnixMilli(1)},
		MessagePayload{1, 2, payload},
		MessageStatus{1, 2, StatusHandedOn, 0, 7},
		RequestVariableLeaseSet{1, []i2p.Lease{lease}},
		CreateLeaseSet2{1, signed, []PrivateKey{{i2p.CryptoX25519, make([]byte, 32)}}},
		HostLookup{Session: 1, Request: 2, Timeout: time.Second, Kind: LookupByName, Name: "a.i2p"},
		HostLookup{Session: 1, Request: 2, Timeout: time.Second},
		HostReply{Session: 1, Request: 2, Destination: to},
	} {
		b, err := m.AppendFrame(nil)
		if err != nil {
			tb.Fatal(err)
		}
		all = append(all, b)
	}
	create, err := AppendCreateSession(nil, config)
	if err != nil {
		tb.Fatal(err)
	}
	return append(all, create)
}

// parseAny parses a body of any type, nil for a type that is not known.
func parseAny(kind MessageType, body []byte) (any, error) {
	switch kind {
	case TypeCreateSession:
		return ParseSessionConfig(body)
	case TypeReconfigureSession:
		return ParseReconfigureSession(body)
	case TypeDestroySession:
		return ParseDestroySession(body)
	case TypeSendMessage, TypeSendMessageExpires:
		return ParseSendMessage(kind, body)
	case TypeSessionStatus:
		return ParseSessionStatus(body)
	case TypeMessageStatus:
		return ParseMessageStatus(body)
	case TypeDisconnect:
		return ParseDisconnect(body)
	case TypeMessagePayload:
		return ParseMessagePayload(body)
	case TypeGetDate:
		return ParseGetDate(body)
	case TypeSetDate:
		return ParseSetDate(body)
	case TypeRequestVariableLeaseSet:
		return ParseRequestVariableLeaseSet(body)
	case TypeHostLookup:
		return ParseHostLookup(body)
	case TypeHostReply:
		return ParseHostReply(body)
	case TypeCreateLeaseSet2:
		return ParseCreateLeaseSet2(body)
	}
	return nil, nil
}

// FuzzFrames reads a stream of frames. What can be parsed can be encoded, and
// parses to the same again.
func FuzzFrames(f *testing.F) {
	for _, b := range seeds(f) {
		f.Add(b)
	}
	f.Add(bytes.Join(seeds(f), nil))
	f.Fuzz(func(t *testing.T, stream []byte) {
		r := NewFrameReader(bytes.NewReader(stream))
		for {
			kind, body, err := r.Next()
			if err != nil {
				return
			}
			m, err := parseAny(kind, body)
			if encodes, ok := m.(frame); ok && err == nil {
				checkAgain(t, kind, encodes)
			}
		}
	})
}

func checkAgain(t *testing.T, kind MessageType, m frame) {
	b, err := m.AppendFrame(nil)
	if err != nil {
		return // does not fit a frame with the header
	}
	if s, ok := m.(SendMessage); ok && !s.expires() {
		kind = TypeSendMessage
	}
	again, err := parseAny(kind, b[HeaderSize:])
	if err != nil || !reflect.DeepEqual(again, m) {
		t.Fatalf("%v: %+v became %+v, %v", kind, m, again, err)
	}
}

// Every seed is read whole, so that the fuzz targets begin at what matters.
func TestSeedsParse(t *testing.T) {
	for _, b := range seeds(t) {
		kind, body, err := NewFrameReader(bytes.NewReader(b)).Next()
		if err != nil {
			t.Fatal(err)
		}
		if m, err := parseAny(kind, body); err != nil || m == nil {
			t.Errorf("%v: %+v, %v", kind, m, err)
		}
	}
}
