package i2cp

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p"
	"pgregory.net/rapid"
)

// testKeys are made once: drawing a Destination per case is slow.
var testKeys = func() *i2p.Keys {
	keys, err := i2p.GenerateKeys()
	if err != nil {
		panic(err)
	}
	return keys
}()

func drawDate(t *rapid.T, label string) time.Time {
	ms := rapid.Int64Range(0, maxMillis).Draw(t, label)
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

func drawHash(t *rapid.T, label string) i2p.Hash {
	return i2p.Hash(rapid.SliceOfN(rapid.Byte(), i2p.HashSize, i2p.HashSize).Draw(t, label))
}

func drawText(t *rapid.T, label string) string {
	return string(rapid.SliceOfN(rapid.Byte(), 0, maxText).Draw(t, label))
}

func drawBytes(t *rapid.T, label string) []byte {
	return rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, label)
}

// frame is what all messages can do.
type frame interface {
	AppendFrame(b []byte) ([]byte, error)
}

// roundTrip encodes m after some other bytes, reads it back through a
// FrameReader and compares.
func roundTrip[M frame](t *rapid.T, m M, want MessageType, parse func([]byte) (M, error)) {
	prefix := []byte("prefix")
	b, err := m.AppendFrame(prefix)
	if err != nil {
		t.Fatalf("%v: %v", want, err)
	}
	if !bytes.HasPrefix(b, prefix) {
		t.Fatalf("%v: what was in the buffer is gone", want)
	}
	kind, body, err := NewFrameReader(bytes.NewReader(b[len(prefix):])).Next()
	if err != nil || kind != want {
		t.Fatalf("read back %v, %v, want %v", kind, err, want)
	}
	got, err := parse(body)
	if err != nil {
		t.Fatalf("parse %v: %v", want, err)
	}
	if !reflect.DeepEqual(got, m) {
		t.Fatalf("%v: got %+v, want %+v", want, got, m)
	}
	for n := range body {
		if _, err := parse(body[:n]); err != nil && !errors.Is(err, i2p.ErrTruncated) && !errors.Is(err, i2p.ErrInvalid) {
			t.Fatalf("%v cut to %d bytes: %v", want, n, err)
		}
	}
}

func TestRoundTripSession(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.Uint16().Draw(t, "session")
		roundTrip(t, SetDate{drawDate(t, "date"), drawText(t, "version")}, TypeSetDate, ParseSetDate)
		roundTrip(t, Disconnect{drawText(t, "reason")}, TypeDisconnect, ParseDisconnect)
		roundTrip(t, DestroySession{id}, TypeDestroySession, ParseDestroySession)
		state := SessionState(rapid.Byte().Draw(t, "state"))
		roundTrip(t, SessionStatus{id, state}, TypeSessionStatus, ParseSessionStatus)
		config := rapid.SliceOfN(rapid.Byte(), 1, 100).Draw(t, "config")
		roundTrip(t, ReconfigureSession{id, config}, TypeReconfigureSession, ParseReconfigureSession)
	})
}

func TestRoundTripGetDate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := GetDate{Version: drawText(t, "version")}
		if rapid.Bool().Draw(t, "auth") {
			m.Options = i2p.Mapping{"i2cp.username": drawText(t, "user"), "i2cp.password": drawText(t, "password")}
		}
		roundTrip(t, m, TypeGetDate, ParseGetDate)
	})
}

func TestRoundTripMessages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := SendMessage{
			Session: rapid.Uint16().Draw(t, "session"),
			To:      testKeys.Destination,
			Payload: drawBytes(t, "payload"),
			Nonce:   rapid.Uint32().Draw(t, "nonce"),
		}
		want := TypeSendMessage
		if rapid.Bool().Draw(t, "expires") {
			m.Flags = rapid.Uint16Min(1).Draw(t, "flags")
			m.Expires = drawDate(t, "expiry")
			want = TypeSendMessageExpires
		}
		roundTrip(t, m, want, func(b []byte) (SendMessage, error) { return ParseSendMessage(want, b) })
		roundTrip(t, MessagePayload{m.Session, m.Nonce, m.Payload}, TypeMessagePayload, ParseMessagePayload)
		status := Status(rapid.Byte().Draw(t, "status"))
		roundTrip(t, MessageStatus{m.Session, 1, status, 2, m.Nonce}, TypeMessageStatus, ParseMessageStatus)
	})
}

