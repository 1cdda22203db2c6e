package pki

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var testSeal = Seal{1, 2, 3, 31: 0xff}

// openCAFiles are the files of an earlier version.
func openCAFiles(t *testing.T, ca *CA) (dir string) {
	t.Helper()
	dir = t.TempDir()
	key, err := encodeKey(ca.key())
	if err != nil {
		t.Fatal(err)
	}
	if err := saveNew(dir, file{caKeyFile, secretMode, key}, file{caCertFile, publicMode, ca.CertPEM()}); err != nil {
		t.Fatal(err)
	}
	return dir
}

// A CA that was opened is the one that was sealed.
func TestSealedCAIssues(t *testing.T) {
	ca := newTestCA(t)
	text, err := ca.MarshalSealed(testSeal)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := SaveAuthority(dir, text); err != nil {
		t.Fatal(err)
	}
	again, err := LoadSealed(dir, testSeal)
	if err != nil || again.Cluster() != ca.Cluster() || again.Pin() != ca.Pin() {
		t.Fatalf("%v with key %v became %v: %v", ca, ca.Pin(), again, err)
	}
	key := newTestKey(t)
	cert, err := again.Issue(Identity{ca.Cluster(), Balancer, "b2"}, key.Public(), 0, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewCredentials(key, cert, ca.CertPEM()); err != nil {
		t.Errorf("the first CA does not know it: %v", err)
	}
}

// Nothing of the key is to be read in what is written, and nothing but the seal opens it.
func TestSealedCAIsSealed(t *testing.T) {
	ca, dir := newTestCA(t), t.TempDir()
	if err := ca.SaveSealed(dir, testSeal); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, caSealedFile)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	block, err := sealedBlock(text)
	scalar, keyErr := ca.key().Bytes()
	if err != nil || keyErr != nil || bytes.Contains(block, scalar) {
		t.Fatalf("the key can be read in it, or not told: %v, %v", err, keyErr)
	}
	refuseSecrets(t, "the file", string(text), ca.key())
	if _, err := LoadSealed(dir, Seal{1}); !errors.Is(err, ErrSealed) || !strings.Contains(err.Error(), dir) {
		t.Errorf("another seal: %v", err)
	}
	spoilt := bytes.Clone(text)
	spoilt[len(spoilt)/2] ^= 1
	foreign, _ := newTestCA(t).sealed(testSeal)
	for name, b := range map[string][]byte{"spoilt": spoilt, "another CA's": foreign, "cut": text[:len(text)/2], "empty": nil, "more after it": append(bytes.Clone(text), "x"...)} {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := LoadSealed(dir, testSeal); !errors.Is(err, ErrInvalid) || got != nil || !strings.Contains(err.Error(), "another balancer's") {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	os.Chmod(path, 0o644)
	if _, err := LoadSealed(dir, testSeal); !errors.Is(err, ErrPermissions) || !strings.Contains(err.Error(), "chmod 600 "+path) {
		t.Errorf("key for all to read: %v", err)
	}
}

// The files of an earlier version are sealed, whatever a crash has left of the last try.
func TestSealFiles(t *testing.T) {
	for name, crash := range map[string]func(ca *CA, dir string) error{
		"as they were": func(*CA, string) error { return nil },
		"a crash before the open one was removed": func(ca *CA, dir string) error {
			key, err := ca.sealed(testSeal)
			return errors.Join(err, writeNew(filepath.Join(dir, caSealedFile), file{caSealedFile, secretMode, key}))
		},
		"a crash while the sealed one was written": func(_ *CA, dir string) error {
			return os.WriteFile(filepath.Join(dir, ".new-1"), []byte("half"), 0o600)
		},
	} {
		ca := newTestCA(t)
		dir := openCAFiles(t, ca)
		if err := crash(ca, dir); err != nil {
			t.Fatal(err)
		}
		opened, err := LoadOpen(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := opened.SealFiles(dir, testSeal); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		again, err := LoadSealed(dir, testSeal)
		if err != nil || !again.key().Equal(ca.key()) {
			t.Errorf("%s: %v, %v", name, again, err)
		}
		if HasOpen(dir) || !HasSealed(dir) {
			t.Errorf("%s: files %v", name, names(t, dir))
		}
	}
}

// A sealed key that is another one, or that does not open, may be the only copy.
func TestSealFilesReplacesNothing(t *testing.T) {
	ca, other := newTestCA(t), newTestCA(t)
	for name, seal := range map[string]Seal{"another seal": {9}, "another key": testSeal} {
		dir := openCAFiles(t, ca)
		from := ca
		if seal == testSeal {
			from = other
		}
		key, err := from.sealed(seal)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, caSealedFile)
		if err := os.WriteFile(path, key, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := ca.SealFiles(dir, testSeal); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
		if left, err := os.ReadFile(path); err != nil || !bytes.Equal(left, key) || !HasOpen(dir) {
			t.Errorf("%s: changed, or the open one is gone: %v, %v", name, names(t, dir), err)
		}
	}
}

// What another balancer sends may be of an earlier version, and nothing else.
func TestSaveAuthority(t *testing.T) {
	ca, other := newTestCA(t), newTestCA(t)
	key, err := encodeKey(ca.key())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := SaveAuthority(dir, slices.Concat(ca.CertPEM(), key)); err != nil {
		t.Fatal(err)
	}
	if again, err := LoadOpen(dir); err != nil || again.Pin() != ca.Pin() {
		t.Errorf("of an earlier version: %v, %v", again, err)
	}
	sealed, _ := ca.sealed(testSeal)
	for name, b := range map[string][]byte{
		"empty":             nil,
		"no key":            ca.CertPEM(),
		"no certificate":    key,
		"key of another CA": append(other.CertPEM(), key...),
		"cut":               append(ca.CertPEM(), sealed[:len(sealed)-40]...),
	} {
		dir := t.TempDir()
		if err := SaveAuthority(dir, b); !errors.Is(err, ErrInvalid) || len(names(t, dir)) > 0 {
			t.Errorf("%s: %v, files %v", name, err, names(t, dir))
		}
	}
}

func TestLoadOpenRefuses(t *testing.T) {
	dir := openCAFiles(t, newTestCA(t))
	path := filepath.Join(dir, caKeyFile)
	os.Chmod(path, 0o644)
	if _, err := LoadOpen(dir); !errors.Is(err, ErrPermissions) || !strings.Contains(err.Error(), "chmod 600 "+path) {
		t.Errorf("key for all to read: %v", err)
	}
	os.Remove(path)
	if _, err := LoadOpen(dir); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("no key: %v", err)
	}
	key, _ := encodeKey(newTestCA(t).key())
	os.WriteFile(path, key, 0o600)
	if _, err := LoadOpen(dir); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), dir) {
		t.Errorf("another CA's key: %v", err)
	}
}

func TestSealIsNotPrinted(t *testing.T) {
	for way, text := range printed(t, testSeal) {
		if strings.Contains(text, "ff") || strings.Contains(text, "255") || strings.Contains(text, "FF") {
			t.Errorf("by %s: %s", way, text)
		}
	}
	if got := fmt.Sprintf("%x", testSeal[:]); !strings.Contains(got, "ff") {
		t.Fatal("the test looks for what is not there")
	}
}

func FuzzSealedBlock(f *testing.F) {
	text, err := newTestCA(f).sealed(testSeal)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(t *testing.T, b []byte) {
		block, err := sealedBlock(b)
		if err == nil && len(block) <= nonceLen {
			t.Errorf("a block of %d bytes", len(block))
		}
	})
}
