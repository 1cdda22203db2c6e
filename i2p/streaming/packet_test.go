package streaming

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/datagram"
)

var packetNow = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// A data packet, put together by hand from the specification.
func TestDataPacketVector(t *testing.T) {
	want, _ := hex.DecodeString("01020304" + "05060708" + "00000009" + "0000000c" + // IDs, sequence, ack through
		"02" + "0000000a" + "0000000b" + // NACKs
		"03" + "0440" + "0002" + "ea61" + // resend delay, flags NO_ACK|DELAY, delay 60001
		"6869")
	p := Packet{
		SendID: 0x01020304, ReceiveID: 0x05060708, Seq: 9, AckThrough: 12,
		NACKs: []byte{0, 0, 0, 10, 0, 0, 0, 11}, ResendDelay: 3,
		Flags: FlagNoAck | FlagDelay, Delay: ChokeDelay, Payload: []byte("hi"),
	}
	if got := p.AppendTo([]byte("x")); !bytes.Equal(got[1:], want) {
		t.Fatalf("encoded %x\nwant    %x", got[1:], want)
	}
	var got Packet
	if err := got.Parse(want); err != nil || !samePacket(&got, &p) {
		t.Errorf("parsed %+v, %v", got, err)
	}
	if got.NACKCount() != 2 || got.NACK(0) != 10 || got.NACK(1) != 11 {
		t.Errorf("NACKs %x", got.NACKs)
	}
}

// A SYN, put together by hand and signed by package crypto/ed25519.
func TestSYNVector(t *testing.T) {
	seed := bytes.Repeat([]byte{0x5e}, ed25519.SeedSize)
	private := ed25519.NewKeyFromSeed(seed)
	raw := append(bytes.Repeat([]byte{0x11}, 384-32), private.Public().(ed25519.PublicKey)...)
	raw = append(raw, 5, 0, 4, 0, 7, 0, 0)
	dest, _, err := i2p.ParseDestination(raw)
	if err != nil {
		t.Fatal(err)
	}
	receiver := bytes.Repeat([]byte{0xaa}, i2p.HashSize)
	head := slices.Concat([]byte{0, 0, 0, 0, 0xca, 0xfe, 0, 1}, make([]byte, 8), []byte{8}, receiver,
		[]byte{9, 0x04, 0xa9, 0x01, 0xc9}, raw, []byte{0x07, 0x14}) // flags 0x4a9, 391+2+64 bytes of options
	zeros := slices.Concat(head, make([]byte, 64), []byte("GET /"))
	want := slices.Concat(head, ed25519.Sign(private, zeros), []byte("GET /"))

	p := Packet{
		ReceiveID: 0xcafe0001, NACKs: receiver, ResendDelay: 9, MaxSize: 1812, Payload: []byte("GET /"),
		Flags: FlagSync | FlagFrom | FlagMaxSize | FlagNoAck,
	}
	got, err := p.AppendSigned(nil, &datagram.Origin{Destination: dest, Signer: &i2p.Keys{Destination: dest, Signing: seed}})
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("encoded %x, %v\nwant    %x", got, err, want)
	}
	var parsed Packet
	if err := parsed.Parse(want); err != nil || !samePacket(&parsed, &p) {
		t.Errorf("parsed %+v, %v", parsed, err)
	}
	if err := parsed.Verify(NewRemote(dest), packetNow); err != nil {
		t.Error(err)
	}
}

// samePacket compares what is sent.
func samePacket(a, b *Packet) bool {
	return a.SendID == b.SendID && a.ReceiveID == b.ReceiveID && a.Seq == b.Seq && a.AckThrough == b.AckThrough &&
		bytes.Equal(a.NACKs, b.NACKs) && a.ResendDelay == b.ResendDelay && a.Flags == b.Flags && a.Delay == b.Delay &&
		bytes.Equal(a.From, b.From) && a.MaxSize == b.MaxSize && bytes.Equal(a.Payload, b.Payload)
}

// drawPacket draws a packet with any flags but those that signing sets.
func drawPacket(t *rapid.T, from []byte) *Packet {
	bytesUpTo := func(n int, label string) []byte { return rapid.SliceOfN(rapid.Byte(), 0, n).Draw(t, label) }
	p := &Packet{
		SendID: rapid.Uint32().Draw(t, "send"), ReceiveID: rapid.Uint32().Draw(t, "receive"),
		Seq: rapid.Uint32().Draw(t, "seq"), AckThrough: rapid.Uint32().Draw(t, "ack"),
		ResendDelay: rapid.Byte().Draw(t, "resend"), Payload: bytesUpTo(2000, "payload"),
		Flags: Flags(rapid.Uint16().Draw(t, "flags")) &^ (FlagSigned | FlagOffline),
	}
	for range rapid.IntRange(0, MaxNACKs).Draw(t, "nacks") {
		p.NACKs = binary.BigEndian.AppendUint32(p.NACKs, rapid.Uint32().Draw(t, "nack"))
	}
	if p.Flags&FlagDelay != 0 {
		p.Delay = rapid.Uint16().Draw(t, "delay")
	}
	if p.Flags&FlagMaxSize != 0 {
		p.MaxSize = rapid.Uint16().Draw(t, "max size")
	}
	if p.Flags&FlagFrom != 0 {
		p.From = from
	}
	return p
}

func TestPacketsComeBack(t *testing.T) {
	from := newOrigin(t, i2p.SigEd25519).Destination.Bytes()
	rapid.Check(t, func(t *rapid.T) {
		want := drawPacket(t, from)
		var got Packet
		if err := got.Parse(want.AppendTo(nil)); err != nil || !samePacket(&got, want) {
			t.Errorf("%+v, %v\nwant %+v", got, err, want)
		}
		if err := got.Verify(&Remote{}, packetNow); !errors.Is(err, ErrUnsigned) {
			t.Errorf("not signed, and verifies: %v", err)
		}
	})
}

