package keystore

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/onelease/onelease/i2p"
)

// created is a key file in a new directory.
func created(t *testing.T, keys *i2p.Keys, s *Secret) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "destination.age")
	if err := Create(path, keys, s); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCreateAndOpen(t *testing.T) {
	for kind, s := range kinds(t) {
		keys := newTestKeys(t)
		path := created(t, keys, s)
		got, err := Open(path, s)
		if err != nil || !bytes.Equal(got.Bytes(), keys.Bytes()) {
			t.Errorf("%s: %v, %v", kind, got, err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v", kind, info.Mode(), err)
		}
		if files, _ := os.ReadDir(filepath.Dir(path)); len(files) != 1 {
			t.Errorf("%s: %d files, want 1", kind, len(files))
		}
		if b, _ := os.ReadFile(path); bytes.Contains(b, keys.Signing) || bytes.Contains(b, keys.Destination.Bytes()) {
			t.Errorf("%s: the file shows what is in it", kind)
		}
	}
}

func TestNeverOverwritten(t *testing.T) {
	s, keys := identity(t), newTestKeys(t)
	path := created(t, keys, s)
	sealed, _ := ReadSealed(path)
	for doing, err := range map[string]error{"Create": Create(path, newTestKeys(t), s), "WriteSealed": WriteSealed(path, sealed)} {
		if !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "move it away") {
			t.Errorf("%s: %v", doing, err)
		}
	}
	if got, err := Open(path, s); err != nil || got.Destination != keys.Destination {
		t.Errorf("afterwards: %v, %v", got, err)
	}
	if files, _ := os.ReadDir(filepath.Dir(path)); len(files) != 1 {
		t.Errorf("%d files left, want 1", len(files))
	}
}

func TestCreateRefusesUnusableKeys(t *testing.T) {
	keys := newTestKeys(t)
	keys.Signing = newTestKeys(t).Signing
	path := filepath.Join(t.TempDir(), "destination.age")
	if err := Create(path, keys, identity(t)); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), path) {
		t.Error(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file is there: %v", err)
	}
}

func TestWrongSecret(t *testing.T) {
	right, other := kinds(t), kinds(t)
	other["passphrase"] = passphrase(t, "correct mouse")
	for kind, s := range right {
		path := created(t, newTestKeys(t), s)
		for given, wrong := range other {
			keys, err := Open(path, wrong)
			if !errors.Is(err, ErrWrongSecret) || keys != nil || !strings.Contains(err.Error(), path) {
				t.Errorf("%s opened with %s: %v, %v", kind, given, keys, err)
				continue
			}
			want := "it takes a" // the other kind
			if given == kind {
				want = `given at "onelease cluster init"`
			}
			if text := err.Error(); !strings.Contains(text, want) || strings.Contains(text, "mouse") {
				t.Errorf("%s opened with %s: %v", kind, given, err)
			}
		}
	}
}

func TestEveryTamperedByteIsRefused(t *testing.T) {
	for kind, s := range kinds(t) {
		path := created(t, newTestKeys(t), s)
		sealed, err := ReadSealed(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := unseal(sealed, s); err != nil {
			t.Fatal(err)
		}
		for i := range sealed {
			bad := bytes.Clone(sealed)
			bad[i] ^= 1 << (i % 8)
			if keys, err := unseal(bad, s); keys != nil || !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrWrongSecret) {
				t.Errorf("%s: byte %d of %d changed: %v, %v", kind, i, len(sealed), keys, err)
			}
		}
		for n := len(sealed) - 1; n >= 0; n -= 1 + n%9 {
			if keys, err := unseal(sealed[:n], s); keys != nil || !errors.Is(err, ErrDamaged) {
				t.Errorf("%s: cut to %d of %d bytes: %v, %v", kind, n, len(sealed), keys, err)
			}
		}
		if keys, err := unseal(append(sealed, 0), s); keys != nil || !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: a byte more: %v, %v", kind, keys, err)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	s := passphrase(t, "correct horse")
	seal := func(plain []byte, logN int) string {
		var b bytes.Buffer
		r, _ := age.NewScryptRecipient("correct horse")
		r.SetWorkFactor(logN)
		w, err := age.Encrypt(&b, r)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(plain)
		w.Close()
		return b.String()
	}
	keys := newTestKeys(t)
	hostile := strings.Replace(seal(keys.Bytes(), 1), " 1\n", " 30\n", 1) // 1 TiB of memory
	for name, c := range map[string]struct{ content, hint string }{
		"empty":           {"", "not an age file"},
		"a passphrase":    {"correct horse", "not an age file"},
		"keys not sealed": {string(keys.Bytes()), "not an age file"},
		"keys in base64":  {keys.Base64(), "not an age file"},
		"too large":       {seal(make([]byte, maxSealed), 1), "bytes"},
		"no keys in it":   {seal([]byte("hello"), 1), "not a Destination's keys"},
		"hostile":         {hostile, "work factor"},
	} {
		path := write(t, c.content)
		got, err := Open(path, s)
		if !errors.Is(err, ErrDamaged) || got != nil {
			t.Errorf("%s: %v, %v", name, got, err)
			continue
		}
		if text := err.Error(); !strings.Contains(text, path) || !strings.Contains(text, c.hint) {
			t.Errorf("%s: %q, want the path and %q", name, text, c.hint)
		}
		for _, secret := range []string{"correct horse", string(keys.Signing), keys.Base64()[:40]} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%s: the error quotes the file: %v", name, err)
			}
		}
	}
}

func TestOpenWithoutFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "destination.age")
	if _, err := Open(path, passphrase(t, "x")); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "cluster init") {
		t.Errorf("Open: %v", err)
	}
	if _, err := ReadSealed(path); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("ReadSealed: %v", err)
	}
}

func TestSealedGoesToAnotherBalancer(t *testing.T) {
	for kind, s := range kinds(t) {
		keys := newTestKeys(t)
		sealed, err := ReadSealed(created(t, keys, s))
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "destination.age")
		if err := WriteSealed(path, sealed); err != nil {
			t.Fatal(err)
		}
		if got, err := Open(path, s); err != nil || !bytes.Equal(got.Bytes(), keys.Bytes()) {
			t.Errorf("%s: %v, %v", kind, got, err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v", kind, info.Mode(), err)
		}
	}
}

func TestSealedMustBeAnAgeFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "destination.age")
	for name, b := range map[string][]byte{"empty": nil, "plain keys": newTestKeys(t).Bytes(), "large": make([]byte, maxSealed+1)} {
		if err := WriteSealed(path, b); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), path) {
			t.Errorf("WriteSealed of %s: %v", name, err)
		}
		if got, err := ReadSealed(write(t, string(b))); !errors.Is(err, ErrDamaged) || got != nil {
			t.Errorf("ReadSealed of %s: %d bytes, %v", name, len(got), err)
		}
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file is there: %v", err)
	}
}

// What a new file costs a thief. That the factor reaches the file is seen at 1,
// which is faster.
func TestWorkFactorOfNewFiles(t *testing.T) {
	s, err := Passphrase([]byte("correct horse"))
	if err != nil || s.logN != 18 {
		t.Fatalf("scrypt at %d, %v; want 18", s.logN, err)
	}
	s.logN = 1
	sealed, err := seal(newTestKeys(t), s)
	if err != nil {
		t.Fatal(err)
	}
	if stanza := strings.Split(string(sealed), "\n")[1]; !strings.HasPrefix(stanza, "-> scrypt ") || !strings.HasSuffix(stanza, " 1") {
		t.Errorf("the file begins with %q, want scrypt at 1", stanza)
	}
}
