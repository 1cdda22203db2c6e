package i2p

import "fmt"

// Types of netDB entries, as in I2NP's DatabaseStore and I2CP's
// CreateLeaseSet2. The type of a LeaseSet2 is also signed before its body.
const (
	StoreRouterInfo        = 0
	StoreLeaseSet          = 1
	StoreLeaseSet2         = 3
	StoreEncryptedLeaseSet = 5
	StoreMetaLeaseSet      = 7
)

// A StoreType is the type of a netDB entry.
type StoreType byte

var storeNames = map[StoreType]string{
	StoreRouterInfo:        "RouterInfo",
	StoreLeaseSet:          "LeaseSet",
	StoreLeaseSet2:         "LeaseSet2",
	StoreEncryptedLeaseSet: "EncryptedLeaseSet",
	StoreMetaLeaseSet:      "MetaLeaseSet",
}

// String is the specification's name of t.
func (t StoreType) String() string {
	if name, ok := storeNames[t]; ok {
		return name
	}
	return fmt.Sprintf("netDB entry of type %d", byte(t))
}

// ParseStored reads a netDB entry: the byte of its type and the entry, to the
// end of b. Every type but LeaseSet2 is ErrUnsupported.
func ParseStored(b []byte) (*LeaseSet2, error) {
	if len(b) == 0 {
		return nil, fmt.Errorf("netDB entry: %w", ErrTruncated)
	}
	if t := StoreType(b[0]); t != StoreLeaseSet2 {
		return nil, fmt.Errorf("%v: only LeaseSet2 can be read: %w", t, ErrUnsupported)
	}
	ls, n, err := ParseLeaseSet2(b[1:])
	if err == nil && n != len(b)-1 {
		return nil, fmt.Errorf("LeaseSet2 with %d bytes after it: %w", len(b)-1-n, ErrInvalid)
	}
	return ls, err
}
