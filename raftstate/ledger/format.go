//go:build !onelease_nextformat

package ledger

// Version is the newest version of commands and snapshots that this package
// reads and writes. It reads all from 1 on.
//
// A command is made with the lowest version that has its operation, and Apply
// writes it with that which raftstate.Store.WriteVersion tells.
const Version = 2
