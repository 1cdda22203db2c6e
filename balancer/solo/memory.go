package solo

import (
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/raftstate/ledger"
)

// Memory is a Store of one Destination that keeps nothing. Its first LeaseSet is
// published later than that second of Unix time, 0 for any: the last that was published by
// whoever had the Destination before. Its first key epoch is that one: with a higher
// one than before nobody goes on with a session that is gone.
func Memory(destination i2p.Hash, published uint32, epoch uint64) *Store {
	s := newStore("")
	s.term = 1
	state := ledger.New()
	state.Destinations[destination] = ledger.Destination{LastPublished: published, Epoch: epoch}
	s.state.Store(state)
	return s
}
