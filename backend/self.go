package backend

import (
	"fmt"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/datagram"
	"github.com/onelease/onelease/i2p/streaming"
)

// self is who a Host is.
type self struct {
	datagram.Origin
	hash  i2p.Hash
	stack *streaming.Stack // nil without a Signer
}

// adopt makes dest the Destination of h, or checks that it is.
func (h *Host) adopt(dest i2p.Destination) error {
	if s := h.self.Load(); s != nil {
		return sameDestination(s.Destination, dest)
	}
	origin := datagram.Origin{Destination: dest, Signer: h.cfg.Signer, Offline: h.cfg.Offline}
	s := &self{Origin: origin, hash: dest.Hash()}
	if err := s.checkSigner(); err != nil {
		return err
	}
	if err := h.newStack(s); err != nil {
		return err
	}
	if !h.self.CompareAndSwap(nil, s) {
		return sameDestination(h.Destination(), dest)
	}
	return nil
}

func sameDestination(want, got i2p.Destination) error {
	if want == got {
		return nil
	}
	return fmt.Errorf("%w: it serves %s, this backend is of %s; correct its keys or leave it out", ErrMismatch, got.Base32(), want.Base32())
}

// checkSigner has the signer sign something, since a wrong key would else
// show only in that no remote ever answers.
func (s *self) checkSigner() error {
	if s.Signer == nil {
		return nil
	}
	key := s.Destination.SigningKey()
	if s.Offline != nil {
		if err := s.Offline.Verify(s.Destination); err != nil {
			return fmt.Errorf("offline signature is not of %s: %w", s.Destination.Base32(), err)
		}
		key = s.Offline.Key
	}
	probe := []byte("onelease backend: is this the right key?")
	signature, err := s.Signer.Sign(probe)
	if err != nil {
		return fmt.Errorf("signer of %s: %w", s.Destination.Base32(), err)
	}
	if err := key.Verify(probe, signature); err != nil {
		return fmt.Errorf("signer is not of %s, give the key file of that Destination: %w", s.Destination.Base32(), err)
	}
	return nil
}
