package ledger

import "time"

// A Policy is how a Destination is served. The zero value of each field means
// the default. Times have whole milliseconds.
type Policy struct {
	// Tunnels is how many inbound tunnels each router builds, up to 16.
	Tunnels uint32
	// Hops of a tunnel, up to 8; -1 for none.
	Hops int32
	// MergedLife and OwnLife are the lives of LeaseSets, up to 660 s, and
	// MergedRefresh and OwnRefresh how long before their end they are replaced.
	MergedLife, MergedRefresh time.Duration
	OwnLife, OwnRefresh       time.Duration
	// Rotation is when a key epoch ends: up to MaxRotationLength characters of
	// a-z 0-9 . - _
	Rotation string
	// DrainLimit is how long a drained frontend may take.
	DrainLimit time.Duration
	// HandOverKeys is whether backends may have the Destination's own signing key.
	HandOverKeys bool
	// DelegationLife is that of delegations of backends' keys.
	DelegationLife time.Duration
}

// A Delegation is the right to sign for a Destination that a backend's
// transient key has.
type Delegation struct {
	Backend string
	// Key is the transient public key, 32 to 132 bytes; not to be written to.
	Key []byte
	// SigType is that of the key, as in a LeaseSet2's offline signature.
	SigType uint16
	// Expires is in seconds since 1970.
	Expires uint32
}

// An Invite is the right of one node to join.
type Invite struct {
	// ID is 1 to 64 characters of a-z 0-9 . - _
	ID string
	// SecretDigest is the SHA-256 of what the node must know.
	SecretDigest [32]byte
	// Role is one of RoleBalancer, RoleFrontend, RoleBackend and RoleOperator.
	Role string
	// Name is what the node must be called; empty for any.
	Name string
	// Voter is whether a balancer gets a vote.
	Voter bool
	// Expires is the last second, since 1970, in which it is good.
	Expires uint32
}

// Roles of an Invite.
const (
	RoleBalancer = "balancer"
	RoleFrontend = "frontend"
	RoleBackend  = "backend"
	RoleOperator = "operator"
)
