package i2p

import (
	"bytes"
	"errors"
	"maps"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func genMapping() *rapid.Generator[Mapping] {
	return rapid.Custom(func(t *rapid.T) Mapping {
		text := rapid.StringN(0, 40, maxMappingString)
		return rapid.MapOfN(text, text, 0, 5).Draw(t, "mapping")
	})
}

func TestMappingGolden(t *testing.T) {
	got, err := Mapping{"b": "", "a": "=;", "": "x"}.AppendTo([]byte("before"))
	want := "before\x00\x11\x00=\x01x;\x01a=\x02=;;\x01b=\x00;"
	if err != nil || string(got) != want {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
}

// TestMappingOrder is that of Java's String.compareTo: the surrogates of
// U+10000 come before U+FFFD, though its UTF-8 comes after.
func TestMappingOrder(t *testing.T) {
	got, err := Mapping{"\U00010000": "", "\uFFFD": "", "z": "", "\xff": ""}.AppendTo(nil)
	want := "\x00\x19\x01z=\x00;\x04\U00010000=\x00;\x03\uFFFD=\x00;\x01\xff=\x00;"
	if err != nil || string(got) != want {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
}

func TestMappingRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := genMapping().Draw(t, "mapping")
		b, err := m.AppendTo(nil)
		if err != nil {
			t.Fatal(err)
		}
		again, n, err := ParseMapping(append(bytes.Clone(b), "more"...))
		if err != nil || n != len(b) || !maps.Equal(again, m) {
			t.Fatalf("read %v of %d bytes, %v", again, n, err)
		}
	})
}

func TestMappingTooLarge(t *testing.T) {
	m := Mapping{}
	for i := range 256 {
		m[strings.Repeat("k", i)] = strings.Repeat("v", 255)
	}
	if _, err := m.AppendTo(nil); !errors.Is(err, ErrInvalid) {
		t.Errorf("error %v, want ErrInvalid", err)
	}
}

func TestParseMappingRefuses(t *testing.T) {
	for in, want := range map[string]error{
		"":                               ErrTruncated,
		"\x00":                           ErrTruncated,
		"\x00\x01":                       ErrTruncated,
		"\x00\x01\x05":                   ErrTruncated,
		"\x00\x03\x01a=":                 ErrTruncated,
		"\x00\x06\x01a=\x01b=":           ErrInvalid,
		"\x00\x06\x01a;\x01b;":           ErrInvalid,
		"\x00\x0a\x01a=\x00;\x01a=\x00;": ErrInvalid, // twice
	} {
		if _, _, err := ParseMapping([]byte(in)); !errors.Is(err, want) {
			t.Errorf("%q: error %v, want %v", in, err, want)
		}
	}
}
