package i2p

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestGenerateKeysOf makes keys of each type, writes them and reads them again,
// and signs with what was read.
func TestGenerateKeysOf(t *testing.T) {
	sizes := map[SigType]int{SigDSASHA1: 387, SigECDSAP521: 395, SigRSA2048: 519, SigRSA3072: 647, SigRSA4096: 775}
	for _, kind := range slices.Sorted(maps.Keys(sigInfos)) {
		t.Run(kind.Code(), func(t *testing.T) {
			t.Parallel()
			k, err := GenerateKeysOf(kind)
			if err != nil {
				t.Fatal(err)
			}
			if want := max(sizes[kind], 387); want != k.Destination.Size() && (sizes[kind] != 0 || k.Destination.Size() != 391) {
				t.Errorf("%d bytes", k.Destination.Size())
			}
			again, err := ParseKeysBase64(k.Base64())
			if err != nil || again.SigType() != kind || again.Destination != k.Destination {
				t.Fatalf("read again: %v, %v", again, err)
			}
			signature, err := again.Sign([]byte("message"))
			if err != nil {
				t.Fatal(err)
			}
			checkVerifier(t, k.Destination.SigningKey(), []byte("message"), signature)
		})
	}
	if _, err := GenerateKeysOf(9); !errors.Is(err, ErrUnsupported) {
		t.Errorf("GOST: error %v, want ErrUnsupported", err)
	}
}

// A key of the right size and no other merit must not be taken.
func TestParseKeysRefusesPrivate(t *testing.T) {
	for _, kind := range []SigType{SigDSASHA1, SigECDSAP256, SigRSA2048, SigRedDSAEd25519} {
		k, err := GenerateKeysOf(kind)
		if err != nil {
			t.Fatal(err)
		}
		at := len(k.Signing) - 1
		if kind == SigRedDSAEd25519 { // little-endian: stay below the order
			at = 0
		}
		k.Signing = bytes.Clone(k.Signing)
		k.Signing[at] ^= 2
		if _, err := ParseKeys(k.Bytes()); !errors.Is(err, ErrInvalid) {
			t.Errorf("%v: error %v, want ErrInvalid", kind, err)
		}
	}
}

func TestParseSigType(t *testing.T) {
	for _, test := range []struct {
		in   string
		want SigType
	}{
		{"7", SigEd25519}, {"EdDSA_SHA512_Ed25519", SigEd25519}, {"EDDSA_SHA512_ED25519", SigEd25519},
		{"ed25519", SigEd25519}, {"EdDSA_SHA512_Ed25519ph", SigEd25519ph}, {"0", SigDSASHA1},
		{"dsa_sha1", SigDSASHA1}, {"RSA_SHA256_2048", SigRSA2048}, {"RedDSA_SHA512_Ed25519", SigRedDSAEd25519},
	} {
		if got, err := ParseSigType(test.in); got != test.want || err != nil {
			t.Errorf("%s is %v, %v", test.in, got, err)
		}
	}
	for kind := range sigInfos {
		for _, name := range []string{kind.Code(), strings.ToLower(kind.Code()), strconv.Itoa(int(kind))} {
			if got, err := ParseSigType(name); got != kind || err != nil {
				t.Errorf("%s is %v, %v", name, got, err)
			}
		}
	}
	for _, bad := range []string{"", "9", "12", "-1", "65536", "7 ", "Ed448", "GOST_GOSTR3411256_GOSTR3410CRYPTOPROA"} {
		if got, err := ParseSigType(bad); !errors.Is(err, ErrUnsupported) {
			t.Errorf("%q is %v, %v", bad, got, err)
		}
	}
}
