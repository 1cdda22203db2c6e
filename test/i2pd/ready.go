package i2pd

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/onelease/onelease/test/i2pd/samclient"
)

// probeInterval is how long to wait for a probe before opening another.
const probeInterval = 2 * time.Second

// remoteParams make sessions that are published soon and surely. i2pd 2.45.1 tries to
// publish when an inbound tunnel is built, gives up if there is no outbound one yet, and
// tries again only at the next inbound tunnel, which may be minutes later; with one hop each
// way that strands about a third of all sessions for 10 s and more. An outbound tunnel of no
// hops is there at once. The price: what the session sends does not hide where it comes
// from, which nobody minds here. Without the encryption type 2.45.1 gives SAM sessions
// ElGamal only, and they cannot reach a Destination that has X25519 only.
var remoteParams = []string{
	"inbound.length=1", "outbound.length=0", "inbound.quantity=2", "outbound.quantity=1", "i2cp.leaseSetEncType=4",
}

// ready waits until the routers can serve clients: on each, the inbound tunnels of a probe
// session have been built through other routers, and its LeaseSet has been found at a
// floodfill. The netDB is asked rather than SAM, because 2.45.1 answers SESSION CREATE at
// once or after 20 s, and never between.
func (n *Network) ready(ctx context.Context, routers ...*Router) error {
	ctx, cancel := context.WithCancel(ctx)
	group, ctx := errgroup.WithContext(ctx)
	watch := n.newWatch()
	var watching sync.WaitGroup
	watching.Go(func() { watch.run(ctx, func() bool { return false }) })
	defer watching.Wait()
	defer cancel()
	for _, r := range routers {
		group.Go(func() error { return r.probe(ctx, watch) })
	}
	return group.Wait()
}

// probe opens sessions, one after the other and all kept open, until one of them is
// published. More than one, because messages are lost while all routers start at once and
// connect to each other, and 2.45.1 repeats a first publication only after 25 s.
func (r *Router) probe(ctx context.Context, watch *netDBWatch) error {
	ctx, cancel := context.WithCancel(ctx)
	var sessions errgroup.Group
	defer sessions.Wait()
	defer cancel()
	var hashes [][32]byte
	var next time.Time
	return r.poll(ctx, "publish a LeaseSet", func() error {
		if time.Now().After(next) {
			hash, err := r.openProbe(ctx, &sessions)
			if err != nil {
				return err
			}
			hashes, next = append(hashes, hash), time.Now().Add(probeInterval)
		}
		return watch.hasAny(hashes)
	})
}

// openProbe opens a session that stays until ctx ends, without waiting for it, and returns
// the hash of its Destination.
func (r *Router) openProbe(ctx context.Context, sessions *errgroup.Group) ([32]byte, error) {
	public, private, err := samclient.Generate(ctx, r.SAMAddr())
	if err != nil {
		return [32]byte{}, err
	}
	sessions.Go(func() error {
		remote, err := samclient.Open(ctx, r.SAMAddr(), samclient.Options{PrivateKey: private, Params: remoteParams})
		if err == nil {
			<-ctx.Done()
			remote.Close()
		}
		return nil // a probe that fails is not found in the netDB, and that is looked for
	})
	return samclient.HashOf(public)
}

// OpenRemote opens a transient SAM user of this router and returns when its LeaseSet is at
// a floodfill, so that others can answer it; with 2.45.1 that is 20 s, the interval at
// which it looks whether a session is ready. The caller closes it. Params replace the
// defaults, which are one inbound hop, two inbound tunnels, and no outbound hop.
func (r *Router) OpenRemote(ctx context.Context, params ...string) (*samclient.Remote, error) {
	if len(params) == 0 {
		params = remoteParams
	}
	remote, err := samclient.Open(ctx, r.SAMAddr(), samclient.Options{Params: params})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r, err)
	}
	if err := r.network.AwaitLeaseSet(ctx, remote.Hash()); err != nil {
		remote.Close()
		return nil, fmt.Errorf("%s: %w", r, err)
	}
	return remote, nil
}
