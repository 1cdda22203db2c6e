// Package balancer is the leader's work: it collects the tunnel pools of all
// routers from their frontends, chooses leases, signs LeaseSets, hands them
// out, and decides when a LeaseSet is published.
//
// It carries no packets: while every balancer is away, the frontends serve on
// with the LeaseSets they have, and with the reserve that came with them.
//
//	b, err := balancer.New(balancer.Config{Keys: keys, Store: store})
//	controlpb.RegisterControlServer(grpcServer, b.Control())
//	err = b.Run(ctx)
//
// # Two kinds of LeaseSet
//
// The merged LeaseSet lists the leases of all members and is what the netDB
// has. Publishers get it, all the same bytes, since a router republishes what
// a floodfill returns differently. A member that is no publisher gets its own
// LeaseSet: only its own leases, short-lived, and never published. Its router
// bundles that with its replies, so that a remote stays with the one router
// that knows its session. Without it, a merged LeaseSet loses more than half
// of two-way traffic on stock routers with nothing failing.
//
// A frontend may be member and publisher at once. Its router then has the
// merged LeaseSet, and its own remotes are not held to it.
//
// A member that is drained before maintenance (Balancer.Drain) leaves the merged
// LeaseSet and keeps its own: newcomers go elsewhere, and the remotes that it
// serves stay. Each time that its own is renewed the others' are as well, and
// are newer, so that a remote that has moved on is not called back.
//
// # Order
//
// Each LeaseSet is first built, then committed as {seq, published, digest}
// through the replicated state, then signed exactly as committed, then handed
// out. With it goes, if `published` is near the clock, its reserve, which is one
// newer and lives as long as the tunnels (see order.place). `published` strictly rises over all LeaseSets of the Destination, kinds
// and members together, so that a remote that moves takes the newer. It has a
// resolution of one second: with many members their own LeaseSets are renewed
// less often, so that `published` keeps to the clock (see Policy.ownRefresh).
//
// # Office
//
// Of several balancers one is in office: the one whose Store leads, once it has
// all that earlier leaders committed. It starts from the frontends in the
// replicated state (office.go), and dates LeaseSets by the frontends' clocks
// (clock.go).
//
// # Keys
//
// The X25519 key of a key epoch is derived from the Destination's signing key
// (i2p.Keys.EpochKey). No key material is in the replicated state, and every
// balancer that holds the signing key has all epochs.
package balancer
