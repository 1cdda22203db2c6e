package datagram

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p"
)

// The vectors of this file are self-made: put together by hand from the
// specification, with the signatures of package crypto/ed25519. Those that a
// real i2pd made are in vectors_test.go.

var (
	seed    = bytes.Repeat([]byte{0x5e}, ed25519.SeedSize)
	private = ed25519.NewKeyFromSeed(seed)
	target  = i2p.Hash(bytes.Repeat([]byte{0xaa}, i2p.HashSize))
	hello   = []byte("hello")
)

// testKeys are an Ed25519 Destination of that seed.
func testKeys(t testing.TB) *i2p.Keys {
	t.Helper()
	raw := bytes.Repeat([]byte{0x11}, keysSize-ed25519.PublicKeySize)
	raw = append(raw, private.Public().(ed25519.PublicKey)...)
	raw = append(raw, 5, 0, 4, 0, 7, 0, 0)
	dest, _, err := i2p.ParseDestination(raw)
	if err != nil {
		t.Fatal(err)
	}
	return &i2p.Keys{Destination: dest, Signing: seed}
}

func offlineOrigin(t testing.TB, expires time.Time) Origin {
	t.Helper()
	keys := testKeys(t)
	transient, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	offline, err := i2p.SignOffline(keys, transient.Destination.SigningKey(), expires)
	if err != nil {
		t.Fatal(err)
	}
	return Origin{Destination: keys.Destination, Signer: transient, Offline: offline}
}

func TestDatagram1Vector(t *testing.T) {
	keys := testKeys(t)
	want := slices.Concat(keys.Destination.Bytes(), ed25519.Sign(private, hello), hello)
	got, err := AppendDatagram1([]byte("x"), keys.Destination, keys, hello)
	if err != nil || !bytes.Equal(got, append([]byte("x"), want...)) {
		t.Fatalf("got %x, %v\nwant %x", got, err, want)
	}
	if len(want) != Overhead1(keys.Destination)+len(hello) {
		t.Errorf("Overhead1 is %d for %d bytes", Overhead1(keys.Destination), len(want))
	}
	// Ed25519 is deterministic, so the vector can be pinned.
	const sum = "40c9cd1f638919aa09b71e7f4e904af800d57f1b26c8ff92bdb6b3fe62200828"
	if h := sha256.Sum256(want); hex.EncodeToString(h[:]) != sum {
		t.Errorf("SHA-256 of the vector is %x, want %s", h, sum)
	}
	d, err := ParseDatagram1(want)
	if err != nil || !bytes.Equal(d.From, keys.Destination.Bytes()) || !bytes.Equal(d.Payload, hello) {
		t.Fatalf("parsed %+v, %v", d, err)
	}
	sender, err := ParseSender(d.From)
	if err != nil || sender.Destination != keys.Destination || sender.Hash != keys.Destination.Hash() {
		t.Fatalf("sender %+v, %v", sender, err)
	}
	if err := d.Verify(sender); err != nil {
		t.Error(err)
	}
	d.Payload = []byte("jello")
	if err := d.Verify(sender); !errors.Is(err, i2p.ErrSignature) {
		t.Errorf("a changed payload verifies: %v", err)
	}
}

