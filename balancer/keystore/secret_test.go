package keystore

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
)

// opens reports whether s is the passphrase text.
func opens(t *testing.T, s *Secret, text string) bool {
	t.Helper()
	keys := newTestKeys(t)
	sealed, err := seal(keys, passphrase(t, text))
	if err != nil {
		t.Fatal(err)
	}
	got, err := unseal(sealed, s)
	return err == nil && got.Destination == keys.Destination
}

func TestPassphraseLosesOneNewline(t *testing.T) {
	long := strings.Repeat("x", maxPassphrase)
	for content, want := range map[string]string{
		"secret": "secret", "secret\n": "secret", "secret\r\n": "secret", "secret\n\n": "secret\n",
		" two words ": " two words ", "secret\r": "secret\r", long: long, long + "\r\n": long,
	} {
		s, err := PassphraseFile(write(t, content))
		if err != nil {
			t.Errorf("%.20q: %v", content, err)
		} else if !opens(t, s, want) {
			t.Errorf("%.20q is not read as %.20q", content, want)
		}
	}
}

func TestPassphraseRefuses(t *testing.T) {
	for name, content := range map[string]string{
		"empty": "", "newline": "\n", "Windows newline": "\r\n",
		"long": strings.Repeat("x", maxPassphrase+1), "huge": strings.Repeat("x", 1<<20),
	} {
		path := write(t, content)
		if s, err := PassphraseFile(path); !errors.Is(err, ErrInvalid) || s != nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, %v", name, s, err)
		}
	}
	if s, err := Passphrase(nil); !errors.Is(err, ErrInvalid) || s != nil {
		t.Errorf("nothing typed: %v, %v", s, err)
	}
}

func TestSecretFilesAreTheOwnersOnly(t *testing.T) {
	for name, read := range map[string]func(string) (*Secret, error){"passphrase": PassphraseFile, "identity": IdentityFile} {
		path := write(t, newIdentityText(t))
		for mode, good := range map[fs.FileMode]bool{0o600: true, 0o400: true, 0o640: false, 0o604: false, 0o620: false, 0o601: false} {
			os.Chmod(path, mode)
			s, err := read(path)
			if good && err != nil {
				t.Errorf("%s with mode %o: %v", name, mode, err)
			}
			if !good && (!errors.Is(err, ErrPermissions) || s != nil || !strings.Contains(err.Error(), "chmod 600 "+path)) {
				t.Errorf("%s with mode %o: %v, %v", name, mode, s, err)
			}
		}
		missing := filepath.Join(t.TempDir(), "missing")
		if _, err := read(missing); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), missing) {
			t.Errorf("%s that is not there: %v", name, err)
		}
	}
}

func TestIdentityFileRefuses(t *testing.T) {
	one, two := newIdentityText(t), newIdentityText(t)
	i, _ := age.ParseX25519Identity(one)
	for name, content := range map[string]string{
		"empty":     "",
		"comment":   "# created: today\n",
		"two":       one + "\n" + two + "\n",
		"recipient": i.Recipient().String(),
		"damaged":   one[:40] + "Q" + one[41:],
		"huge":      strings.Repeat("#", maxIdentity) + "\n" + one,
		"other":     "my passphrase",
	} {
		path := write(t, content)
		s, err := IdentityFile(path)
		if !errors.Is(err, ErrInvalid) || s != nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, %v", name, s, err)
		} else if strings.Contains(err.Error(), one[20:40]) || strings.Contains(err.Error(), "my passphrase") {
			t.Errorf("%s: the error quotes the file: %v", name, err)
		}
	}
}

func TestIdentitiesOfBothKinds(t *testing.T) {
	hybrid, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{newIdentityText(t), hybrid.String(), "# created: today\n" + newIdentityText(t) + "\n"} {
		s, err := IdentityFile(write(t, text))
		if err != nil {
			t.Error(err)
			continue
		}
		path, keys := filepath.Join(t.TempDir(), "destination.age"), newTestKeys(t)
		if err := Create(path, keys, s); err != nil {
			t.Error(err)
		}
		if got, err := Open(path, s); err != nil || !bytes.Equal(got.Bytes(), keys.Bytes()) {
			t.Errorf("%v: %v", got, err)
		}
	}
}

func TestNothingPrintsASecret(t *testing.T) {
	keyText := newIdentityText(t)
	id, err := IdentityFile(write(t, keyText))
	if err != nil {
		t.Fatal(err)
	}
	keys := newTestKeys(t)
	m := NewMemory(keys.Destination.Hash())
	if err := m.Set(keys); err != nil {
		t.Fatal(err)
	}
	pass := passphrase(t, "correct horse")
	type inside struct {
		Exported any
		hidden   *Secret
		value    Secret
		memory   *Memory
	}
	secrets := []string{
		keyText, "correct horse", fmt.Sprintf("%x", "correct horse"), fmt.Sprintf("%X", "correct horse"),
		strings.Trim(fmt.Sprint([]byte("correct horse")), "[]"),
		string(keys.Signing), fmt.Sprintf("%x", keys.Signing), fmt.Sprintf("%X", keys.Signing), strings.Trim(fmt.Sprint(keys.Signing), "[]"),
	}
	for name, v := range map[string]any{
		"passphrase": pass, "identity": id, "value": *pass, "memory": m, "struct": inside{pass, id, *pass, m},
	} {
		for way, text := range printed(t, v) {
			for _, s := range secrets {
				if strings.Contains(text, s) {
					t.Errorf("%s by %s reveals a secret: %s", name, way, text)
				}
			}
		}
	}
}

// printed is v in every way that a program might print it.
func printed(t *testing.T, v any) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		out[verb] = fmt.Sprintf(verb, v)
	}
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	out["JSON"] = string(text)
	var b bytes.Buffer
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "v", v)
	slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "v", v)
	out["slog"] = b.String()
	return out
}
