// Package ledger is what the balancers of one service agree on: the frontends
// and their tunnel pools, and which LeaseSets have been issued for each
// Destination. It is a small state machine: a State, and the commands that make
// another one of it.
//
//	d := store.State().Destination(hash)
//	seq, published := d.Next(time.Now())
//	_, err := store.Apply(ctx, ledger.Issue(hash, ledger.Record{Seq: seq, Published: published, ...}))
//	...       // err == nil: sign exactly that LeaseSet
//
// Its one hard promise is the fencing token: of all the LeaseSets ever issued
// for a Destination, no two have the same seq or published, and both rise in the
// order of the commands.
//
// It does not know what a LeaseSet looks like, holds no keys, signs nothing and
// has no clock in its state: when to issue, and whether a pool is alive, is for
// the balancer to decide. Nor does it know where it is kept: of several
// balancers it is replicated by raft (package raftstate), of one it is in a file
// (package balancer/solo). Neither is imported here, nor what they need: a
// program with one balancer links no raft.
//
// The formats are those of statepb/state.proto.
package ledger

// Files in a directory by which it can be told what keeps a ledger in it: the
// state of one kind is not that of the other, and to begin anew beside it would
// forget what was issued.
const (
	// RaftFile is package raftstate's.
	RaftFile = "raft.db"
	// SoloFile is package balancer/solo's.
	SoloFile = "ledger.bin"
)
