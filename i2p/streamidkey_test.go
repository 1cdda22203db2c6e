package i2p

import (
	"bytes"
	"testing"
)

// The key is the same each time, another one for each Destination, and not one of
// those that are for something else.
func TestStreamIDKey(t *testing.T) {
	one, err := GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	two, _ := GenerateKeys()
	a, err := one.StreamIDKey()
	if err != nil || len(a) != 32 {
		t.Fatalf("%d bytes, %v", len(a), err)
	}
	again, _ := one.StreamIDKey()
	b, _ := two.StreamIDKey()
	epoch, _ := one.EpochKey(0)
	if !bytes.Equal(a, again) || bytes.Equal(a, b) || bytes.Equal(a, epoch.Bytes()) {
		t.Errorf("%x, again %x, of another %x", a, again, b)
	}
	if _, err := (&Keys{}).StreamIDKey(); err == nil {
		t.Error("a key of nothing")
	}
}
