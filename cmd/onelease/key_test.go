package main

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p"
)

// golden is a key file that i2pd wrote.
const (
	golden    = "../../i2p/testdata/tunnel-sig7.dat"
	goldenB32 = "y6p4mvs63d2rkpprfln3rpqi77a6wa2mr536x6sd4p5obdkgj2iq.b32.i2p"
)

// inside runs the command within the test's process: key files need no other.
func inside(ctx context.Context, stdin string, args ...string) run {
	var out, said bytes.Buffer
	cmd := root()
	cmd.SetArgs(args)
	cmd.SetIn(strings.NewReader(stdin))
	cmd.SetOut(&out)
	cmd.SetErr(&said)
	err, code := cmd.ExecuteContext(ctx), 0
	if err != nil {
		said.WriteString(err.Error())
		code = exitFailed
		if errors.As(err, new(usageError)) {
			code = exitUsage
		}
	}
	return run{out.String(), said.String(), code}
}

// key runs a key command that must succeed.
func key(t *testing.T, args ...string) string {
	t.Helper()
	r := inside(t.Context(), "", append([]string{"key"}, args...)...)
	if r.code != 0 {
		t.Fatalf("key %s: %s", strings.Join(args, " "), r.said)
	}
	return r.out
}

// shown is what key show says of a file.
func shown(t *testing.T, path string) keyView {
	t.Helper()
	return decode[keyView](t, key(t, "show", path, "--json"))
}

// TestKeyGenerate makes keys that cluster init takes, and does it once.
func TestKeyGenerate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "site.dat")
	b32 := strings.TrimSpace(key(t, "generate", path))
	if v := shown(t, path); v.Address != b32 || v.Mode != "0600" || v.Format != "dat" || v.NotInCluster != "" || v.Offline != nil {
		t.Errorf("printed %s, and the file has %+v", b32, v)
	}
	before, _ := os.ReadFile(path)
	if r := inside(t.Context(), "", "key", "generate", path); r.code != exitFailed || !strings.Contains(r.said, "is there already") {
		t.Errorf("%+v", r)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file was changed: %v", err)
	}
	dir := filepath.Join(t.TempDir(), "b1")
	do(t, "cluster", "init", "--dir", dir, "--name", "b1", "--address", "127.0.0.1:1", "--keys", path, "--no-stored-keys")
}

func TestKeyGenerateOther(t *testing.T) {
	path := filepath.Join(t.TempDir(), "other.b64")
	v := decode[keyView](t, key(t, "generate", path, "--type", "1", "--format", "base64", "--vanity", "Ok", "--json"))
	if v.SignatureType != "ECDSA_SHA256_P256" || v.Format != "base64" || !strings.HasPrefix(v.Address, "ok") || v.NotInCluster == "" || v != shown(t, path) {
		t.Errorf("%+v", v)
	}
}

// TestVanityInterrupted: Ctrl-C ends a search, and leaves nothing.
func TestVanityInterrupted(t *testing.T) {
	dir := t.TempDir()
	d := start(t, "key", "generate", filepath.Join(dir, "site.dat"), "--vanity", "aaaaaaaa")
	d.says("on the average.\n")
	d.cmd.Process.Signal(os.Interrupt)
	if got := code(t, d.cmd.Wait()); got != exitFailed || !strings.Contains(d.log(), "interrupted: nothing was written") {
		t.Errorf("exit code %d: %s", got, d.log())
	}
	if left, err := os.ReadDir(dir); len(left) > 0 || err != nil {
		t.Error(left, err)
	}
}

func TestProgress(t *testing.T) {
	got := describeSearch(15e6, 33554432, 3*time.Second)
	if want := "15 million tried, 5 million/s; chance so far 36 %; about 7 s more"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if line := describeSearch(1.234e12, math.Pow(32, 8), 34*time.Hour); len(line) > 79 {
		t.Errorf("%d characters: %s", len(line), line)
	}
	for d, want := range map[time.Duration]string{
		time.Millisecond: "under a second", 90 * time.Second: "90 s", 90 * time.Minute: "90 minutes", 36 * time.Hour: "36 hours",
		1000 * time.Hour: "42 days", 30000 * time.Hour: "3 years",
	} {
		if got := long(d); got != want {
			t.Errorf("%v is %s, want %s", d, got, want)
		}
	}
}

// TestKeyMoves takes i2pd's own file there and back: byte for byte the same.
func TestKeyMoves(t *testing.T) {
	dir := t.TempDir()
	dat, b64, again := filepath.Join(dir, "site.dat"), filepath.Join(dir, "site.b64"), filepath.Join(dir, "again.dat")
	key(t, "import", golden, dat)
	key(t, "export", dat, "--output", b64)
	printed := key(t, "export", dat, "--output", "-")
	if content, _ := os.ReadFile(b64); string(content) != printed {
		t.Error("stdout has something else than the file")
	}
	if r := inside(t.Context(), printed, "key", "import", "-", again); r.code != 0 || !strings.Contains(r.out, goldenB32) {
		t.Errorf("%+v", r)
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(again); err != nil || !bytes.Equal(got, want) {
		t.Errorf("the keys were changed: %v", err)
	}
	for path, format := range map[string]string{dat: "dat", b64: "base64", again: "dat"} {
		if v := shown(t, path); v.Address != goldenB32 || v.Mode != "0600" || v.Format != format {
			t.Errorf("%+v", v)
		}
	}
}

// TestKeyShowIsPublic: nothing that show prints has any of the private part, whichever
// the type; it warns of a file that others may read.
func TestKeyShowIsPublic(t *testing.T) {
	files, err := filepath.Glob("../../i2p/testdata/tunnel-sig*.dat")
	if err != nil || len(files) < 5 {
		t.Fatal(files, err)
	}
	for _, path := range files {
		keys, err := i2p.ReadKeyFile(path)
		if err != nil {
			continue // GOST
		}
		open := openKeys(t, path)
		for _, args := range [][]string{{"show", open}, {"show", open, "--json"}} {
			out := key(t, args...)
			if !strings.Contains(out, keys.Destination.Base32()) || !strings.Contains(out, "chmod 600") {
				t.Error(out)
			}
			private := i2p.Base64.EncodeToString(keys.Bytes()[keys.Destination.Size():])
			for i := 0; i+12 <= len(private); i++ {
				if part := private[i : i+12]; part != "AAAAAAAAAAAA" && strings.Contains(out, part) {
					t.Fatalf("%s: prints %q", path, part)
				}
			}
		}
	}
}

// TestKeyDocs runs what docs/keys.md shows, in its order.
func TestKeyDocs(t *testing.T) {
	page, err := os.ReadFile("../../docs/keys.md")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	ran := 0
	for line := range strings.Lines(string(page)) {
		command, ok := strings.CutPrefix(line, "    onelease ")
		command, _, _ = strings.Cut(command, "#")
		if !ok || !strings.HasPrefix(command, "key ") {
			continue
		}
		ran++
		if r := inside(t.Context(), "", strings.Fields(command)...); r.code != 0 {
			t.Errorf("%s: %s", command, r.said)
		}
	}
	if ran < 7 {
		t.Errorf("ran %d commands", ran)
	}
}
