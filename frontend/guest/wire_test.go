package guest

import (
	"bytes"
	"encoding/hex"
	"errors"
	"maps"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/i2cp"
)

// golden are headers as they have always been on the wire.
var golden = []struct {
	header header
	bytes  string
}{
	{header{kindOpen, roleMember | rolePublisher, 1, instance{15: 0xff}}, "01010300" + "00000001" + "000000000000000000000000000000ff"},
	{header{kindOpen, roleRefuge, 2, instance{0: 1}}, "01010400" + "00000002" + "01000000000000000000000000000000"},
	{header{kindSAM, 0, 0x01020304, instance{}}, "01020000" + "01020304" + "00000000000000000000000000000000"},
	{header{kindControl, 0, 0xffffffff, instance{}}, "01030000" + "ffffffff" + "00000000000000000000000000000000"},
	{header{kindLookup, 0, 0, instance{}}, "01040000" + "00000000" + "00000000000000000000000000000000"},
}

func TestHeaderGolden(t *testing.T) {
	for _, test := range golden {
		if got := hex.EncodeToString(test.header.append(nil)); got != test.bytes {
			t.Errorf("%+v: %s, want %s", test.header, got, test.bytes)
		}
		b, _ := hex.DecodeString(test.bytes)
		if got, err := readHeader(bytes.NewReader(b)); err != nil || got != test.header {
			t.Errorf("%s: %+v, %v", test.bytes, got, err)
		}
	}
}

func TestHeaderRefused(t *testing.T) {
	for _, text := range []string{
		"", "01010300",
		"02010300" + "00000001" + "000000000000000000000000000000ff", // another version
		"01000000" + "00000001" + "000000000000000000000000000000ff", // no kind
		"01050000" + "00000001" + "000000000000000000000000000000ff", // an unknown one
		"01010000" + "00000001" + "000000000000000000000000000000ff", // a guest without a role
		"01010800" + "00000001" + "000000000000000000000000000000ff", // an unknown role
		"01010301" + "00000001" + "000000000000000000000000000000ff",
		"01010300" + "00000000" + "000000000000000000000000000000ff", // no ID
		"01020100" + "00000001" + "000000000000000000000000000000ff", // SAM with a role
		"01040000" + "00000001" + "000000000000000000000000000000ff", // a lookup with an ID
		"01040000" + "00000000" + "00000000000000000000000000000000ff",
	} {
		b, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		if h, err := parseHeader(b); !errors.Is(err, errHeader) {
			t.Errorf("%s: %+v, %v", text, h, err)
		}
	}
}

func TestReplyRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		code := result(rapid.IntRange(0, int(results)-1).Draw(t, "result"))
		text := rapid.StringN(0, 200, 400).Draw(t, "text")
		got, err := readReply(bytes.NewReader(appendReply(nil, code, text)))
		refusal, refused := errors.AsType[*Refusal](err)
		switch {
		case code == resultOK && (err != nil || string(got) != text):
			t.Errorf("OK %q: %q, %v", text, got, err)
		case code != resultOK && (!refused || refusal.code != code || refusal.text != text):
			t.Errorf("%d %q: %v", code, text, err)
		}
	})
}

func TestReplyIsBounded(t *testing.T) {
	if b := appendReply(nil, resultFailed, strings.Repeat("x", 70_000)); len(b) != 3+maxText {
		t.Errorf("%d bytes", len(b))
	}
	for _, b := range [][]byte{{0, 0xff, 0xff}, {byte(results), 0, 0}, {1, 0, 1, 0xff}} {
		if text, err := readReply(bytes.NewReader(b)); !errors.Is(err, errReply) {
			t.Errorf("%x: %q, %v", b, text, err)
		}
	}
}

func FuzzHeader(f *testing.F) {
	for _, test := range golden {
		b, _ := hex.DecodeString(test.bytes)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if h, err := parseHeader(b); err == nil && !bytes.Equal(h.append(nil), b) {
			t.Errorf("%x is read as %+v", b, h)
		}
	})
}

func FuzzReply(f *testing.F) {
	f.Add(appendReply(nil, resultOK, "destination"))
	f.Add(appendReply(nil, resultQuota, "too many"))
	f.Fuzz(func(t *testing.T, b []byte) {
		text, err := readReply(bytes.NewReader(b))
		refusal, refused := errors.AsType[*Refusal](err)
		switch {
		case err == nil && !bytes.HasPrefix(b, appendReply(nil, resultOK, string(text))):
			t.Errorf("%x is read as %q", b, text)
		case refused && !bytes.HasPrefix(b, appendReply(nil, refusal.code, refusal.text)):
			t.Errorf("%x is read as %v", b, refusal)
		}
	})
}

// founds are answers to lookups.
func founds(t testing.TB) map[string]Found {
	keys, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	return map[string]Found{
		"bare":       {Destination: keys.Destination},
		"no options": {Destination: keys.Destination, Options: i2p.Mapping{}},
		"options":    {Destination: keys.Destination, Options: i2p.Mapping{"_smtp._tcp": "1 86400 0 0 25 mail.i2p"}},
	}
}

func TestFoundRoundTrip(t *testing.T) {
	for name, want := range founds(t) {
		b, err := appendFound(nil, want, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := parseFound(b)
		if err != nil || got.Destination.Hash() != want.Destination.Hash() || !maps.Equal(got.Options, want.Options) || (got.Options == nil) != (want.Options == nil) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if _, err := parseFound(b[:len(b)-1]); !errors.Is(err, errReply) {
			t.Errorf("%s, cut: %v", name, err)
		}
		b, err = appendFound(nil, Found{Destination: want.Destination}, i2cp.ErrNoLeaseSet)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := parseFound(b); !errors.Is(err, i2cp.ErrNoLeaseSet) || got.Destination.Hash() != want.Destination.Hash() {
			t.Errorf("%s without a LeaseSet: %+v, %v", name, got, err)
		}
	}
	b, _ := appendFound(nil, Found{}, i2cp.ErrNoLeaseSet)
	if got, err := parseFound(b); !errors.Is(err, i2cp.ErrNoLeaseSet) || !got.Destination.IsZero() {
		t.Errorf("neither: %+v, %v", got, err)
	}
}

func FuzzFound(f *testing.F) {
	for _, found := range founds(f) {
		b, _ := appendFound(nil, found, nil)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		found, err := parseFound(b)
		if err != nil && !errors.Is(err, i2cp.ErrNoLeaseSet) {
			return
		}
		again, bad := appendFound(nil, found, err)
		if bad == nil && len(again) != len(b) {
			t.Errorf("%x is read as %+v, %v", b, found, err)
		}
	})
}
