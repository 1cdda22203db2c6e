package ledger

import (
	"math"
	"time"

	"github.com/onelease/onelease/i2p"
)

// A State is what all nodes agree on at one point of the log. It never
// changes: a command makes a new one that shares what is unchanged. So it may
// be read and kept at no cost, and no one may write to it or to anything that
// it refers to.
type State struct {
	// Version is the highest of the commands applied so far, 1 at first. All
	// members of the cluster read it, or have stopped.
	Version uint32
	// Generation is which life of the state this is: when it was made or last
	// restored, in milliseconds since 1970; 0 while there is only version 1.
	// It comes before the term in deciding what is newer.
	Generation uint64
	// Frontends by name.
	Frontends map[string]Frontend
	// Destinations by hash, those without frontends included: what was issued
	// for a Destination is never forgotten.
	Destinations map[i2p.Hash]Destination
	// Invites by ID that have not been used.
	Invites map[string]Invite
}

// Roles of a frontend's router. None means that it is known, and drained.
type Roles struct {
	// Member: it serves traffic.
	Member bool
	// Publisher: it publishes the merged LeaseSet.
	Publisher bool
	// Refuge: it takes remotes in after a loss, and has neither of the others.
	// Version 2 has it.
	Refuge bool
}

// A Pool is what a frontend last reported of its router's inbound tunnels.
type Pool struct {
	// Up is whether the router answers. If not, Leases are the last known ones.
	Up bool
	// Leases are at most MaxPoolLeases; End has whole seconds.
	Leases []i2p.Lease
}

// A Frontend is one router's front.
type Frontend struct {
	Name        string
	Destination i2p.Hash
	Roles       Roles
	Pool        Pool
}

// A Record is one LeaseSet that has been, or is to be, issued.
type Record struct {
	// Seq counts the LeaseSets of a Destination from 1.
	Seq uint64
	// Published and Expires are seconds since 1970, as in a LeaseSet2;
	// Expires is later by 1 to 660.
	Published, Expires uint32
	// Frontend is the member whose own LeaseSet this is; empty for a merged one.
	Frontend string
	// Digest is the SHA-256 of the LeaseSet without its signature.
	Digest [32]byte
	// Term is the one that it was issued in. Issue does not look at it.
	Term uint64
}

// A Destination is what has been issued for one Destination. The zero value is
// one for which nothing has.
type Destination struct {
	// LastSeq, LastPublished (seconds since 1970) and LastTerm are those of
	// the last LeaseSet of any kind. LastTerm is 0 if none was issued in this
	// generation.
	LastSeq       uint64
	LastPublished uint32
	LastTerm      uint64
	// Epoch numbers the X25519 keys of the LeaseSets; EpochReason says why it
	// was begun.
	Epoch       uint64
	EpochReason string
	// Merged is the last merged LeaseSet; its Seq is 0 if there is none.
	Merged Record
	// Own has the last own LeaseSet of each frontend that is still known.
	Own map[string]Record
	// Policy is nil if none was put.
	Policy *Policy
	// Delegations has the last one of each backend.
	Delegations map[string]Delegation
}

// New is the State before the first command.
func New() *State {
	return &State{
		Version:      1,
		Invites:      map[string]Invite{},
		Frontends:    map[string]Frontend{},
		Destinations: map[i2p.Hash]Destination{},
	}
}

// Destination returns what has been issued for the Destination of hash h.
func (s *State) Destination(h i2p.Hash) Destination { return s.Destinations[h] }

// Next returns the seq of the next Record, and its published: now, or one
// second after the last if the clock is behind that. A caller that issues
// several at once counts on from there, by one each.
func (d Destination) Next(now time.Time) (seq uint64, published uint32) {
	published = unix32(now)
	if published <= d.LastPublished {
		published = d.LastPublished + 1
	}
	return d.LastSeq + 1, published
}

// unix32 returns t in the seconds of a LeaseSet2, or 0, which no command takes,
// if they cannot say it.
func unix32(t time.Time) uint32 {
	if s := t.Unix(); s > 0 && s <= math.MaxUint32 {
		return uint32(s)
	}
	return 0
}
