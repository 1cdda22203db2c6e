package onelease

import (
	"context"
	"errors"

	"github.com/onelease/onelease/i2p"
)

// Lookup resolves a b32 address or a host name by the routers, for who has no
// Destination.
func (h *Hosting) Lookup(ctx context.Context, name string) (i2p.Destination, error) {
	return i2p.Destination{}, errors.ErrUnsupported
}
