package frontend

import (
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/sam"
)

// A Mode says what a frontend makes of its router.
type Mode string

// The modes.
const (
	// ModeOneLease is the router's part in the one LeaseSet, over I2CP.
	ModeOneLease Mode = "onelease"
	// ModeUpstreamSAM is the fallback over a stock SAM port: the router
	// publishes for itself, and the last publisher wins.
	ModeUpstreamSAM Mode = "upstream-sam-fallback"
)

// Status is a snapshot of a Frontend.
type Status struct {
	Name              string
	Mode              Mode
	Member, Publisher bool
	// Refuge: a Member that is listed after a loss only.
	Refuge bool
	// Destination is the b32 address, empty until a balancer has told it.
	Destination string

	// RouterUp says that the router holds our session, Serving that it has a
	// LeaseSet from us as well: from then on backends may attach to a member.
	RouterUp, Serving bool
	// RouterError says why RouterUp is false.
	RouterError string
	// Draining says that the leader takes the router out of service: it serves
	// what it serves, until DrainUntil, when its session is closed.
	Draining   bool
	DrainUntil time.Time
	// Pool are the router's inbound tunnels.
	Pool []i2p.Lease
	// Quirk is how the router reads i2cp.dontPublishLeaseSet, Auto until that
	// is known. QuirkProbed says that it was found out and not set.
	Quirk       Quirk
	QuirkProbed bool

	// Balancer is the leader that the frontend is attached to, empty if none.
	Balancer string
	// Generation, Term and Seq are of the newest LeaseSet, which the router gets
	// again until Expires; zero before the first.
	Generation, Term, Seq uint64
	Expires               time.Time
	// OnReserve says that no balancer has sent a LeaseSet for long, and that the
	// router goes on with the reserve. After Expires there is nothing left.
	OnReserve bool
	// FenceError says why a restart could forget which LeaseSets are older.
	FenceError string

	// Backends are the SAM sessions, Named those of them that have a name, so that
	// each packet goes to one of them.
	Backends int
	Named    []sam.BackendInfo
	// PacketsIn came from the router, PacketsOut were given to it. Those
	// Dropped came in and no backend took them, or could not be given out.
	PacketsIn, PacketsOut, Dropped uint64
	// Orphaned are those of Dropped that were of a stream whose backend is not
	// attached; Unserved would have begun one, and no backend takes any.
	Orphaned, Unserved uint64
}
