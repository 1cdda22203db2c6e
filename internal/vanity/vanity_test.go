package vanity

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/onelease/onelease/i2p"
)

func generate(t testing.TB, kind i2p.SigType) *i2p.Keys {
	t.Helper()
	keys, err := i2p.GenerateKeysOf(kind)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// What is found has the prefix, the same signing key, and can be stored; for keys that
// leave padding, for those that leave none, and for one that goes on in the certificate.
func TestRun(t *testing.T) {
	for _, kind := range []i2p.SigType{i2p.SigEd25519, i2p.SigDSASHA1, i2p.SigECDSAP256, i2p.SigECDSAP384, i2p.SigECDSAP521} {
		keys := generate(t, kind)
		for _, prefix := range []string{"a", "7z", "Q2"} {
			s, err := New(prefix)
			if err != nil {
				t.Fatal(err)
			}
			found, err := s.Run(t.Context(), keys, 2)
			if err != nil {
				t.Fatal(err)
			}
			if b32 := found.Destination.Base32(); !strings.HasPrefix(b32, strings.ToLower(prefix)) {
				t.Errorf("%v: %s does not begin with %s", kind, b32, prefix)
			}
			if string(found.Signing) != string(keys.Signing) || string(found.Destination.SigningKey().Key) != string(keys.Destination.SigningKey().Key) {
				t.Errorf("%v: another signing key", kind)
			}
			if s.Tried() == 0 {
				t.Error("nothing was tried")
			}
		}
	}
}

// The short way of hashing gives the hash.
func TestTrialHashes(t *testing.T) {
	for _, kind := range []i2p.SigType{i2p.SigEd25519, i2p.SigECDSAP521} {
		trial := newTrial(generate(t, kind).Destination, 1<<56)
		for range 3 {
			got, sum := trial.next(), sha256.Sum256(trial.destination)
			if want := binary.BigEndian.Uint64(sum[:]); got != want {
				t.Errorf("%v: %x, want %x", kind, got, want)
			}
		}
	}
}

func TestPrefixes(t *testing.T) {
	for prefix, want := range map[string]string{
		"": "empty", "a.b": `'.'`, "onion1": `'1'`, "shop8": `'8'`, "a-b": `'-'`, "ä": `'ä'`, "aaaaaaaaaaaa": "12 characters",
		strings.Repeat("a", 52): "52 characters",
	} {
		if _, err := New(prefix); !errors.Is(err, ErrPrefix) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v does not say %q", prefix, err, want)
		}
	}
	s, err := New("abcdefghi23"[:MaxPrefix])
	if err != nil {
		t.Fatal(err)
	}
	if takes := s.Takes(1e9); takes < LongestSearch || takes > 2*LongestSearch {
		t.Errorf("%d characters take %v at 1e9/s, want a year and some days", MaxPrefix, takes)
	}
	if s.Takes(1e-9) <= 0 {
		t.Error("a time that is too long is none")
	}
}

// An interrupt ends a search that would not end.
func TestInterrupt(t *testing.T) {
	s, err := New(strings.Repeat("a", MaxPrefix))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	keys := generate(t, i2p.SigEd25519)
	go func() {
		_, err := s.Run(ctx, keys, 2)
		ended <- err
	}()
	for s.Tried() == 0 {
		runtime.Gosched()
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestOfflineIsRefused(t *testing.T) {
	keys := generate(t, i2p.SigEd25519)
	keys.Offline = &i2p.OfflineSignature{}
	s, _ := New("a")
	if _, err := s.Run(t.Context(), keys, 1); !errors.Is(err, i2p.ErrInvalid) {
		t.Error(err)
	}
}

func BenchmarkNext(b *testing.B) {
	trial := newTrial(generate(b, i2p.SigEd25519).Destination, 0)
	b.ReportAllocs()
	for b.Loop() {
		trial.next()
	}
}
