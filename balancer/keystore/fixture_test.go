package keystore

import (
	"os"
	"path/filepath"
	"testing"

	"filippo.io/age"

	"github.com/onelease/onelease/i2p"
)

func newTestKeys(t testing.TB) *i2p.Keys {
	t.Helper()
	keys, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// passphrase is a Secret that is fast to use.
func passphrase(t testing.TB, text string) *Secret {
	t.Helper()
	s, err := Passphrase([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	s.logN = 1
	return s
}

func write(t testing.TB, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func newIdentityText(t testing.TB) string {
	t.Helper()
	i, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return i.String()
}

func identity(t testing.TB) *Secret {
	t.Helper()
	s, err := IdentityFile(write(t, newIdentityText(t)+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// kinds are the secrets of each kind.
func kinds(t testing.TB) map[string]*Secret {
	return map[string]*Secret{"passphrase": passphrase(t, "correct horse"), "identity": identity(t)}
}
