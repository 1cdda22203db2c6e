package backend

import (
	"fmt"
	"log/slog"
	"sync/atomic"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/streaming"
)

// self is who a Host is.
type self struct {
	Destination i2p.Destination
	hash        i2p.Hash
	log         *slog.Logger
	credentials Credentials // nil if nothing is signed
	verdict     atomic.Pointer[verdict]
	unsigned    atomic.Uint64
	stack       *streaming.Stack // nil without credentials
}

// adopt makes dest the Destination of h, or checks that it is.
func (h *Host) adopt(dest i2p.Destination) error {
	if s := h.self.Load(); s != nil {
		return sameDestination(s.Destination, dest)
	}
	s := &self{Destination: dest, hash: dest.Hash(), log: h.log, credentials: h.cfg.Credentials}
	if h.cfg.Signer != nil {
		s.credentials = &fixed{Destination: dest, Signer: h.cfg.Signer, Offline: h.cfg.Offline}
		if err := s.checkFixed(); err != nil {
			return err
		}
	}
	if err := h.newStack(s); err != nil {
		return err
	}
	if !h.self.CompareAndSwap(nil, s) {
		return sameDestination(h.Destination(), dest)
	}
	return nil
}

// checkFixed refuses at once what will never do.
func (s *self) checkFixed() error {
	o := s.credentials.Origin()
	if err := checkOrigin(s.Destination, o); err != nil {
		return err
	}
	_, err := s.newest()
	return err
}

func sameDestination(want, got i2p.Destination) error {
	if want == got {
		return nil
	}
	return fmt.Errorf("%w: it serves %s, this backend is of %s; correct its keys or leave it out", ErrMismatch, got.Base32(), want.Base32())
}
