package onelease_test

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/simnet"
)

// TestExistingKeys moves a Destination that i2pd made from one node to
// another, which reads it from a file of the other format.
func TestExistingKeys(t *testing.T) {
	for _, test := range []struct {
		name, b32   string
		golden      string // as i2pd wrote it
		secondAs    i2p.KeyFormat
		sameMachine bool // the second node has the state of the first
	}{
		{"from .dat to PRIV", tunnelB32(t, "tunnel-sig7.dat"), "i2p/testdata/tunnel-sig7.dat", i2p.KeyBase64, true},
		{"from PRIV to .dat", privB32(t), privFile(t), i2p.KeyBinary, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			inWorld(t, simnet.Config{Seed: 1}, simnet.I2PD245, func(w *world) {
				w.keys = readKeys(t, test.golden)
				first := w.config()
				stop := w.start(first)
				defer stop()
				w.addRemotes(1)
				w.checkServes(test.b32)
				stop()

				second := w.config()
				second.Keys = readKeys(t, rewritten(t, w.keys, test.secondAs))
				if test.sameMachine {
					second.Dir = first.Dir
				}
				defer w.start(second)()
				w.checkServes(test.b32)
			})
		})
	}
}

// checkServes waits until the netDB has the Destination under its golden name,
// and its remote is answered.
func (w *world) checkServes(b32 string) {
	w.t.Helper()
	hash, err := i2p.ParseBase32(b32)
	if err != nil {
		w.t.Fatal(err)
	}
	w.untilPublished(memberA, memberB)
	if raw, ok := w.network.Lookup(hash); !ok || w.leaseSet().Destination.Base32() != b32 {
		w.t.Fatalf("the netDB has %x under %s, found %v", raw, b32, ok)
	}
	finish := w.asking(200 * time.Millisecond)
	took := w.untilAnswered(2 * time.Minute)
	finish()
	finish = w.asking(200 * time.Millisecond)
	time.Sleep(10 * time.Second)
	q := finish()
	w.t.Logf("answered after %v, from then on %+v", took, q)
	if q.Lost > 0 {
		w.t.Errorf("%d of %d requests lost", q.Lost, q.Sent)
	}
}

// untilAnswered waits until every remote was answered since now.
func (w *world) untilAnswered(limit time.Duration) time.Duration {
	w.t.Helper()
	began := time.Now()
	return w.until(limit, "all remotes are answered", func() bool {
		_, ok := w.tally.Recovery(began)
		return ok
	})
}

func readKeys(t *testing.T, path string) *i2p.Keys {
	t.Helper()
	keys, err := i2p.ReadKeyFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// rewritten is a file with keys in that format.
func rewritten(t *testing.T, keys *i2p.Keys, format i2p.KeyFormat) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys")
	if err := i2p.WriteKeyFile(path, keys, format); err != nil {
		t.Fatal(err)
	}
	return path
}

// tunnelB32 is the address that i2pd logged for one of its key files.
func tunnelB32(t *testing.T, file string) string {
	return row(t, "i2p/testdata/tunnels.tsv", file)[5]
}

// privB32 and privFile are what i2pd answered to DEST GENERATE for an Ed25519
// Destination with an X25519 key.
func privB32(t *testing.T) string { return row(t, "i2p/testdata/dest-generate.tsv", "7", "4")[2] }

func privFile(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "priv")
	if err := os.WriteFile(path, []byte(row(t, "i2p/testdata/dest-generate.tsv", "7", "4")[4]), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// row is the first line of a table that begins with those fields.
func row(t *testing.T, path string, fields ...string) []string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), strings.Join(fields, "\t")+"\t") {
			return strings.Split(lines.Text(), "\t")
		}
	}
	t.Fatalf("%s has no line of %v", path, fields)
	return nil
}
