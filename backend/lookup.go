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
	var dest i2p.Destination
	err := h.askAround(ctx, name, func(ctx context.Context, client *sam.PacketClient) (err error) {
		dest, err = client.Lookup(ctx, name)
		return err
	})
	return dest, err
}

// LookupOptions is Lookup, and returns the options of the LeaseSet as well. They are
// nil, which is not the same as none, if the router does not tell them: i2pd does not.
// The error may also be sam.ResultLeaseSetNotFound.
func (h *Host) LookupOptions(ctx context.Context, name string) (i2p.Destination, i2p.Mapping, error) {
	var dest i2p.Destination
	var options i2p.Mapping
	err := h.askAround(ctx, name, func(ctx context.Context, client *sam.PacketClient) (err error) {
		dest, options, err = client.LookupOptions(ctx, name)
		return err
	})
	return dest, options, err
}

// askAround asks one frontend after the other until one knows a name.
func (h *Host) askAround(ctx context.Context, name string, ask func(context.Context, *sam.PacketClient) error) error {
	err := ErrNoFrontend
	for _, l := range h.links {
		client := l.live.Load()
		if client == nil {
			continue
		}
		if err = askOne(ctx, client, ask); err == nil {
			return nil
		}
		if ctx.Err() != nil || errors.Is(err, sam.ResultInvalidKey) {
			break
		}
	}
	return fmt.Errorf("look up %.60q: %w", name, err)
}

func askOne(ctx context.Context, client *sam.PacketClient, ask func(context.Context, *sam.PacketClient) error) error {
	ctx, cancel := context.WithTimeout(ctx, lookupPatience)
	defer cancel()
	return ask(ctx, client)
}
