package i2p

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestDestinationOfI2PD(t *testing.T) {
	for _, row := range readVectors(t, "dest-generate.tsv") {
		dest, err := ParseDestinationBase64(row[3])
		if !sigType(t, row[0]).Known() {
			continue // see TestKeysOfI2PD
		}
		if err != nil {
			t.Error(err)
			continue
		}
		crypto := CryptoType(sigType(t, row[1]))
		if dest.SigType() == SigDSASHA1 {
			crypto = CryptoElGamal // has no certificate to say otherwise
		}
		if dest.SigType() != sigType(t, row[0]) || dest.CryptoType() != crypto {
			t.Errorf("types %v and %d, want %s and %s", dest.SigType(), dest.CryptoType(), row[0], row[1])
		}
		if dest.Base32() != row[2] || dest.Base64() != row[3] || dest.Size() != len(dest.Bytes()) {
			t.Errorf("is %s, want %s", dest.Base32(), row[2])
		}
		hash, err := ParseBase32(strings.ToUpper(row[2]))
		if err != nil || hash != dest.Hash() {
			t.Errorf("%s reads as %v, %v", row[2], hash, err)
		}
		unpadded, err := ParseDestinationBase64(strings.TrimRight(row[3], "="))
		if err != nil || unpadded != dest {
			t.Errorf("not padded: %v", err)
		}
	}
}

func TestParseDestinationLeavesTheRest(t *testing.T) {
	dest := mustGenerate(t).Destination
	again, n, err := ParseDestination(append(dest.Bytes(), "more"...))
	if err != nil || n != dest.Size() || again != dest {
		t.Errorf("%v of %d bytes, %v", again, n, err)
	}
	if _, err := ParseDestinationBase64(Base64.EncodeToString(append(dest.Bytes(), 0))); !errors.Is(err, ErrInvalid) {
		t.Errorf("error %v, want ErrInvalid", err)
	}
}

func TestParseDestinationRefuses(t *testing.T) {
	keys := make([]byte, keysSize)
	for cert, want := range map[string]error{
		"":                                 ErrTruncated,
		"\x00\x00":                         ErrTruncated,
		"\x05\x00\x04\x00\x07\x00":         ErrTruncated,
		"\x00\x00\x01\x00":                 ErrInvalid,     // null with a payload
		"\x05\xff\xff":                     ErrInvalid,     // too large
		"\x05\x00\x02\x00\x07":             ErrTruncated,   // no crypto type
		"\x05\x00\x04\x00\x03\x00\x00":     ErrTruncated,   // P-521 without its last bytes
		"\x05\x00\x04\x00\x09\x00\x00":     ErrUnsupported, // GOST
		"\x01\x00\x00":                     ErrUnsupported, // hashcash
		"\x05\x00\x06\x00\x07\x00\x00more": nil,
	} {
		_, _, err := ParseDestination(append(bytes.Clone(keys), cert...))
		if !errors.Is(err, want) {
			t.Errorf("certificate %q: error %v, want %v", cert, err, want)
		}
	}
}

func TestParseBase32Refuses(t *testing.T) {
	name := mustGenerate(t).Destination.Base32()
	for in, want := range map[string]error{
		"":                               ErrInvalid,
		"example.i2p":                    ErrInvalid,
		name[1:]:                         ErrInvalid,
		"1" + name[1:]:                   ErrInvalid,
		strings.Repeat("a", 56):          ErrUnsupported, // b33
		strings.Repeat("a", 56) + ".i2p": ErrUnsupported,
	} {
		if _, err := ParseBase32(in); !errors.Is(err, want) {
			t.Errorf("%q: error %v, want %v", in, err, want)
		}
	}
}
