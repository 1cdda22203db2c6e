// Package owner says which of several backends of one Destination a packet is for,
// so that all frontends say the same without asking each other. It moves no
// packets: package sam does, and package backend makes the stream IDs.
//
// A backend has a name, and 16 bits of it, its tag, are in every stream ID that it
// chooses. To who does not have the key of the IDs they look random:
//
//	ids, err := owner.NewIDs(key)
//	id := ids.Join(owner.Tag("web-1"), random) // at the backend
//	tag := ids.Tag(id)                         // at any frontend
//
// What belongs to no stream yet goes by who sent it:
//
//	claim := owner.Of(protocol, fromPort, toPort, data)
//	score := owner.Score(claim.Key(), tag, weight) // the highest of all backends gets it
package owner
