package i2p

import (
	"bytes"
	"testing"
)

// Each target wants no panic, and of what was read that it is written back as
// it came, as far as the format has one way to write it.

func FuzzParseDestination(f *testing.F) {
	for _, row := range readVectors(f, "dest-generate.tsv") {
		f.Add(fromBase64(f, row[3]))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		dest, n, err := ParseDestination(b)
		if err != nil {
			return
		}
		if !bytes.Equal(dest.Bytes(), b[:n]) {
			t.Error("changed on the way")
		}
		key := dest.SigningKey()
		_ = key.Verify(b, make([]byte, key.Type.SignatureSize()))
		_ = key.Verify(b, bytes.Repeat([]byte{1}, key.Type.SignatureSize()))
	})
}

func FuzzParseMapping(f *testing.F) {
	f.Add([]byte("\x00\x0c\x01a=\x01b;\x01c=\x01d;"))
	f.Add([]byte("\x00\x0c\x01c=\x01d;\x01a=\x01b;"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, n, err := ParseMapping(b)
		if err != nil {
			return
		}
		again, err := m.AppendTo(nil)
		if err != nil || len(again) != n {
			t.Errorf("%d bytes became %d: %v", n, len(again), err)
		}
	})
}

func FuzzParseLeaseSet2(f *testing.F) {
	for _, row := range readVectors(f, "leaseset2.tsv") {
		f.Add(fromBase64(f, row[3]))
	}
	k := mustGenerate(f)
	signed, err := someLeaseSet(k, 3).Sign(k)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(signed)
	f.Fuzz(func(t *testing.T, b []byte) {
		ls, n, err := ParseLeaseSet2(b)
		if err != nil {
			return
		}
		_ = ls.Verify()
		body, err := ls.AppendBody(nil)
		if err != nil || len(body)+len(ls.Signature) != n {
			t.Errorf("%d bytes became %d: %v", n, len(body)+len(ls.Signature), err)
		}
		if same := bytes.Equal(body, b[:len(body)]); same != (ls.foreign == nil) {
			t.Errorf("same %v, but foreign %v", same, ls.foreign)
		}
	})
}

func FuzzParseKeys(f *testing.F) {
	for _, row := range readVectors(f, "dest-generate.tsv") {
		f.Add(fromBase64(f, row[4]))
	}
	for _, row := range readVectors(f, "offline.tsv") {
		f.Add(fromBase64(f, row[3]))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		k, err := ParseKeys(b)
		if err == nil && !bytes.Equal(k.Bytes(), b) {
			t.Error("changed on the way")
		}
	})
}

func FuzzParseOfflineSignature(f *testing.F) {
	offline := offlineKeys(f, mustGenerate(f)).Offline
	f.Add(offline.AppendTo(nil), uint16(SigEd25519))
	f.Add(offline.AppendTo(nil), uint16(SigRSA4096))
	f.Fuzz(func(t *testing.T, b []byte, by uint16) {
		o, n, err := ParseOfflineSignature(b, SigType(by))
		if err == nil && !bytes.Equal(o.AppendTo(nil), b[:n]) {
			t.Error("changed on the way")
		}
	})
}
