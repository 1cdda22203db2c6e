// Package solo keeps the state of a balancer that is alone, in one file, for a
// program that links all parts and no raft. It is a balancer.Store that leads
// from Open to Close.
//
//	store, err := solo.Open("/var/lib/site")
//	b, err := balancer.New(balancer.Config{Keys: keys, Store: store})
//	...
//	defer store.Close()
//
// It promises what raftstate does: when Apply has returned, what it was given is
// on the disk, so that seq and published of LeaseSets rise over restarts, crashes
// and power cuts. Each commit writes the whole state beside the old and puts it in its
// place; there is no log to replay or to cut. The state of a service on a few
// routers is some kilobytes, and changes some times a minute.
//
// Each Open begins a term, so that frontends can tell the LeaseSets of two starts
// apart as they can those of two leaders.
//
// Memory is a Store that writes nothing, for a Destination that ends with the
// program. Who opens the same Destination again has to know what was published.
//
// # The file
//
// ledger.bin is a magic of 16 bytes, 1 byte version of the file, 8 bytes term
// (big endian), a statepb.Snapshot, and the SHA-256 of all before it. "lock" is
// held by the program that has the directory open.
//
// A directory belongs to one kind of balancer: Open refuses one with the state of
// raft, and raftstate one with a ledger.bin. To begin anew beside either would
// forget what was published.
package solo
