package pki

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// names lists a directory.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func TestSaveAndLoad(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "here")
	ca := newTestCA(t)
	if err := ca.SaveSealed(dir, testSeal); err != nil {
		t.Fatal(err)
	}
	c := node(t, ca, Balancer, "b1")
	if err := c.Save(dir); err != nil {
		t.Fatal(err)
	}
	if got, want := names(t, dir), []string{"ca.crt", "ca.key.sealed", "node.crt", "node.key"}; !slices.Equal(got, want) {
		t.Errorf("files %v, want %v", got, want)
	}
	for name, mode := range map[string]fs.FileMode{".": 0o700, "ca.crt": 0o644, "ca.key.sealed": 0o600, "node.crt": 0o644, "node.key": 0o600} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s has mode %v, %v; want %v", name, info.Mode().Perm(), err, mode)
		}
	}
	if again, err := LoadSealed(dir, testSeal); err != nil || !again.key().Equal(ca.key()) || !again.cert.Equal(ca.cert) {
		t.Errorf("CA: %v, %v", again, err)
	}
	if again, err := Load(dir); err != nil || again.Identity() != c.Identity() || !again.key().Equal(c.key()) || again.CAPin() != ca.Pin() {
		t.Errorf("node: %v, %v", again, err)
	}
}

func TestSaveNeverOverwrites(t *testing.T) {
	ca := newTestCA(t)
	save := map[string]func(dir string) error{
		"CA":   func(dir string) error { return ca.SaveSealed(dir, testSeal) },
		"node": node(t, newTestCA(t), Balancer, "b1").Save,
	}
	for _, c := range []struct {
		what string
		own  []string
	}{{"CA", []string{"ca.crt", "ca.key.sealed"}}, {"node", []string{"ca.crt", "node.crt", "node.key"}}} {
		for _, taken := range c.own {
			dir := t.TempDir()
			path := filepath.Join(dir, taken)
			if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
				t.Fatal(err)
			}
			err := save[c.what](dir)
			if !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "move that file away") {
				t.Errorf("%s over %s: %v", c.what, taken, err)
			}
			if got := names(t, dir); !slices.Equal(got, []string{taken}) {
				t.Errorf("%s over %s leaves %v", c.what, taken, got)
			}
			if b, _ := os.ReadFile(path); string(b) != "precious" {
				t.Errorf("%s was overwritten", taken)
			}
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	ca, other := newTestCA(t), newTestCA(t)
	c, stranger := node(t, ca, Balancer, "b1"), node(t, other, Balancer, "b1")
	key, _ := encodeKey(stranger.key())
	damaged, _ := encodeKey(c.key())
	copy(damaged[60:], "AAAA")
	for name, f := range map[string]struct {
		file    string
		content []byte
		mode    fs.FileMode
		want    error
	}{
		"key for all to read":    {"node.key", nil, 0o604, ErrPermissions},
		"key for the group":      {"node.key", nil, 0o640, ErrPermissions},
		"key of another":         {"node.key", key, 0o600, ErrInvalid},
		"damaged key":            {"node.key", damaged, 0o600, ErrInvalid},
		"empty key":              {"node.key", []byte{}, 0o600, ErrInvalid},
		"huge key":               {"node.key", make([]byte, maxFile+1), 0o600, ErrInvalid},
		"certificate of another": {"node.crt", encodeCerts(stranger.leaf), 0o644, ErrInvalid},
		"CA as certificate":      {"node.crt", ca.CertPEM(), 0o644, ErrInvalid},
		"text after certificate": {"node.crt", append(encodeCerts(c.leaf), "x"...), 0o644, ErrInvalid},
		"CA of another cluster":  {"ca.crt", other.CertPEM(), 0o644, ErrCluster},
		"another CA":             {"ca.crt", newTestCAOf(t, ca.Cluster()).CertPEM(), 0o644, ErrUntrusted},
		"too many CAs":           {"ca.crt", bytes.Repeat(ca.CertPEM(), maxCerts+1), 0o644, ErrInvalid},
		"no CA":                  {"ca.crt", encodeCerts(c.leaf), 0o644, ErrInvalid},
	} {
		_, dir := saved(t, c)
		path := filepath.Join(dir, f.file)
		if f.content != nil {
			os.WriteFile(path, f.content, 0o600)
		}
		os.Chmod(path, f.mode)
		got, err := Load(dir)
		if !errors.Is(err, f.want) || got != nil || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %v, %v; want %v and the directory", name, got, err, f.want)
		}
		refuseSecrets(t, name, err.Error(), c.key(), stranger.key())
	}
}

func TestLoadNamesTheMissingFile(t *testing.T) {
	for _, name := range []string{"ca.crt", "node.crt", "node.key"} {
		_, dir := saved(t, node(t, newTestCA(t), Balancer, "b1"))
		os.Remove(filepath.Join(dir, name))
		if _, err := Load(dir); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), filepath.Join(dir, name)) {
			t.Errorf("without %s: %v", name, err)
		}
	}
}

func TestReplaceKeepsNodeAndKey(t *testing.T) {
	ca := newTestCA(t)
	c := node(t, ca, Frontend, "f1")
	_, dir := saved(t, c)
	for name, other := range map[string]*Credentials{
		"another name":    nodeWith(t, ca, c.key(), Identity{ca.Cluster(), Frontend, "f2"}, time.Now()),
		"another key":     node(t, ca, Frontend, "f1"),
		"another cluster": node(t, newTestCA(t), Frontend, "f1"),
	} {
		if err := other.Replace(dir); !errors.Is(err, ErrChanged) || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if again, err := Load(dir); err != nil || !again.leaf.Equal(c.leaf) {
		t.Fatalf("changed by what was refused: %v, %v", again, err)
	}
	next := nodeWith(t, ca, c.key(), c.Identity(), time.Now().Add(time.Minute))
	if err := next.Replace(dir); err != nil {
		t.Fatal(err)
	}
	if again, err := Load(dir); err != nil || !again.leaf.Equal(next.leaf) {
		t.Errorf("not the new certificate: %v, %v", again, err)
	}
	if got := names(t, dir); len(got) != 3 {
		t.Errorf("files %v, want three", got)
	}
}