func TestDatagram2Vector(t *testing.T) {
	keys := testKeys(t)
	body := slices.Concat([]byte{0, 0x12, 0, 6, 1, 'a', '=', 1, 'b', ';'}, hello)
	signature := ed25519.Sign(private, slices.Concat(target[:], body))
	want := slices.Concat(keys.Destination.Bytes(), body, signature)
	origin := Origin{Destination: keys.Destination, Signer: keys}
	got, err := AppendDatagram2([]byte("x"), origin, target, i2p.Mapping{"a": "b"}, hello)
	if err != nil || !bytes.Equal(got, append([]byte("x"), want...)) {
		t.Fatalf("got %x, %v\nwant %x", got, err, want)
	}
	const sum = "663470a056b2993555b1f8f211b27af06761436f4ef887b9dd957802ab225317"
	if h := sha256.Sum256(want); hex.EncodeToString(h[:]) != sum {
		t.Errorf("SHA-256 of the vector is %x, want %s", h, sum)
	}
	d, err := ParseDatagram2(want)
	if err != nil || !bytes.Equal(d.Payload, hello) || d.Offline != nil {
		t.Fatalf("parsed %+v, %v", d, err)
	}
	options, _, err := i2p.ParseMapping(d.Options)
	if err != nil || options["a"] != "b" {
		t.Errorf("options %v, %v", options, err)
	}
	sender := NewSender(keys.Destination)
	if err := d.Verify(sender, target, time.Now()); err != nil {
		t.Error(err)
	}
	if err := d.Verify(sender, i2p.Hash{}, time.Now()); !errors.Is(err, i2p.ErrSignature) {
		t.Errorf("verifies for another receiver: %v", err)
	}
}

func TestDatagram2Offline(t *testing.T) {
	now := time.Now()
	origin := offlineOrigin(t, now.Add(time.Hour))
	b, err := AppendDatagram2(nil, origin, target, nil, hello)
	if err != nil {
		t.Fatal(err)
	}
	if len(b) != origin.Overhead2()+len(hello) {
		t.Errorf("Overhead2 is %d, %d bytes in all", origin.Overhead2(), len(b))
	}
	d, err := ParseDatagram2(b)
	if err != nil || d.Offline == nil || !bytes.Equal(d.Payload, hello) {
		t.Fatalf("parsed %+v, %v", d, err)
	}
	sender := NewSender(origin.Destination)
	if err := d.Verify(sender, target, now); err != nil {
		t.Error(err)
	}
	if err := d.Verify(sender, target, now.Add(2*time.Hour)); !errors.Is(err, ErrExpired) {
		t.Errorf("after its end: %v", err)
	}
	d.Offline.Expires = now.Add(24 * time.Hour)
	if err := d.Verify(sender, target, now); !errors.Is(err, i2p.ErrSignature) {
		t.Errorf("with a permission that was changed: %v", err)
	}
}

func TestDatagram3Vector(t *testing.T) {
	want := slices.Concat(target[:], []byte{0, 3}, hello)
	got, err := AppendDatagram3(nil, target, nil, hello)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("got %x, %v", got, err)
	}
	d, err := ParseDatagram3(want)
	if err != nil || d.From != target || !bytes.Equal(d.Payload, hello) || d.Options != nil {
		t.Fatalf("parsed %+v, %v", d, err)
	}
}

// signerFunc signs as a key of some type.
type signerFunc struct {
	kind i2p.SigType
	sign func(message []byte) ([]byte, error)
}

func (s signerFunc) SigType() i2p.SigType                { return s.kind }
func (s signerFunc) Sign(message []byte) ([]byte, error) { return s.sign(message) }

func TestDSASignsTheHashInDatagram1Only(t *testing.T) {
	raw := make([]byte, headSize) // a null certificate: DSA
	dest, _, err := i2p.ParseDestination(raw)
	if err != nil {
		t.Fatal(err)
	}
	var signed []byte
	signer := signerFunc{i2p.SigDSASHA1, func(message []byte) ([]byte, error) {
		signed = bytes.Clone(message)
		return make([]byte, 40), nil
	}}
	if _, err := AppendDatagram1(nil, dest, signer, hello); err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(hello); !bytes.Equal(signed, sum[:]) {
		t.Errorf("datagram1 signs %x", signed)
	}
	if _, err := AppendDatagram2(nil, Origin{Destination: dest, Signer: signer}, target, nil, hello); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(signed, slices.Concat(target[:], []byte{0, 2}, hello)) {
		t.Errorf("datagram2 signs %x", signed)
	}
}

