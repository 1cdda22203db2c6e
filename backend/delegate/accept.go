package delegate

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/datagram"
)

const (
	// minLife is the least that a permission must be good for: less cannot be
	// renewed in time, and remotes' clocks may be a minute ahead.
	minLife = 5 * time.Minute
	// maxLife is the most: nobody can take a permission back, so one that is for
	// longer is a mistake, or somebody's wish.
	maxLife = 31 * 24 * time.Hour
)

// accept is what a reply, to a request with that transient key, lets this backend
// sign with, or why it is of no use.
func (c *Client) accept(reply *controlpb.DelegateReply, transient *i2p.Keys) (*datagram.Origin, error) {
	dest, n, err := i2p.ParseDestination(reply.GetDestination())
	if err == nil && n != len(reply.GetDestination()) {
		err = fmt.Errorf("%d bytes too many: %w", len(reply.GetDestination())-n, i2p.ErrInvalid)
	}
	if err != nil {
		return nil, fmt.Errorf("its Destination: %w", err)
	}
	if want := c.destination(); !want.IsZero() && want != dest {
		return nil, fmt.Errorf("it is of %s, this backend is of %s: correct the balancers' addresses", dest.Base32(), want.Base32())
	}
	if c.cfg.HandOver {
		return handedOver(reply.GetPrivateKeys(), dest)
	}
	offline, err := permission(reply.GetOfflineSignature(), dest, transient.Destination.SigningKey())
	if err != nil {
		return nil, err
	}
	return &datagram.Origin{Destination: dest, Signer: transient, Offline: offline}, nil
}

// permission reads dest's permission for key.
func permission(b []byte, dest i2p.Destination, key i2p.SigningPublicKey) (*i2p.OfflineSignature, error) {
	offline, n, err := i2p.ParseOfflineSignature(b, dest.SigType())
	switch {
	case err != nil:
		return nil, err
	case n != len(b):
		return nil, fmt.Errorf("offline signature with %d bytes too many: %w", len(b)-n, i2p.ErrInvalid)
	case offline.Key.Type != key.Type:
		return nil, fmt.Errorf("offline signature for a key of type %v, want %v: %w", offline.Key.Type, key.Type, i2p.ErrInvalid)
	case !bytes.Equal(offline.Key.Key, key.Key):
		return nil, fmt.Errorf("offline signature for another key: %w", i2p.ErrInvalid)
	}
	if err := checkLife(offline); err != nil {
		return nil, err
	}
	return offline, offline.Verify(dest)
}

func checkLife(o *i2p.OfflineSignature) error {
	life := time.Until(o.Expires)
	switch {
	case life <= 0:
		return fmt.Errorf("offline signature that ended at %s: set the clocks: %w", o.Expires.UTC().Format(time.RFC3339), datagram.ErrExpired)
	case life < minLife:
		return fmt.Errorf("offline signature for less than %v: set the clocks, or a longer life there", minLife)
	case life > maxLife:
		return fmt.Errorf("offline signature for more than %v: set the clocks, or a shorter life there", maxLife)
	}
	return nil
}

// handedOver reads dest's own keys.
func handedOver(b []byte, dest i2p.Destination) (*datagram.Origin, error) {
	if len(b) == 0 {
		return nil, errors.New("it has no private keys")
	}
	keys, err := i2p.ParseKeys(b)
	switch {
	case err != nil:
		return nil, err
	case keys.Destination != dest:
		return nil, errors.New("its private keys are of another Destination")
	}
	if keys.Offline != nil { // the balancers have no more than a permission themselves
		if err := checkLife(keys.Offline); err != nil {
			return nil, err
		}
	}
	return &datagram.Origin{Destination: dest, Signer: keys, Offline: keys.Offline}, nil
}
