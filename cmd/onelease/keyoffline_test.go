package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p"
)

// TestKeyOffline: the transient key signs for the Destination, and rotate puts another
// in its place.
func TestKeyOffline(t *testing.T) {
	own, path := keyFile(t), filepath.Join(t.TempDir(), "transient.b64")
	v := decode[keyView](t, key(t, "offline", own, path, "--for", "90d", "--type", "1", "--format", "base64", "--json"))
	if left := time.Until(v.Offline.Expires); left > 90*24*time.Hour || left < 90*24*time.Hour-time.Minute || v.Offline.Expired {
		t.Errorf("good for %v", left)
	}
	if v.Address != shown(t, own).Address || v.Offline.SignatureType != "ECDSA_SHA256_P256" || v.NotInCluster == "" {
		t.Errorf("%+v", v)
	}
	before, err := i2p.ReadKeyFile(path) // which verifies the Destination's signature
	if err != nil {
		t.Fatal(err)
	}
	signature, err := before.Sign([]byte("message"))
	if err == nil {
		err = before.Offline.Key.Verify([]byte("message"), signature)
	}
	if err != nil {
		t.Error(err)
	}
	rotated := decode[keyView](t, key(t, "rotate", path, "--own", own, "--for", "2w", "--json"))
	after, err := i2p.ReadKeyFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if rotated.Address != v.Address || rotated.Format != "base64" || rotated.Mode != "0600" || string(after.Signing) == string(before.Signing) {
		t.Errorf("%+v", rotated)
	}
}

// TestKeyExpired is shown as such.
func TestKeyExpired(t *testing.T) {
	own, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := transientKeys(own, i2p.SigEd25519, time.Now().Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "old.dat")
	if err := i2p.WriteKeyFile(path, keys, i2p.KeyBinary); err != nil {
		t.Fatal(err)
	}
	if out := key(t, "show", path); !strings.Contains(out, "expired on") || !strings.Contains(out, "onelease key rotate") || !shown(t, path).Offline.Expired {
		t.Error(out)
	}
}

// TestKeyBadInput: what is wrong is named, with what to do, and nothing is written.
func TestKeyBadInput(t *testing.T) {
	own, other, dir := keyFile(t), keyFile(t), t.TempDir()
	transient := filepath.Join(t.TempDir(), "transient.dat")
	key(t, "offline", own, transient, "--for", "1h")
	keys, err := i2p.ReadKeyFile(own)
	if err != nil {
		t.Fatal(err)
	}
	raw := keys.Bytes()
	raw[len(raw)-1] ^= 1
	public := secretFile(t, keys.Destination.Base64())
	before, _ := os.ReadFile(transient)
	for _, test := range []struct {
		args, stdin string
		code        int
		want        []string
	}{
		{"generate NEW --type 9", "", exitUsage, []string{`--type "9"`, "EdDSA_SHA512_Ed25519"}},
		{"generate NEW --type Ed25519ph", "", exitUsage, []string{"--type"}},
		{"generate NEW --format pem", "", exitUsage, []string{`--format "pem"`, "dat or base64"}},
		{"generate NEW --vanity=", "", exitUsage, []string{"empty prefix"}},
		{"generate NEW --vanity shop1", "", exitUsage, []string{`'1'`, "a-z and 2-7"}},
		{"generate NEW --vanity aaaaaaaaaaa", "", exitUsage, []string{"years", "fewer characters"}},
		{"generate NEW --vanity aaaaaaaaaaaaa", "", exitUsage, []string{"13 characters", "11 at most"}},
		{"generate NOWHERE/x --vanity a", "", exitFailed, []string{"no such file or directory"}},
		{"import NOWHERE NEW", "", exitFailed, []string{"no such file"}},
		{"import OWN", "", exitUsage, []string{"no new file given"}},
		{"import", "", exitUsage, []string{"no source given"}},
		{"import OWN NEW x", "", exitUsage, []string{`unexpected argument "x"`}},
		{"import OWN OTHER", "", exitFailed, []string{"exists", "move that file away"}},
		{"import PUBLIC NEW", "", exitFailed, []string{"the public part", "DEST GENERATE"}},
		{"import - NEW", "hello", exitFailed, []string{"on stdin", "want a private key file"}},
		{"import - NEW", "", exitFailed, []string{"on stdin"}},
		{"import - NEW", string(raw), exitFailed, []string{"does not match"}},
		{"import - NEW", string(raw) + "x", exitFailed, []string{"too many"}},
		{"import - NEW", strings.Repeat("A", 20000), exitFailed, []string{"too many for a key file"}},
		{"export OWN", "", exitUsage, []string{"--output is not set", "new file, or -"}},
		{"export OWN --output OTHER", "", exitFailed, []string{"exists"}},
		{"export OPEN --output NEW", "", exitFailed, []string{"chmod 600"}},
		{"show", "", exitUsage, []string{"no file given"}},
		{"show NOWHERE", "", exitFailed, []string{"no such file"}},
		{"offline OWN NEW", "", exitUsage, []string{"--for is not set", "90d"}},
		{"offline OWN NEW --for 90", "", exitUsage, []string{"--for 90", "with its unit"}},
		{"offline OWN NEW --for 59m", "", exitUsage, []string{"want 1h to 3650d"}},
		{"offline OWN NEW --for -3d", "", exitUsage, []string{"with its unit"}},
		{"offline OWN NEW --for 11111d", "", exitUsage, []string{"want 1h to 3650d"}},
		{"offline OPEN NEW --for 1d", "", exitFailed, []string{"chmod 600"}},
		{"offline TRANSIENT NEW --for 1d", "", exitFailed, []string{"has a transient key", "Destination's own key"}},
		{"offline OWN OTHER --for 1d", "", exitFailed, []string{"exists"}},
		{"rotate TRANSIENT --for 1d", "", exitUsage, []string{"--own is not set"}},
		{"rotate OTHER --own OWN --for 1d", "", exitFailed, []string{"cannot be replaced", "onelease key offline"}},
		{"rotate TRANSIENT --own OTHER --for 1d", "", exitFailed, []string{"same Destination"}},
		{"rotate TRANSIENT --own TRANSIENT --for 1d", "", exitFailed, []string{"cannot permit another"}},
		{"rotate TRANSIENT --own OPEN --for 1d", "", exitFailed, []string{"chmod 600"}},
	} {
		args := strings.NewReplacer(
			"NOWHERE", filepath.Join(dir, "nowhere"), "NEW", filepath.Join(dir, "new"), "OWN", own, "OTHER", other,
			"TRANSIENT", transient, "OPEN", openKeys(t, own), "PUBLIC", public).Replace(test.args)
		r := inside(t.Context(), test.stdin, append([]string{"key"}, strings.Fields(args)...)...)
		if r.code != test.code || r.out != "" {
			t.Errorf("%s: exit code %d, want %d; printed %q", test.args, r.code, test.code, r.out)
		}
		for _, want := range test.want {
			if !strings.Contains(r.said, want) {
				t.Errorf("%s: %q does not say %q", test.args, r.said, want)
			}
		}
		if strings.Contains(r.said, i2p.Base64.EncodeToString(raw)[866:900]) {
			t.Errorf("%s: the private key is in %q", test.args, r.said)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("it has written %v", left)
	}
	if after, _ := os.ReadFile(transient); string(after) != string(before) {
		t.Error("the transient key's file was changed")
	}
}
