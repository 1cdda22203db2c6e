package backend

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/sam"
)

// lookupPatience is how long one frontend is waited for before the next is
// asked: a frontend answers within 15 s, whatever its router does.
const lookupPatience = 16 * time.Second

// Lookup resolves a b32 address or a host name through the frontends, one after
// the other until one knows it: a router may fail to find what another has, and
// host names are in each router's own address book. It fails with ErrNoFrontend,
// or with what the last one said, as sam.PacketClient.Lookup does.
func (h *Host) Lookup(ctx context.Context, name string) (i2p.Destination, error) {
	err := ErrNoFrontend
	for _, l := range h.links {
		client := l.live.Load()
		if client == nil {
			continue
		}
		var dest i2p.Destination
		if dest, err = lookUpBy(ctx, client, name); err == nil {
			return dest, nil
		}
		if ctx.Err() != nil || errors.Is(err, sam.ResultInvalidKey) {
			break
		}
	}
	return i2p.Destination{}, fmt.Errorf("look up %.60q: %w", name, err)
}

func lookUpBy(ctx context.Context, client *sam.PacketClient, name string) (i2p.Destination, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupPatience)
	defer cancel()
	return client.Lookup(ctx, name)
}
