package i2p

import (
	"encoding/binary"
	"fmt"
	"time"
)

// Sizes of encoded leases in bytes ("Lease", "Lease2").
const (
	LeaseSize  = 44
	Lease2Size = 40
)

// A Lease is one inbound tunnel of a Destination: whoever delivers to tunnel
// Tunnel at router Gateway before End reaches it. The same value stands for
// the older Lease (End in milliseconds) and for Lease2 (End in seconds).
type Lease struct {
	Gateway Hash
	Tunnel  uint32
	End     time.Time
}

// SameTunnel reports whether l and o are the same tunnel, whatever end date
// each gives it.
func (l Lease) SameTunnel(o Lease) bool { return l.Gateway == o.Gateway && l.Tunnel == o.Tunnel }

// AppendLease appends l as a Lease of 44 bytes.
func (l Lease) AppendLease(b []byte) []byte {
	b = append(b, l.Gateway[:]...)
	b = binary.BigEndian.AppendUint32(b, l.Tunnel)
	return binary.BigEndian.AppendUint64(b, uint64(l.End.UnixMilli()))
}

// AppendLease2 appends l as a Lease2 of 40 bytes; End loses its fraction of a second.
func (l Lease) AppendLease2(b []byte) []byte {
	b = append(b, l.Gateway[:]...)
	b = binary.BigEndian.AppendUint32(b, l.Tunnel)
	return binary.BigEndian.AppendUint32(b, uint32(l.End.Unix()))
}

// ParseLease reads the Lease of 44 bytes at the start of b.
func ParseLease(b []byte) (Lease, error) {
	if len(b) < LeaseSize {
		return Lease{}, fmt.Errorf("lease of %d bytes, want %d: %w", len(b), LeaseSize, ErrTruncated)
	}
	ms := binary.BigEndian.Uint64(b[HashSize+4:])
	if ms > maxDate*1000 {
		return Lease{}, fmt.Errorf("lease that ends at %d ms: %w", ms, ErrInvalid)
	}
	return Lease{
		Gateway: Hash(b[:HashSize]),
		Tunnel:  binary.BigEndian.Uint32(b[HashSize:]),
		End:     time.UnixMilli(int64(ms)),
	}, nil
}

// ParseLease2 reads the Lease2 of 40 bytes at the start of b.
func ParseLease2(b []byte) (Lease, error) {
	if len(b) < Lease2Size {
		return Lease{}, fmt.Errorf("lease of %d bytes, want %d: %w", len(b), Lease2Size, ErrTruncated)
	}
	return Lease{
		Gateway: Hash(b[:HashSize]),
		Tunnel:  binary.BigEndian.Uint32(b[HashSize:]),
		End:     time.Unix(int64(binary.BigEndian.Uint32(b[HashSize+4:])), 0),
	}, nil
}

// maxDate is the last date, in seconds, that the 4 bytes of a LeaseSet's
// dates can say: in February 2106.
const maxDate = 0xffffffff

// fitsDate reports whether t fits in 4 bytes.
func fitsDate(t time.Time) bool { return t.Unix() >= 0 && t.Unix() <= maxDate }
