package i2p

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func genLease() *rapid.Generator[Lease] {
	return rapid.Custom(func(t *rapid.T) Lease {
		return Lease{
			Gateway: Hash(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "gateway")),
			Tunnel:  rapid.Uint32().Draw(t, "tunnel"),
			End:     time.UnixMilli(rapid.Int64Range(0, maxDate*1000).Draw(t, "end")),
		}
	})
}

func TestLeaseRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lease := genLease().Draw(t, "lease")
		again, err := ParseLease(lease.AppendLease(nil))
		if err != nil || again != lease {
			t.Fatalf("%v, %v", again, err)
		}
		again, err = ParseLease2(lease.AppendLease2(nil))
		if want := lease.End.Truncate(time.Second); err != nil || !again.SameTunnel(lease) || !again.End.Equal(want) {
			t.Fatalf("%v, %v", again, err)
		}
	})
}

func TestParseLeaseRefuses(t *testing.T) {
	if _, err := ParseLease(make([]byte, LeaseSize-1)); !errors.Is(err, ErrTruncated) {
		t.Errorf("error %v, want ErrTruncated", err)
	}
	if _, err := ParseLease2(make([]byte, Lease2Size-1)); !errors.Is(err, ErrTruncated) {
		t.Errorf("error %v, want ErrTruncated", err)
	}
	late := make([]byte, LeaseSize)
	late[HashSize+4] = 0x80
	if _, err := ParseLease(late); !errors.Is(err, ErrInvalid) {
		t.Errorf("error %v, want ErrInvalid", err)
	}
}

func TestSameTunnel(t *testing.T) {
	a := Lease{Gateway: Hash{1}, Tunnel: 2, End: time.Unix(3, 0)}
	if b := (Lease{Gateway: Hash{1}, Tunnel: 2, End: time.Unix(4, 0)}); !a.SameTunnel(b) {
		t.Error("another end date makes another tunnel")
	}
	if b := (Lease{Gateway: Hash{1}, Tunnel: 3, End: a.End}); a.SameTunnel(b) {
		t.Error("another number makes the same tunnel")
	}
}
