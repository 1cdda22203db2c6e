package i2p

import (
	"maps"
	"slices"
	"testing"
)

func BenchmarkLeaseSet2Sign(b *testing.B) {
	k := mustGenerate(b)
	ls := someLeaseSet(k, MaxLeases)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ls.Sign(k); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLeaseSet2ParseVerify(b *testing.B) {
	k := mustGenerate(b)
	raw, err := someLeaseSet(k, MaxLeases).Sign(k)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		ls, _, err := ParseLeaseSet2(raw)
		if err != nil {
			b.Fatal(err)
		}
		if err := ls.Verify(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVerify has one signature by i2pd of each type.
func BenchmarkVerify(b *testing.B) {
	for _, row := range readVectors(b, "signatures.tsv") {
		dest, err := ParseDestinationBase64(row[1])
		if err != nil {
			b.Fatal(err)
		}
		key, message, signature := dest.SigningKey(), fromHex(b, row[2]), fromHex(b, row[3])
		if len(message) == 0 {
			continue
		}
		b.Run(key.Type.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := key.Verify(message, signature); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkSign has keys of each type.
func BenchmarkSign(b *testing.B) {
	for _, kind := range slices.Sorted(maps.Keys(sigInfos)) {
		b.Run(kind.String(), func(b *testing.B) {
			k, err := GenerateKeysOf(kind)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := k.Sign([]byte("message")); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
