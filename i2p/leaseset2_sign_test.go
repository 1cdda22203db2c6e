package i2p

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
)

// foreignLeaseSet is signed over options that are not sorted.
func foreignLeaseSet(t *testing.T, k *Keys) []byte {
	t.Helper()
	ls := someLeaseSet(k, 2)
	ls.Options = Mapping{"a": "1", "b": "2"}
	body, err := ls.AppendBody([]byte{StoreLeaseSet2})
	if err != nil {
		t.Fatal(err)
	}
	sorted, turned := []byte("\x01a=\x011;\x01b=\x012;"), []byte("\x01b=\x012;\x01a=\x011;")
	if !bytes.Contains(body, sorted) {
		t.Fatal("options are not where the test wants them")
	}
	body = bytes.Replace(body, sorted, turned, 1)
	signature, err := k.Sign(body)
	if err != nil {
		t.Fatal(err)
	}
	return append(body[1:], signature...)
}

func TestVerifyForeignOrder(t *testing.T) {
	k := mustGenerate(t)
	ls, _, err := ParseLeaseSet2(foreignLeaseSet(t, k))
	if err != nil {
		t.Fatal(err)
	}
	if err := ls.Verify(); err != nil {
		t.Fatal(err)
	}
	again := *ls
	if _, err := again.Sign(k); err != nil {
		t.Fatal(err)
	}
	if err := again.Verify(); err != nil {
		t.Errorf("unchanged and signed again: %v", err)
	}
	ls.Options["a"] = "3"
	if err := ls.Verify(); !errors.Is(err, ErrSignature) {
		t.Errorf("changed: error %v, want ErrSignature", err)
	}
	if _, err := ls.Sign(k); err != nil {
		t.Fatal(err)
	}
	if err := ls.Verify(); err != nil {
		t.Errorf("changed and signed again: %v", err)
	}
}

// TestVerifyAfterChange changes each field of a LeaseSet that came in.
func TestVerifyAfterChange(t *testing.T) {
	k := offlineKeys(t, mustGenerate(t))
	raw, err := someLeaseSet(k, 2).Sign(k)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*LeaseSet2){
		"destination": func(ls *LeaseSet2) { ls.Destination = mustGenerate(t).Destination },
		"published":   func(ls *LeaseSet2) { ls.Published = ls.Published.Add(time.Second) },
		"expires":     func(ls *LeaseSet2) { ls.Expires = ls.Expires.Add(time.Second) },
		"flags":       func(ls *LeaseSet2) { ls.Flags ^= FlagUnpublished },
		"offline":     func(ls *LeaseSet2) { ls.Offline.Expires = ls.Offline.Expires.Add(time.Second) },
		"options":     func(ls *LeaseSet2) { ls.Options["a"] = "b" },
		"keys":        func(ls *LeaseSet2) { ls.Keys[0].Key[0]++ },
		"leases":      func(ls *LeaseSet2) { ls.Leases = ls.Leases[:1] },
		"lease":       func(ls *LeaseSet2) { ls.Leases[1].Tunnel++ },
		"signature":   func(ls *LeaseSet2) { ls.Signature[0]++ },
	} {
		ls, _, err := ParseLeaseSet2(raw)
		if err != nil {
			t.Fatal(err)
		}
		if err := ls.Verify(); err != nil {
			t.Fatalf("before: %v", err)
		}
		change(ls)
		if err := ls.Verify(); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: error %v, want ErrSignature", name, err)
		}
	}
}

func TestSignRefuses(t *testing.T) {
	k := mustGenerate(t)
	for says, change := range map[string]func(*LeaseSet2){
		"no Destination":          func(ls *LeaseSet2) { *ls = LeaseSet2{} },
		"1970 to 2106":            func(ls *LeaseSet2) { ls.Published, ls.Expires = time.Time{}, time.Time{} },
		"a lease ends":            func(ls *LeaseSet2) { ls.Leases[0].End = time.Time{} },
		"at most 11m0s":           func(ls *LeaseSet2) { ls.Expires = ls.Published.Add(661 * time.Second) },
		"want 0 to 65535":         func(ls *LeaseSet2) { ls.Expires = ls.Published.Add(-time.Second) },
		"want 1 to 8":             func(ls *LeaseSet2) { ls.Keys = nil },
		"has 31 bytes, want 32":   func(ls *LeaseSet2) { ls.Keys[0].Key = ls.Keys[0].Key[1:] },
		"at most 65535 fit":       func(ls *LeaseSet2) { ls.Keys[0] = EncryptionKey{Type: 99, Key: make([]byte, 1<<16)} },
		"17 leases, at most 16":   func(ls *LeaseSet2) { ls.Leases = append(ls.Leases, ls.Leases[0]) },
		"at most 255 bytes":       func(ls *LeaseSet2) { ls.Options = Mapping{strings.Repeat("k", 256): ""} },
		"signature of 0 bytes":    func(ls *LeaseSet2) { ls.Offline = &OfflineSignature{Key: k.Destination.SigningKey()} },
		"signer has Ed25519":      func(ls *LeaseSet2) { ls.Offline = &OfflineSignature{Key: SigningPublicKey{Type: SigECDSAP256}} },
		"want a time from 1970 t": func(ls *LeaseSet2) { ls.Published = time.Unix(1<<32, 0); ls.Expires = ls.Published },
	} {
		ls := someLeaseSet(k, MaxLeases)
		change(ls)
		signer := Signer(k)
		if says == "no Destination" {
			signer = signerOfDSA{}
		}
		if _, err := ls.Sign(signer); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v, want ErrInvalid that says %q", err, says)
		}
	}
}

// A signerOfDSA has the type of a Destination's zero value.
type signerOfDSA struct{}

func (signerOfDSA) SigType() SigType            { return SigDSASHA1 }
func (signerOfDSA) Sign([]byte) ([]byte, error) { return nil, errors.New("not to be reached") }
