package i2p

import (
	"errors"
	"strings"
	"testing"
)

func TestParseStored(t *testing.T) {
	k := mustGenerate(t)
	raw, err := someLeaseSet(k, 1).Sign(k)
	if err != nil {
		t.Fatal(err)
	}
	if ls, err := ParseStored(append([]byte{StoreLeaseSet2}, raw...)); err != nil || ls.Destination != k.Destination {
		t.Errorf("%v, %v", ls, err)
	}
	for says, c := range map[string]struct {
		in   []byte
		want error
	}{
		"RouterInfo":             {append([]byte{0}, raw...), ErrUnsupported},
		"LeaseSet:":              {append([]byte{1}, raw...), ErrUnsupported},
		"EncryptedLeaseSet":      {append([]byte{5}, raw...), ErrUnsupported},
		"MetaLeaseSet":           {append([]byte{7}, raw...), ErrUnsupported},
		"netDB entry of type 9":  {append([]byte{9}, raw...), ErrUnsupported},
		"netDB entry":            {nil, ErrTruncated},
		"with 1 bytes after it:": {append(append([]byte{3}, raw...), 0), ErrInvalid},
	} {
		if _, err := ParseStored(c.in); !errors.Is(err, c.want) || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v, want %v that says %q", err, c.want, says)
		}
	}
}
