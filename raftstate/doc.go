// Package raftstate is what the balancers of one service agree on: the
// frontends and their tunnel pools, and which LeaseSets have been issued for
// each Destination. It is a small state machine, replicated by
// hashicorp/raft.
//
//	store, err := raftstate.Open(raftstate.Config{ID: "balancer-1", Dir: "/var/lib/onelease/balancer"})
//	...
//	defer store.Close()
//	if leading := <-store.LeaderCh(); leading {
//		err := store.Barrier(ctx) // from here on State has all that earlier leaders committed
//		d := store.State().Destination(hash)
//		seq, published := d.Next(time.Now())
//		_, err = store.Apply(ctx, raftstate.Issue(hash, raftstate.Record{Seq: seq, Published: published, ...}))
//		...                       // err == nil: sign exactly that LeaseSet
//	}
//
// Its one hard promise is the fencing token: of all the LeaseSets ever issued
// for a Destination, by whatever leader, no two have the same seq or
// published, and both rise in the order of the log. A leader signs only what
// Apply has accepted, and a deposed leader's Apply cannot succeed, so no two
// balancers ever sign for the same moment.
//
// The package does not know what a LeaseSet looks like, holds no keys, signs
// nothing and has no clock in its state: when to issue, and whether a pool is
// alive, is for the balancer to decide.
//
// A Store without a Transport is a cluster of one. With one, the first node is
// opened with Bootstrap, and the leader adds the others, which wait for that:
//
//	transport, err := raftstate.NewTransport(raftstate.TransportConfig{ID: "balancer-2", Cluster: "...", ...})
//	store, err := raftstate.Open(raftstate.Config{ID: "balancer-2", Dir: dir, Transport: transport})
//	...
//	err = leader.AddMember(ctx, "balancer-2", "192.0.2.2:7650", true)
//
// Nodes of two versions of this program work together while a cluster is
// upgraded, one by one: version.go says how.
//
// fsm.go is the state machine, a pure function that knows nothing of raft.
// The formats on disk are those of statepb/state.proto.
package raftstate
