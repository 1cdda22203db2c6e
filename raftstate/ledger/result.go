package ledger

// A Result is where an accepted command stands.
type Result struct {
	// Index counts commands: that of the raft log entry if there is one.
	Index uint64
	// Term is the one that it was committed in: it rises with each change of the
	// leader, of a balancer that is alone with each start.
	Term uint64
	// Seq and Published (seconds since 1970) are those of the last record of
	// an Issue, 0 for other commands.
	Seq       uint64
	Published uint32
}

// A Leader is the node that leads. The zero value means that none is known.
type Leader struct {
	ID string
	// Addr is its address in the cluster's transport.
	Addr string
	// Self is whether it is this node.
	Self bool
}
