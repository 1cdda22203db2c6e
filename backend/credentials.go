package backend

import (
	"fmt"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/datagram"
)

// Credentials are what signs for the Destination, where that changes: package
// delegate has some, which the balancers permit for a day at a time. Their
// methods are called by many goroutines.
type Credentials interface {
	// Origin is the newest, or nil while there is none. It is called for all
	// that is signed, also with locks held, and must not block. It returns the
	// same pointer until there is another, and what that points to must not change:
	// each pointer is checked once.
	Origin() *datagram.Origin
	// Changed is closed when Origin returns another than it did before the call.
	Changed() <-chan struct{}
}

// fixed are Credentials that never change: Config's Signer and Offline.
type fixed datagram.Origin

func (f *fixed) Origin() *datagram.Origin { return (*datagram.Origin)(f) }

// Changed is nil, which is never closed.
func (f *fixed) Changed() <-chan struct{} { return nil }

// errNoPermission says that Credentials have nothing so far.
var errNoPermission = fmt.Errorf("%w: no permission from the balancers yet", ErrNoSigner)

// origin is what signs something new, or why nothing can: ErrNoSigner, which is
// counted.
func (s *self) origin() (*datagram.Origin, error) {
	o, err := s.newest()
	if err != nil {
		s.unsigned.Add(1)
	}
	return o, err
}

// newest is origin without the count.
func (s *self) newest() (*datagram.Origin, error) {
	if s.credentials == nil {
		return nil, errUnset
	}
	o := s.credentials.Origin()
	if o == nil {
		return nil, errNoPermission
	}
	if err := s.check(o); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoSigner, err)
	}
	if o.Expired(time.Now()) {
		return nil, fmt.Errorf("%w: the permission ends at %s and there is no newer one: %w",
			ErrNoSigner, o.Offline.Expires.UTC().Format(time.RFC3339), datagram.ErrExpired)
	}
	return o, nil
}

// A verdict is what check found.
type verdict struct {
	origin *datagram.Origin
	err    error
}

// check looks at each new Origin once; it is called for each packet that is signed.
func (s *self) check(o *datagram.Origin) error {
	if v := s.verdict.Load(); v != nil && v.origin == o {
		return v.err
	}
	err := checkOrigin(s.Destination, o)
	s.verdict.Store(&verdict{o, err})
	if err != nil {
		s.log.Error("the new signing key is of no use", "error", err)
	}
	return err
}

// checkOrigin has o sign something as dest, since a wrong key would else show
// only in that no remote ever answers.
func checkOrigin(dest i2p.Destination, o *datagram.Origin) error {
	if o.Destination != dest {
		return fmt.Errorf("%w: the signing key is of %s, this backend is of %s; correct the balancers' addresses or the frontends'",
			ErrMismatch, o.Destination.Base32(), dest.Base32())
	}
	key := dest.SigningKey()
	if o.Offline != nil {
		if err := o.Offline.Verify(dest); err != nil {
			return fmt.Errorf("offline signature is not of %s: %w", dest.Base32(), err)
		}
		key = o.Offline.Key
	}
	probe := []byte("onelease backend: is this the right key?")
	signature, err := o.Signer.Sign(probe)
	if err != nil {
		return fmt.Errorf("signer of %s: %w", dest.Base32(), err)
	}
	if err := key.Verify(probe, signature); err != nil {
		return fmt.Errorf("signer is not of %s, give the key file of that Destination: %w", dest.Base32(), err)
	}
	return nil
}

// until is when the permission of the newest Origin ends; zero if it needs none.
func (s *self) until() time.Time {
	if s.credentials == nil {
		return time.Time{}
	}
	if o := s.credentials.Origin(); o != nil && o.Offline != nil {
		return o.Offline.Expires
	}
	return time.Time{}
}

var _ Credentials = (*fixed)(nil)
