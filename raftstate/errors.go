package raftstate

import "errors"

// Errors of changes to the membership.
var (
	// ErrUnknownMember: the cluster has no node of that ID.
	ErrUnknownMember = errors.New("unknown member")
	// ErrQuorum: the cluster would lose its majority.
	ErrQuorum = errors.New("no majority would be left")
	// ErrUnreachable: the node does not answer. Start it, or wait, and repeat.
	ErrUnreachable = errors.New("node does not answer")
)

// Errors of Open and of what works on a directory.
var (
	// ErrNotMember: the directory, or the node, is that of another node or
	// cluster.
	ErrNotMember = errors.New("not a member of the cluster")
	// ErrBootstrapped: there is state already, and with it a cluster.
	ErrBootstrapped = errors.New("has state already")
	// ErrNoState: there is nothing to recover or to back up.
	ErrNoState = errors.New("has no state")
)