func TestSignedPacketsComeBack(t *testing.T) {
	for name, origin := range origins(t) {
		t.Run(name, func(t *testing.T) {
			sender := NewRemote(origin.Destination)
			rapid.Check(t, func(t *rapid.T) {
				want := drawPacket(t, nil)
				b, err := want.AppendSigned([]byte("x"), &origin)
				if err != nil {
					t.Fatal(err)
				}
				b = b[1:]
				before := bytes.Clone(b)
				var got Packet
				if err := got.Parse(b); err != nil || !samePacket(&got, want) {
					t.Fatalf("%+v, %v\nwant %+v", got, err, want)
				}
				if err := got.Verify(sender, packetNow); err != nil {
					t.Error(err)
				}
				if !bytes.Equal(b, before) {
					t.Error("Verify did not restore the packet")
				}
			})
		})
	}
}

// Whatever byte is changed, the packet is refused, and restored.
func TestTamperedPacketsAreRefused(t *testing.T) {
	for name, origin := range origins(t) {
		t.Run(name, func(t *testing.T) {
			sender := NewRemote(origin.Destination)
			whole := signedSYN(t, &origin)
			step := 1
			if testing.Short() || origin.Destination.SigType() != i2p.SigEd25519 {
				step = 11 // the other types are slow
			}
			for at := 0; at < len(whole); at += step {
				b := bytes.Clone(whole)
				b[at] ^= 1 << (at % 8)
				changed := bytes.Clone(b)
				if err := parseAndVerify(b, sender); !errors.Is(err, ErrPacket) && !errors.Is(err, ErrUnsigned) {
					t.Errorf("byte %d changed: %v", at, err)
				}
				if !bytes.Equal(b, changed) {
					t.Errorf("byte %d changed: the packet is not restored", at)
				}
			}
		})
	}
}

func TestTruncatedPacketsAreRefused(t *testing.T) {
	for name, origin := range origins(t) {
		sender := NewRemote(origin.Destination)
		whole := signedSYN(t, &origin)
		for n := range whole {
			if err := parseAndVerify(bytes.Clone(whole[:n]), sender); !errors.Is(err, ErrPacket) && !errors.Is(err, ErrUnsigned) {
				t.Errorf("%s, %d bytes of %d: %v", name, n, len(whole), err)
			}
		}
	}
}

func parseAndVerify(b []byte, sender *Remote) error {
	var p Packet
	if err := p.Parse(b); err != nil {
		return err
	}
	return p.Verify(sender, packetNow)
}

// signedSYN has all options.
func signedSYN(t testing.TB, origin *datagram.Origin) []byte {
	t.Helper()
	p := Packet{
		ReceiveID: 7, NACKs: make([]byte, i2p.HashSize), Delay: 5, MaxSize: 1812, Payload: []byte("hello"),
		Flags: FlagSync | FlagFrom | FlagMaxSize | FlagDelay | FlagNoAck,
	}
	b, err := p.AppendSigned(nil, origin)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestOfflineSignatureEnds(t *testing.T) {
	origin := offlineOrigin(t, packetNow.Add(time.Minute))
	var p Packet
	if err := p.Parse(signedSYN(t, &origin)); err != nil {
		t.Fatal(err)
	}
	err := p.Verify(NewRemote(origin.Destination), packetNow.Add(time.Minute))
	if !errors.Is(err, ErrUnsigned) || !errors.Is(err, datagram.ErrExpired) {
		t.Errorf("at its end: %v", err)
	}
}

// A remote that showed a transient key in its SYN need not show it again: its
// CLOSE is signed by that key alone.
func TestTransientKeyOfTheSYNSignsTheCLOSE(t *testing.T) {
	origin := offlineOrigin(t, packetNow.Add(time.Minute))
	sender := NewRemote(origin.Destination)
	var syn, bye Packet
	if err := syn.Parse(signedSYN(t, &origin)); err != nil {
		t.Fatal(err)
	}
	key, err := syn.SigningKey(sender, packetNow)
	if err != nil {
		t.Fatal(err)
	}
	p := Packet{SendID: 1, ReceiveID: 7, Seq: 4, Flags: FlagClose}
	b, err := p.AppendSigned(nil, &datagram.Origin{Destination: origin.Destination, Signer: origin.Signer})
	if err != nil {
		t.Fatal(err)
	}
	if err := bye.Parse(b); err != nil || bye.Flags&FlagOffline != 0 {
		t.Fatalf("%+v, %v", bye, err)
	}
	if err := bye.Verify(sender, packetNow); !errors.Is(err, ErrUnsigned) {
		t.Errorf("signed by the Destination's own key: %v", err)
	}
	known := *sender
	known.Key = key
	if err := bye.Verify(&known, packetNow); err != nil {
		t.Error(err)
	}
}

func TestPacketAllocations(t *testing.T) {
	origin := newOrigin(t, i2p.SigEd25519)
	syn := signedSYN(t, &origin)
	data := Packet{SendID: 1, ReceiveID: 2, Seq: 3, NACKs: make([]byte, 400), Payload: make([]byte, 1730)}
	buffer := data.AppendTo(make([]byte, 0, 4096))
	var p Packet
	for name, f := range map[string]func() error{
		"parse a SYN": func() error { return p.Parse(syn) },
		"encode data": func() error { buffer = data.AppendTo(buffer[:0]); return nil },
		"parse data":  func() error { return p.Parse(buffer) },
	} {
		if err := f(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if n := testing.AllocsPerRun(100, func() { f() }); n > 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
