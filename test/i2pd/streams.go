package i2pd

import (
	"context"
	"fmt"
	"strings"

	"github.com/onelease/onelease/test/i2pd/samclient"
)

// StreamOptions say how to open a session for streams.
type StreamOptions struct {
	// Unpublished keeps the LeaseSet out of the netDB, as i2pd's client tunnels
	// and HTTP proxy do: only who is sent something can answer. SAM sessions are
	// published otherwise.
	Unpublished bool
	// Params replace the defaults, which are OpenRemote's.
	Params []string
}

// OpenStreams opens a transient SAM user of this router that has streams. Unless
// it is Unpublished, its LeaseSet is at a floodfill when OpenStreams returns. The
// caller closes it.
func (r *Router) OpenStreams(ctx context.Context, o StreamOptions) (*samclient.Streams, error) {
	params := o.Params
	if len(params) == 0 {
		params = remoteParams
	}
	if o.Unpublished {
		params = append([]string{r.network.dontPublish()}, params...)
	}
	streams, err := samclient.OpenStreams(ctx, r.SAMAddr(), samclient.Options{Params: params})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r, err)
	}
	if o.Unpublished {
		return streams, nil
	}
	if err := r.network.AwaitLeaseSet(ctx, streams.Hash()); err != nil {
		streams.Close()
		return nil, fmt.Errorf("%s: %w", r, err)
	}
	return streams, nil
}

// dontPublish is the session option that keeps a LeaseSet out of the netDB. 2.58
// reads it the other way round.
func (n *Network) dontPublish() string {
	if strings.HasPrefix(n.Version, "2.58.") {
		return "i2cp.dontPublishLeaseSet=false"
	}
	return "i2cp.dontPublishLeaseSet=true"
}
