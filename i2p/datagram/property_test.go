package datagram

import (
	"bytes"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/onelease/onelease/i2p"
)

func TestRoundTrips(t *testing.T) {
	keys := testKeys(t)
	sender := NewSender(keys.Destination)
	now := time.Now()
	origins := []Origin{{Destination: keys.Destination, Signer: keys}, offlineOrigin(t, now.Add(time.Hour))}
	rapid.Check(t, func(t *rapid.T) {
		payload := rapid.SliceOfN(rapid.Byte(), 0, 2000).Draw(t, "payload")
		options := i2p.Mapping(rapid.MapOfN(rapid.StringN(1, 20, 60), rapid.StringN(0, 20, 60), 0, 4).Draw(t, "options"))
		target := i2p.Hash(rapid.SliceOfN(rapid.Byte(), i2p.HashSize, i2p.HashSize).Draw(t, "target"))

		b, err := AppendDatagram1(nil, keys.Destination, keys, payload)
		d1, err1 := ParseDatagram1(b)
		if err != nil || err1 != nil || !bytes.Equal(d1.Payload, payload) || d1.Verify(sender) != nil {
			t.Fatalf("datagram1: %v, %v", err, err1)
		}
		origin := rapid.SampledFrom(origins).Draw(t, "origin")
		b, err = AppendDatagram2(nil, origin, target, options, payload)
		d2, err2 := ParseDatagram2(b)
		if err != nil || err2 != nil || !bytes.Equal(d2.Payload, payload) || d2.Verify(sender, target, now) != nil {
			t.Fatalf("datagram2: %v, %v, %v", err, err2, d2.Verify(sender, target, now))
		}
		checkOptions(t, d2.Options, options)
		b, err = AppendDatagram3(nil, target, options, payload)
		d3, err3 := ParseDatagram3(b)
		if err != nil || err3 != nil || !bytes.Equal(d3.Payload, payload) || d3.From != target {
			t.Fatalf("datagram3: %v, %v", err, err3)
		}
		checkOptions(t, d3.Options, options)
	})
}

func checkOptions(t *rapid.T, encoded []byte, want i2p.Mapping) {
	if len(want) == 0 {
		if encoded != nil {
			t.Fatalf("options %x, want none", encoded)
		}
		return
	}
	got, n, err := i2p.ParseMapping(encoded)
	if err != nil || n != len(encoded) || len(got) != len(want) {
		t.Fatalf("options %v, %v, want %v", got, err, want)
	}
}

// A bit that is changed anywhere is noticed: the datagram does not parse, is
// from another sender, or does not verify.
func TestChangesAreNoticed(t *testing.T) {
	keys := testKeys(t)
	one, err := AppendDatagram1(nil, keys.Destination, keys, []byte("payload"))
	if err != nil {
		t.Fatal(err)
	}
	two, err := AppendDatagram2(nil, Origin{Destination: keys.Destination, Signer: keys}, target, i2p.Mapping{"a": "b"}, []byte("payload"))
	if err != nil {
		t.Fatal(err)
	}
	sender := NewSender(keys.Destination)
	rapid.Check(t, func(t *rapid.T) {
		bit := rapid.IntRange(0, 8*len(one)-1).Draw(t, "bit of 1")
		d1, err := ParseDatagram1(flip(one, bit))
		if err == nil && bytes.Equal(d1.From, one[:len(d1.From)]) && d1.Verify(sender) == nil {
			t.Fatalf("datagram1 with bit %d changed is taken", bit)
		}
		bit = rapid.IntRange(0, 8*len(two)-1).Draw(t, "bit of 2")
		d2, err := ParseDatagram2(flip(two, bit))
		if err == nil && bytes.Equal(d2.From, two[:len(d2.From)]) && d2.Verify(sender, target, time.Now()) == nil {
			t.Fatalf("datagram2 with bit %d changed is taken", bit)
		}
	})
}

func flip(b []byte, bit int) []byte {
	b = bytes.Clone(b)
	b[bit/8] ^= 1 << (bit % 8)
	return b
}

func FuzzParse(f *testing.F) {
	keys := testKeys(f)
	origin := offlineOrigin(f, time.Now().Add(time.Hour))
	one, _ := AppendDatagram1(nil, keys.Destination, keys, []byte("one"))
	two, _ := AppendDatagram2(nil, origin, target, i2p.Mapping{"a": "b"}, []byte("two"))
	three, _ := AppendDatagram3(nil, target, i2p.Mapping{"a": "b"}, []byte("three"))
	f.Add(one)
	f.Add(two)
	f.Add(three)
	f.Fuzz(func(t *testing.T, b []byte) {
		if d, err := ParseDatagram1(b); err == nil {
			if len(d.From)+len(d.Signature)+len(d.Payload) != len(b) {
				t.Errorf("datagram1 of %d bytes: %d + %d + %d", len(b), len(d.From), len(d.Signature), len(d.Payload))
			}
			if sender, err := ParseSender(d.From); err == nil {
				d.Verify(sender)
			}
		}
		if d, err := ParseDatagram2(b); err == nil {
			if sender, err := ParseSender(d.From); err == nil {
				d.Verify(sender, target, time.Now())
			}
		}
		if d, err := ParseDatagram3(b); err == nil && !bytes.HasSuffix(b, d.Payload) {
			t.Error("datagram3: the payload is not the end")
		}
	})
}

func TestReadingAKnownSenderDoesNotAllocate(t *testing.T) {
	keys := testKeys(t)
	sender := NewSender(keys.Destination)
	one, _ := AppendDatagram1(nil, keys.Destination, keys, []byte("one"))
	two, _ := AppendDatagram2(nil, Origin{Destination: keys.Destination, Signer: keys}, target, nil, []byte("two"))
	now := time.Now()
	allocs := testing.AllocsPerRun(100, func() {
		d1, err := ParseDatagram1(one)
		if err != nil || d1.Verify(sender) != nil {
			t.Fatal("datagram1", err)
		}
		d2, err := ParseDatagram2(two)
		if err != nil || d2.Verify(sender, target, now) != nil {
			t.Fatal("datagram2", err)
		}
	})
	if allocs > 0 {
		t.Errorf("%v allocations for two datagrams, want none", allocs)
	}
}

func BenchmarkReadDatagram1(b *testing.B) {
	keys := testKeys(b)
	sender := NewSender(keys.Destination)
	one, _ := AppendDatagram1(nil, keys.Destination, keys, make([]byte, 1024))
	b.ReportAllocs()
	for b.Loop() {
		d, err := ParseDatagram1(one)
		if err != nil || d.Verify(sender) != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWriteDatagram1(b *testing.B) {
	keys, err := i2p.GenerateKeys()
	if err != nil {
		b.Fatal(err)
	}
	payload, buffer := make([]byte, 1024), []byte(nil)
	b.ReportAllocs()
	for b.Loop() {
		if buffer, err = AppendDatagram1(buffer[:0], keys.Destination, keys, payload); err != nil {
			b.Fatal(err)
		}
	}
}
