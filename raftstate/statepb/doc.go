// Package statepb has the replicated state of the balancers in the forms in
// which it lasts: commands in the raft log, and snapshots. Both are generated
// from state.proto, by
//
//	go -C tools run ./protogen -root .. raftstate/statepb/state.proto
//
// Build and check them with package raftstate; nothing here is validated.
package statepb