func TestRoundTripLookup(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := HostLookup{
			Session: rapid.Uint16().Draw(t, "session"),
			Request: rapid.Uint32().Draw(t, "request"),
			Timeout: time.Duration(rapid.Uint32().Draw(t, "timeout")) * time.Millisecond,
			Hash:    drawHash(t, "hash"),
		}
		roundTrip(t, m, TypeHostLookup, ParseHostLookup)
		m.Kind = LookupOptionsByHash
		roundTrip(t, m, TypeHostLookup, ParseHostLookup)
		m.Kind, m.Hash, m.Name = LookupByName, i2p.Hash{}, drawText(t, "name")
		roundTrip(t, m, TypeHostLookup, ParseHostLookup)
		m.Kind = LookupOptionsByName
		roundTrip(t, m, TypeHostLookup, ParseHostLookup)
		reply := HostReply{Session: m.Session, Request: m.Request, Result: HostResult(rapid.Byte().Draw(t, "result"))}
		if reply.Result == HostFound || reply.Result == HostNoLeaseSet && rapid.Bool().Draw(t, "known") {
			reply.Destination = testKeys.Destination
		}
		if reply.Result == HostFound && rapid.Bool().Draw(t, "options") {
			reply.Options = i2p.Mapping{drawText(t, "key"): "1 86400 0 0 25 a.b32.i2p"}
		}
		roundTrip(t, reply, TypeHostReply, ParseHostReply)
	})
}

func drawLeases(t *rapid.T, most int) []i2p.Lease {
	var leases []i2p.Lease
	for i := rapid.IntRange(0, most).Draw(t, "leases"); i > 0; i-- {
		end := rapid.Int64Range(0, 0xffffffff).Draw(t, "end")
		leases = append(leases, i2p.Lease{Gateway: drawHash(t, "gateway"), Tunnel: rapid.Uint32().Draw(t, "tunnel"), End: time.UnixMilli(end * 1000)})
	}
	return leases
}

func TestRoundTripLeaseSets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		request := RequestVariableLeaseSet{rapid.Uint16().Draw(t, "session"), drawLeases(t, 20)}
		roundTrip(t, request, TypeRequestVariableLeaseSet, ParseRequestVariableLeaseSet)
		key := PrivateKey{i2p.CryptoX25519, rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "private")}
		signed := signLeaseSet(t, time.Unix(1_700_000_000, 0), drawLeases(t, i2p.MaxLeases))
		m := CreateLeaseSet2{request.Session, signed, []PrivateKey{key}}
		roundTrip(t, m, TypeCreateLeaseSet2, ParseCreateLeaseSet2)
	})
}

