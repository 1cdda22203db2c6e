package i2cp

import (
	"bytes"
	"crypto/ecdh"
	"fmt"
	"time"

	"github.com/onelease/onelease/i2p"
)

// maxAhead is how far ahead of a router's clock a LeaseSet and its leases may end.
// i2pd drops one that goes beyond it without a word, while its ten seconds for
// an answer run. It also drops what was published over 12 minutes ago, but that
// has expired: a LeaseSet lives for 11 minutes at most.
const maxAhead = 12 * time.Minute

// checkLeaseSet refuses what a router would refuse: i2pd by silence, Java I2P
// by disconnecting. All errors are ErrInvalidLeaseSet.
func checkLeaseSet(b []byte, keys []PrivateKey, dest i2p.Destination, now time.Time) (*i2p.LeaseSet2, error) {
	ls, n, err := i2p.ParseLeaseSet2(b)
	if err == nil && n != len(b) {
		err = fmt.Errorf("%d bytes after its end", len(b)-n)
	}
	if err == nil && ls.Destination != dest {
		err = fmt.Errorf("it is of another Destination than the session")
	}
	if err == nil {
		err = checkDates(ls, now)
	}
	if err == nil {
		err = checkKeys(ls, keys)
	}
	if err == nil {
		err = ls.Verify()
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalidLeaseSet, err)
	}
	return ls, nil
}

func checkDates(ls *i2p.LeaseSet2, now time.Time) error {
	switch left := ls.Expires.Sub(now); {
	case left <= 0:
		return fmt.Errorf("expired %v ago", -left)
	case left > maxAhead:
		return fmt.Errorf("expires in %v, at most %v is taken", left, maxAhead)
	}
	for i, lease := range ls.Leases {
		if ahead := lease.End.Sub(now); ahead > maxAhead {
			return fmt.Errorf("lease %d ends in %v, at most %v is taken", i, ahead, maxAhead)
		}
	}
	return nil
}

// checkKeys compares private with public keys. Types other than X25519 it
// takes on trust.
func checkKeys(ls *i2p.LeaseSet2, keys []PrivateKey) error {
	if len(keys) != len(ls.Keys) {
		return fmt.Errorf("%d private keys for %d public ones", len(keys), len(ls.Keys))
	}
	for i, key := range keys {
		if key.Type != ls.Keys[i].Type {
			return fmt.Errorf("private key %d is of type %d, the public one of type %d", i, key.Type, ls.Keys[i].Type)
		}
		if key.Type != i2p.CryptoX25519 {
			continue
		}
		private, err := ecdh.X25519().NewPrivateKey(key.Key)
		if err != nil {
			return fmt.Errorf("private key %d of %d bytes is not an X25519 key", i, len(key.Key))
		}
		if !bytes.Equal(private.PublicKey().Bytes(), ls.Keys[i].Key) {
			return fmt.Errorf("private key %d does not belong to the public one", i)
		}
	}
	return nil
}
