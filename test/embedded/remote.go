package embedded

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/simnet"
	"github.com/onelease/onelease/i2p/streaming"
)

const (
	// dialTime bounds a DialContext whose context has no deadline.
	dialTime = time.Minute
	// lookAgain is how often it looks whether it can begin.
	lookAgain = 10 * time.Millisecond
)

// A Remote is somebody else on the network: a Destination on a router of its own,
// which publishes its LeaseSet.
type Remote struct {
	*simnet.Remote
	network *Network
}

// Remote adds one.
func (n *Network) Remote() *Remote {
	return &Remote{n.NewRemote(simnet.RemoteConfig{Profile: n.profile, Published: true, Streams: true}), n}
}

// DialContext begins a stream to "host:port", where the host is a b32 address or one of
// Config.Names, and fits http.Transport.DialContext.
// Unlike on a real router it waits until the Destination is in the netDB, so that a
// program can start one and ask it at once; for a minute if ctx has no deadline.
// The errors are those of Stack.Dial, simnet.ErrRouterDown and ErrClosed, and that
// of ctx.
func (r *Remote) DialContext(ctx context.Context, _, address string) (net.Conn, error) {
	conn, err := r.dial(ctx, address)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: i2p.Network, Err: fmt.Errorf("%.80s: %w", address, err)}
	}
	return conn, nil
}

func (r *Remote) dial(ctx context.Context, address string) (*streaming.Stream, error) {
	if host, port, err := net.SplitHostPort(address); err == nil {
		if hash, ok := r.network.Resolve(host); ok {
			address = net.JoinHostPort(hash.Base32(), port)
		}
	}
	addr, err := i2p.ParseAddr(address)
	if err != nil {
		return nil, err
	}
	if _, ok := ctx.Deadline(); !ok {
		limited, cancel := context.WithTimeout(ctx, dialTime)
		defer cancel()
		ctx = limited
	}
	to, err := r.await(ctx, addr.Hash)
	if err != nil {
		return nil, err
	}
	stack := r.Stack()
	if stack == nil {
		return nil, simnet.ErrRouterDown
	}
	return stack.Dial(ctx, to, 0, addr.Port)
}

// await waits until r has tunnels and the netDB has the LeaseSet of hash.
func (r *Remote) await(ctx context.Context, hash i2p.Hash) (*streaming.Remote, error) {
	ticker := time.NewTicker(lookAgain)
	defer ticker.Stop()
	for {
		raw, published := r.network.Lookup(hash)
		if published && r.Ready() {
			leaseSet, _, err := i2p.ParseLeaseSet2(raw)
			if err != nil {
				return nil, err
			}
			return streaming.NewRemote(leaseSet.Destination), nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("not in the netDB, or this remote has no tunnels: %w", context.Cause(ctx))
		case <-ticker.C:
		}
	}
}

// Client is an HTTP client whose connections r dials.
func (r *Remote) Client() *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: r.DialContext}}
}
