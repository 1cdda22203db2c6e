package i2p

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestKeysOfI2PD reads what i2pd's DEST GENERATE returned and writes it back.
func TestKeysOfI2PD(t *testing.T) {
	for _, row := range readVectors(t, "dest-generate.tsv") {
		kind, b32, public, private := sigType(t, row[0]), row[2], row[3], row[4]
		t.Run(row[0]+"/"+row[1], func(t *testing.T) {
			k, err := ParseKeysBase64(private)
			if !kind.Known() { // GOST
				if !errors.Is(err, ErrUnsupported) {
					t.Fatalf("error %v, want ErrUnsupported", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if k.Destination.Base32() != b32 || k.Destination.Base64() != public || k.SigType() != kind {
				t.Errorf("read %v of type %v, want %s", k, k.SigType(), b32)
			}
			if k.Base64() != private {
				t.Error("does not write what it read")
			}
		})
	}
}

// TestOfflineKeysOfI2PD does the same with offline keys, and verifies what the
// transient key signed.
func TestOfflineKeysOfI2PD(t *testing.T) {
	for _, row := range readVectors(t, "offline.tsv") {
		b32, private, message, signature := row[2], row[3], fromHex(t, row[4]), fromHex(t, row[5])
		t.Run(row[0]+" permits "+row[1], func(t *testing.T) {
			k, err := ParseKeysBase64(private)
			if err != nil {
				t.Fatal(err)
			}
			if k.Destination.Base32() != b32 || k.Destination.SigType() != sigType(t, row[0]) || k.SigType() != sigType(t, row[1]) {
				t.Errorf("read %v, want %s", k, b32)
			}
			if want := time.Unix(0x7fffffff, 0); !k.Offline.Expires.Equal(want) {
				t.Errorf("expires %v, want %v", k.Offline.Expires, want)
			}
			if err := k.Offline.Key.Verify(message, signature); err != nil {
				t.Error(err)
			}
			if k.Base64() != private {
				t.Error("does not write what it read")
			}
		})
	}
}

func TestParseKeysRefuses(t *testing.T) {
	k := mustGenerate(t)
	good := k.Bytes()
	seed := len(good) - len(k.Signing)
	offline := offlineKeys(t, k).Bytes()
	broken := func(b []byte, at int) []byte {
		b = bytes.Clone(b)
		b[at] ^= 1
		return b
	}
	for name, c := range map[string]struct {
		in   []byte
		want error
		says string
	}{
		"empty":               {nil, ErrTruncated, "destination"},
		"public part only":    {k.Destination.Bytes(), ErrInvalid, "the public part"},
		"cut":                 {good[:len(good)-1], ErrTruncated, "287 bytes after the Destination, want 288"},
		"too long":            {append(bytes.Clone(good), 0), ErrInvalid, "1 bytes too many"},
		"other private key":   {broken(good, len(good)-1), ErrInvalid, "does not match"},
		"other public key":    {broken(good, keysSize-1), ErrInvalid, "does not match"},
		"no key at all":       {append(bytes.Clone(good[:seed]), make([]byte, 32)...), ErrTruncated, "all zeros"},
		"offline, cut":        {offline[:len(offline)-1], ErrTruncated, "offline signature"},
		"offline, unsigned":   {broken(offline, len(good)+40), ErrSignature, "offline signature"},
		"offline, other key":  {broken(offline, len(offline)-1), ErrInvalid, "does not match"},
		"other encryption":    {broken(good, keysSize+5), ErrUnsupported, "encryption type 256"},
		"offline, wrong type": {broken(offline, len(good)+4), ErrUnsupported, "signature type 263"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseKeys(c.in)
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want %v that says %q", err, c.want, c.says)
			}
		})
	}
}

// offlineKeys makes keys with a transient key that k's Destination permits.
func offlineKeys(t testing.TB, k *Keys) *Keys {
	t.Helper()
	transient := mustGenerate(t)
	offline, err := SignOffline(k, transient.Destination.SigningKey(), time.Unix(2e9, 0))
	if err != nil {
		t.Fatal(err)
	}
	return &Keys{Destination: k.Destination, Encryption: k.Encryption, Signing: transient.Signing, Offline: offline}
}

func TestKeysRoundTrip(t *testing.T) {
	plain := mustGenerate(t)
	offline := offlineKeys(t, plain)
	rapid.Check(t, func(rt *rapid.T) {
		k := *rapid.SampledFrom([]*Keys{plain, offline}).Draw(rt, "keys")
		k.Encryption = rapid.SliceOfN(rapid.Byte(), 256, 256).Draw(rt, "encryption")
		again, err := ParseKeys(k.Bytes())
		if err != nil {
			rt.Fatal(err)
		}
		if !bytes.Equal(again.Bytes(), k.Bytes()) || again.SigType() != k.SigType() {
			rt.Fatal("keys changed on the way")
		}
	})
}
