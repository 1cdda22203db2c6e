// Package raftstate replicates what the balancers of one service agree on, a
// ledger.State, by hashicorp/raft.
//
//	store, err := raftstate.Open(raftstate.Config{ID: "balancer-1", Dir: "/var/lib/onelease/balancer"})
//	...
//	defer store.Close()
//	if leading := <-store.LeaderCh(); leading {
//		err := store.Barrier(ctx) // from here on State has all that earlier leaders committed
//		d := store.State().Destination(hash)
//		seq, published := d.Next(time.Now())
//		_, err = store.Apply(ctx, ledger.Issue(hash, ledger.Record{Seq: seq, Published: published, ...}))
//		...                       // err == nil: sign exactly that LeaseSet
//	}
//
// Its one hard promise is the ledger's, by whatever leader LeaseSets are issued:
// seq and published rise in the order of the log. A leader signs only what
// Apply has accepted, and a deposed leader's Apply cannot succeed, so no two
// balancers ever sign for the same moment.
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
// The formats on disk are raft-boltdb's, with commands and snapshots of
// statepb/state.proto.
package raftstate
