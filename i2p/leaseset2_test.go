package i2p

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// someLeaseSet has n leases and the keys of k.
func someLeaseSet(k *Keys, n int) *LeaseSet2 {
	ls := &LeaseSet2{
		Destination: k.Destination,
		Published:   time.Unix(1_800_000_000, 0),
		Expires:     time.Unix(1_800_000_600, 0),
		Offline:     k.Offline,
		Keys:        []EncryptionKey{{Type: CryptoX25519, Key: bytes.Repeat([]byte{9}, 32)}},
	}
	for i := range n {
		lease := Lease{Gateway: Hash{1, byte(i)}, Tunnel: uint32(i + 1), End: ls.Expires}
		ls.Leases = append(ls.Leases, lease)
	}
	return ls
}

func TestLeaseSet2OfI2PD(t *testing.T) {
	for _, row := range readVectors(t, "leaseset2.tsv") {
		raw := fromBase64(t, row[3])
		t.Run(row[0]+" for "+row[1], func(t *testing.T) {
			ls, n, err := ParseLeaseSet2(append(bytes.Clone(raw), "more"...))
			if err != nil {
				t.Fatal(err)
			}
			if n != len(raw) {
				t.Errorf("took %d bytes, want %d", n, len(raw))
			}
			if err := ls.Verify(); err != nil {
				t.Error(err)
			}
			checkI2PDFields(t, ls, row)
			body, err := ls.AppendBody(nil)
			if err != nil || !bytes.Equal(append(body, ls.Signature...), raw) {
				t.Errorf("does not encode to what was read (%v)", err)
			}
		})
	}
}

func checkI2PDFields(t *testing.T, ls *LeaseSet2, row []string) {
	t.Helper()
	if offline := row[1] != "-1"; offline != (ls.Offline != nil) {
		t.Errorf("offline %v, want %v", ls.Offline, offline)
	}
	if unpublished := row[2] == "0"; unpublished != (ls.Flags&FlagUnpublished != 0) {
		t.Errorf("flags %b, unpublished %v", ls.Flags, unpublished)
	}
	if len(ls.Keys) != 2 || ls.Keys[0].Type != CryptoX25519 || ls.Keys[1].Type != CryptoElGamal || ls.Keys[0].Key[31] != 32 {
		t.Errorf("keys %v", ls.Keys)
	}
	if len(ls.Leases) != 0 || !ls.Expires.Equal(ls.Published) {
		t.Errorf("%d leases until %v, want none", len(ls.Leases), ls.Expires)
	}
}

// genLeaseSet draws a LeaseSet of k that can be signed.
func genLeaseSet(k *Keys) *rapid.Generator[*LeaseSet2] {
	return rapid.Custom(func(t *rapid.T) *LeaseSet2 {
		date := rapid.Int64Range(0, maxDate-660)
		published := date.Draw(t, "published")
		ls := &LeaseSet2{
			Destination: k.Destination,
			Published:   time.Unix(published, 0),
			Expires:     time.Unix(published+rapid.Int64Range(0, 660).Draw(t, "life"), 0),
			Flags:       rapid.Uint16().Draw(t, "flags") &^ FlagOffline,
			Offline:     k.Offline,
			Options:     genMapping().Draw(t, "options"),
		}
		for range rapid.IntRange(1, MaxEncryptionKeys).Draw(t, "keys") {
			ls.Keys = append(ls.Keys, genEncryptionKey().Draw(t, "key"))
		}
		for range rapid.IntRange(0, MaxLeases).Draw(t, "leases") {
			ls.Leases = append(ls.Leases, Lease{
				Gateway: Hash(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "gateway")),
				Tunnel:  rapid.Uint32().Draw(t, "tunnel"),
				End:     time.Unix(date.Draw(t, "end"), 0),
			})
		}
		return ls
	})
}

func genEncryptionKey() *rapid.Generator[EncryptionKey] {
	return rapid.Custom(func(t *rapid.T) EncryptionKey {
		kind := CryptoType(rapid.Uint16Range(0, 9).Draw(t, "type"))
		size := kind.PublicSize()
		if size == 0 {
			size = rapid.IntRange(0, 300).Draw(t, "size")
		}
		return EncryptionKey{Type: kind, Key: rapid.SliceOfN(rapid.Byte(), size, size).Draw(t, "key")}
	})
}

func TestLeaseSet2RoundTrip(t *testing.T) {
	plain := mustGenerate(t)
	offline := offlineKeys(t, plain)
	rapid.Check(t, func(rt *rapid.T) {
		k := rapid.SampledFrom([]*Keys{plain, offline}).Draw(rt, "signer")
		signed, err := genLeaseSet(k).Draw(rt, "leaseset").Sign(k)
		if err != nil {
			rt.Fatal(err)
		}
		again, n, err := ParseLeaseSet2(signed)
		if err != nil || n != len(signed) {
			rt.Fatalf("took %d of %d bytes: %v", n, len(signed), err)
		}
		if err := again.Verify(); err != nil {
			rt.Fatal(err)
		}
		if again.foreign != nil {
			rt.Fatal("our own encoding counts as foreign")
		}
		twice, err := again.Sign(k) // Ed25519 is deterministic
		if err != nil || !bytes.Equal(twice, signed) {
			rt.Fatalf("changed on the way (%v)", err)
		}
	})
}

func TestParseLeaseSet2Truncated(t *testing.T) {
	k := offlineKeys(t, mustGenerate(t))
	raw, err := someLeaseSet(k, 3).Sign(k)
	if err != nil {
		t.Fatal(err)
	}
	for n := range raw {
		if _, _, err := ParseLeaseSet2(raw[:n]); !errors.Is(err, ErrTruncated) {
			t.Fatalf("first %d bytes: error %v, want ErrTruncated", n, err)
		}
	}
}