// signLeaseSet is a LeaseSet of testKeys that lives for ten minutes.
func signLeaseSet(t interface{ Fatal(...any) }, published time.Time, leases []i2p.Lease) []byte {
	ls := i2p.LeaseSet2{
		Destination: testKeys.Destination,
		Published:   published,
		Expires:     published.Add(10 * time.Minute),
		Keys:        []i2p.EncryptionKey{{Type: i2p.CryptoX25519, Key: make([]byte, 32)}},
		Leases:      leases,
	}
	signed, err := ls.Sign(testKeys)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func TestSessionConfig(t *testing.T) {
	date := time.UnixMilli(1_700_000_000_123)
	options := i2p.Mapping{"inbound.quantity": "3", "i2cp.fastReceive": "true"}
	b, err := BuildSessionConfig(testKeys, testKeys.Destination, options, date)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseSessionConfig(b)
	if err != nil {
		t.Fatal(err)
	}
	if got.Destination != testKeys.Destination || !reflect.DeepEqual(got.Options, options) || !got.Date.Equal(date) {
		t.Errorf("got %+v", got)
	}
	if err := got.Verify(); err != nil {
		t.Error(err)
	}
	got.Options["inbound.quantity"] = "4"
	if err := got.Verify(); !errors.Is(err, i2p.ErrSignature) {
		t.Errorf("changed options verify: %v", err)
	}
}

// What a transient key signs verifies if the Destination permits that key, and not
// once the permission is another's.
func TestOfflineSessionConfig(t *testing.T) {
	transient, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	offline, err := i2p.SignOffline(testKeys, transient.Destination.SigningKey(), time.Unix(1_800_000_000, 0))
	if err != nil {
		t.Fatal(err)
	}
	b, err := BuildSessionConfig(transient, testKeys.Destination, OfflineOptions(offline), time.Unix(1_700_000_000, 0))
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseSessionConfig(b)
	if err != nil {
		t.Fatal(err)
	}
	if err := got.Verify(); err != nil {
		t.Error(err)
	}
	got.Destination = transient.Destination
	if err := got.Verify(); !errors.Is(err, i2p.ErrSignature) {
		t.Errorf("with another's permission: %v, want ErrSignature", err)
	}
	for _, bad := range []i2p.Mapping{
		{optionTransientKey: "7:AAAA"},
		{optionTransientKey: "x:AAAA", optionOfflineExpires: "1"},
		{optionTransientKey: "AAAA", optionOfflineExpires: "-1"},
	} {
		if _, err := parseOffline(bad); !errors.Is(err, i2p.ErrInvalid) {
			t.Errorf("%v: error %v, want ErrInvalid", bad, err)
		}
	}
}

func TestEncodeTooBig(t *testing.T) {
	long := string(make([]byte, maxText+1))
	for _, m := range []frame{
		Disconnect{long},
		GetDate{Version: long},
		GetDate{Version: "x", Options: i2p.Mapping{"i2cp.username": long}},
		HostLookup{Kind: LookupByName, Name: long},
		MessagePayload{Payload: make([]byte, MaxFrame)},
		RequestVariableLeaseSet{Leases: make([]i2p.Lease, 256)},
		CreateLeaseSet2{Keys: make([]PrivateKey, 9)},
	} {
		b, err := m.AppendFrame([]byte("before"))
		if err == nil || string(b) != "before" {
			t.Errorf("%T: error %v, left %d bytes", m, err, len(b))
		}
	}
}

func TestFrameReaderLimits(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     error
	}{
		{"nothing", "", io.EOF},
		{"half a header", "\x00\x00", io.ErrUnexpectedEOF},
		{"half a body", "\x00\x00\x00\x05\x01abc", io.ErrUnexpectedEOF},
		{"too long", "\x00\x01\x00\x00\x01", ErrTooBig},
		{"absurd", "\xff\xff\xff\xff\x01", ErrTooBig},
	} {
		if _, _, err := NewFrameReader(bytes.NewReader([]byte(c.in))).Next(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// A date that cannot be is refused: reckoning with it would overflow.
func TestAbsurdDates(t *testing.T) {
	for _, body := range []string{"\xff\xff\xff\xff\xff\xff\xff\xff\x00", "\x7f\xff\xff\xff\xff\xff\xff\xff\x00"} {
		if m, err := ParseSetDate([]byte(body)); !errors.Is(err, i2p.ErrInvalid) {
			t.Errorf("%x: %v, %v", body, m, err)
		}
	}
}

func TestFrameReaderWhole(t *testing.T) {
	body := bytes.Repeat([]byte{7}, maxBody)
	stream := append([]byte{ProtocolByte}, 0, 0, 0, 0, 99)
	stream = append(append(stream, 0, 0, 0xff, 0xff, 31), body...)
	r := NewFrameReader(io.MultiReader(bytes.NewReader(stream[:9]), bytes.NewReader(stream[9:])))
	if err := r.ReadProtocolByte(); err != nil {
		t.Fatal(err)
	}
	if kind, got, err := r.Next(); kind != 99 || len(got) != 0 || err != nil {
		t.Errorf("empty frame: %v, %d bytes, %v", kind, len(got), err)
	}
	if kind, got, err := r.Next(); kind != 31 || !bytes.Equal(got, body) || err != nil {
		t.Errorf("biggest frame: %v, %d bytes, %v", kind, len(got), err)
	}
	if _, _, err := r.Next(); err != io.EOF {
		t.Errorf("end: %v", err)
	}
}
