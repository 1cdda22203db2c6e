package backend

import (
	"fmt"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/streaming"
)

// A LinkState is the state of the link to one frontend:
//
//	connecting --> up --> waiting --> connecting ...
//	     \--> waiting (no answer) / refused (will not do) --> connecting ...
type LinkState uint8

const (
	// LinkConnecting is dialling or in the handshake.
	LinkConnecting LinkState = iota
	// LinkUp carries packets.
	LinkUp
	// LinkWaiting was lost or did not come about, and is tried again soon.
	LinkWaiting
	// LinkRefused is to a frontend that will not do, above all since it serves
	// another Destination. It is tried again from time to time.
	LinkRefused
)

var linkStates = [...]string{"connecting", "up", "waiting", "refused"}

// String is the name of s.
func (s LinkState) String() string {
	if int(s) < len(linkStates) {
		return linkStates[s]
	}
	return fmt.Sprintf("link state %d", uint8(s))
}

// MarshalText is String, for status pages.
func (s LinkState) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Stats is a snapshot of a Host. All counts are since NewHost, but for
// Remotes and Stranded, which are as of now.
type Stats struct {
	// Destination is zero until it is known.
	Destination i2p.Destination
	// Name and Standby are Config's. Weight is what frontends are told: 0 while
	// nothing new is wanted. Without a Name it means nothing.
	Name      string
	Weight    int
	Standby   bool
	Frontends []FrontendStats
	// Remotes are those remembered, on whatever frontend or none.
	Remotes int
	// Stranded are remotes that lost their frontend and were not heard since.
	Stranded int
	// Lost counts the remotes that were ever stranded; Moved those that came in
	// by another frontend than before, stranded or not; Stalled those
	// stranded ones that were not heard in time.
	Lost, Moved, Stalled uint64
	// Streams are the streams' own figures; zero if there can be none.
	Streams streaming.Stats
	// Stalls are of streams whose remote's frontend was lost.
	Stalls StallStats
	// SignsUntil is when the permission of the newest signing key ends, which may
	// be over; zero if there is none or the Destination's own key signs.
	SignsUntil time.Time
	// Unsigned counts what was not begun or sent since there was no permission, or
	// one that had expired: streams, either side's, datagrams and hellos; and
	// what ended a stream that had only an expired one left to sign with.
	Unsigned uint64
	// Unclaimed counts packets that no PacketConn or stream is there for, Invalid those
	// that are malformed or whose signature is wrong, Overflow those that came
	// when their PacketConn's buffer was full, and datagrams that waited for a remote that
	// was greeted and found no room, or no link then.
	Unclaimed, Invalid, Overflow uint64
}

// FrontendStats is the state of one frontend, as this backend sees it.
type FrontendStats struct {
	Name  string
	State LinkState
	// Since is when the link came into its State.
	Since time.Time
	// Error is why the link was last lost or refused; empty if it never was.
	Error string
	// In and Out count packets, Dropped those that were to go out and that the
	// link did not take.
	In, Out, Dropped uint64
	// Hellos counts those sent.
	Hellos uint64
	// Connects counts how often the link came up.
	Connects uint64
	// Draining says that the frontend's router is to go: its remotes are brought
	// to other frontends, and served until they are there.
	Draining bool
	// TellsApart says that the frontend gives each packet to one of the backends that
	// have names; one of an earlier version gives them all packets.
	TellsApart bool
	// Remotes are those that are answered here; Stranded those of them that
	// came from a lost frontend and are not heard here yet.
	Remotes, Stranded int
}
