package i2p

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// TestKeysShowNoSecret prints keys in every way that a log may.
func TestKeysShowNoSecret(t *testing.T) {
	k := mustGenerate(t)
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "pointer", k, "value", *k, "inside", struct{ K *Keys }{k})
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "pointer", k, "value", *k)
	inJSON, err := json.Marshal(map[string]any{"k": k})
	if err != nil {
		t.Fatal(err)
	}
	seen := log.String() + string(inJSON)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		seen += fmt.Sprintf(verb+verb, k, *k)
	}
	if !strings.Contains(seen, k.Destination.Base32()) {
		t.Error("the address is not shown")
	}
	for _, secret := range []string{
		string(k.Signing), hex.EncodeToString(k.Signing), fmt.Sprint(k.Signing), fmt.Sprintf("%#v", k.Signing)[6:],
		Base64.EncodeToString(k.Signing)[:40], strings.NewReplacer("-", "+", "~", "/").Replace(Base64.EncodeToString(k.Signing)),
	} {
		if strings.Contains(seen, secret) {
			t.Errorf("the private key is shown as %q", secret)
		}
	}
}

func TestSignFollowsSigning(t *testing.T) {
	k, other := mustGenerate(t), mustGenerate(t)
	k.Signing = other.Signing // by hand: what was expanded before no longer counts
	signature, err := k.Sign([]byte("message"))
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Destination.SigningKey().Verify([]byte("message"), signature); err != nil {
		t.Error(err)
	}
}

// TestSignWithKeysOfI2PD signs with keys that a router made, and checks by the
// verifiers that have checked a router's signatures.
func TestSignWithKeysOfI2PD(t *testing.T) {
	signed := map[SigType]bool{}
	for _, row := range readVectors(t, "dest-generate.tsv") {
		if !sigType(t, row[0]).Known() {
			continue
		}
		k, err := ParseKeysBase64(row[4])
		if err != nil {
			t.Fatal(err)
		}
		message := []byte("I2P signs this.")
		signature, err := k.Sign(message)
		if err != nil {
			t.Fatalf("%v: %v", k.SigType(), err)
		}
		checkVerifier(t, k.Destination.SigningKey(), message, signature)
		signed[k.SigType()] = true
	}
	if len(signed) != 6 { // DSA, three of ECDSA, Ed25519, RedDSA
		t.Errorf("%d types: %v", len(signed), signed)
	}
}

func TestSignRefusesKeys(t *testing.T) {
	k := mustGenerate(t)
	for _, private := range [][]byte{nil, make([]byte, 31)} {
		k.Signing = private
		if _, err := k.Sign(nil); !errors.Is(err, ErrInvalid) {
			t.Errorf("key of %d bytes: error %v, want ErrInvalid", len(private), err)
		}
	}
}

func TestGenerateKeysPadding(t *testing.T) {
	raw := mustGenerate(t).Destination.Bytes()
	if len(raw) != 391 {
		t.Fatalf("%d bytes, want 391", len(raw))
	}
	for at := 32; at < 352; at += 32 { // proposal 161
		if !bytes.Equal(raw[at:at+32], raw[:32]) {
			t.Fatalf("block at %d is not the first one again", at)
		}
	}
}

func TestEpochKey(t *testing.T) {
	k, other := mustGenerate(t), mustGenerate(t)
	seen := map[string]bool{}
	for _, from := range []*Keys{k, other, offlineKeys(t, k)} {
		for epoch := range uint64(3) {
			key, err := from.EpochKey(epoch)
			if err != nil {
				t.Fatal(err)
			}
			seen[string(key.Bytes())] = true
		}
	}
	if len(seen) != 9 {
		t.Errorf("%d different keys, want 9", len(seen))
	}
	if _, err := (&Keys{}).EpochKey(0); err == nil {
		t.Error("a key was derived from nothing")
	}
}

// TestEpochKeyStays pins the derivation: a version of Onelease that derived
// other keys could not run beside this one. The figure is from another
// implementation of HKDF (Python's cryptography).
func TestEpochKeyStays(t *testing.T) {
	k, err := ParseKeysBase64(readVectors(t, "dest-generate.tsv")[8][4])
	if err != nil {
		t.Fatal(err)
	}
	key, err := k.EpochKey(7)
	if err != nil {
		t.Fatal(err)
	}
	const want = "bb9a025975835119381e28ab9222273396d5cd6176b6c9383adebdf6d749d56f"
	if got := hex.EncodeToString(key.Bytes()); got != want {
		t.Errorf("epoch 7 has %s, want %s", got, want)
	}
}