func TestECDSASender(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	raw := append(make([]byte, keysSize-64), point[1:]...)
	dest, _, err := i2p.ParseDestination(append(raw, 5, 0, 4, 0, 1, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	signer := signerFunc{i2p.SigECDSAP256, func(message []byte) ([]byte, error) {
		sum := sha256.Sum256(message)
		r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
		signature := make([]byte, 64)
		r.FillBytes(signature[:32])
		s.FillBytes(signature[32:])
		return signature, err
	}}
	b, err := AppendDatagram1(nil, dest, signer, hello)
	if err != nil {
		t.Fatal(err)
	}
	d, err := ParseDatagram1(b)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Verify(NewSender(dest)); err != nil {
		t.Error(err)
	}
}

func TestAppendRefuses(t *testing.T) {
	keys := testKeys(t)
	origin := Origin{Destination: keys.Destination, Signer: keys}
	large := make([]byte, MaxSize)
	if _, err := AppendDatagram1(nil, keys.Destination, keys, large); !errors.Is(err, ErrTooLarge) {
		t.Errorf("datagram1: %v", err)
	}
	if _, err := AppendDatagram2(nil, origin, target, nil, large); !errors.Is(err, ErrTooLarge) {
		t.Errorf("datagram2: %v", err)
	}
	if _, err := AppendDatagram3(nil, target, nil, large); !errors.Is(err, ErrTooLarge) {
		t.Errorf("datagram3: %v", err)
	}
	if _, err := AppendDatagram1(nil, keys.Destination, signerFunc{kind: i2p.SigECDSAP256}, hello); !errors.Is(err, i2p.ErrInvalid) {
		t.Errorf("datagram1 by a key of another type: %v", err)
	}
	fits := large[:MaxSize-origin.Overhead2()]
	if b, err := AppendDatagram2(nil, origin, target, nil, fits); err != nil || len(b) != MaxSize {
		t.Errorf("the largest datagram2: %d bytes, %v", len(b), err)
	}
}

func TestParseRefuses(t *testing.T) {
	keys := testKeys(t)
	dest := keys.Destination.Bytes()
	ff := func(at int, with ...byte) []byte {
		b := append(bytes.Clone(dest), make([]byte, 100)...)
		copy(b[at:], with)
		return b
	}
	for _, c := range []struct {
		name string
		b    []byte
		want error
	}{
		{"nothing", nil, i2p.ErrTruncated},
		{"half a Destination", dest[:200], i2p.ErrTruncated},
		{"a long certificate", ff(keysSize+1, 0xff, 0xff), i2p.ErrTruncated},
		{"an unknown certificate", ff(keysSize, 2), i2p.ErrUnsupported},
		{"a short key certificate", ff(keysSize+1, 0, 3), i2p.ErrUnsupported},
		{"an unknown key", ff(headSize, 0xee), i2p.ErrUnsupported},
		{"no signature", dest, i2p.ErrTruncated},
	} {
		if _, err := ParseDatagram1(c.b); !errors.Is(err, c.want) {
			t.Errorf("datagram1, %s: %v", c.name, err)
		}
		if _, err := ParseDatagram2(c.b); !errors.Is(err, c.want) {
			t.Errorf("datagram2, %s: %v", c.name, err)
		}
	}
	for _, flags := range [][]byte{{0, 3}, {0, 0x12}, {0, 0x12, 0xff, 0xff}, {0, 0x22, 1}, {0}} {
		if _, err := ParseDatagram2(append(bytes.Clone(dest), flags...)); err == nil {
			t.Errorf("datagram2 with flags %x is taken", flags)
		}
	}
	for _, tail := range [][]byte{{0}, {0, 2}, {0, 0x13, 0}, {0, 0x13, 0, 9}} {
		if _, err := ParseDatagram3(append(target[:], tail...)); err == nil {
			t.Errorf("datagram3 with %x is taken", tail)
		}
	}
}
