package ledger

import (
	"cmp"
	"fmt"
	"math"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/raftstate/statepb"
)

// Limits of what version 2 has.
const (
	// MaxDelegations, of all Destinations together.
	MaxDelegations = 256
	// MaxInvites that have not expired or been used.
	MaxInvites = 1024
	// MaxRotationLength of a Policy's rotation, in characters.
	MaxRotationLength = 16
	// maxPolicyTime is that of a Policy's times but LeaseSets'.
	maxPolicyTime = 10 * 365 * 24 * time.Hour
	maxHops       = 8
	// A delegated key is one of I2P's signature types: Ed25519 has 32 bytes,
	// ECDSA P521 132.
	minKeySize, maxKeySize = 32, 132
)

// validate2 is validate for the operations of version 2.
func validate2(cmd *statepb.Command) error {
	switch op := cmd.GetOp().(type) {
	case *statepb.Command_SetGeneration:
		return nil
	case *statepb.Command_PutPolicy:
		return cmp.Or(validHash("Destination", op.PutPolicy.GetDestinationHash()), validPolicy(op.PutPolicy.GetPolicy()))
	case *statepb.Command_Delegate:
		return cmp.Or(validHash("Destination", op.Delegate.GetDestinationHash()), validDelegation(op.Delegate.GetDelegation()))
	case *statepb.Command_RemoveDelegation:
		return cmp.Or(validHash("Destination", op.RemoveDelegation.GetDestinationHash()),
			ValidName("backend", op.RemoveDelegation.GetBackend()))
	case *statepb.Command_PutInvite:
		return validInvite(cmd.GetVersion(), op.PutInvite.GetInvite())
	case *statepb.Command_UseInvite:
		return ValidName("invite", op.UseInvite.GetId())
	case *statepb.Command_RemoveInvite:
		return ValidName("invite", op.RemoveInvite.GetId())
	}
	return fmt.Errorf("command without an operation that this program knows: %w", ErrInvalid)
}

func validPolicy(p *statepb.Policy) error {
	if p == nil {
		return fmt.Errorf("no policy: %w", ErrInvalid)
	}
	if p.GetTunnels() > i2p.MaxLeases || p.GetHops() < -1 || p.GetHops() > maxHops {
		return fmt.Errorf("policy of %d tunnels and %d hops: want up to %d, and -1 to %d: %w",
			p.GetTunnels(), p.GetHops(), i2p.MaxLeases, maxHops, ErrInvalid)
	}
	if p.GetRotation() != "" && (len(p.GetRotation()) > MaxRotationLength || ValidName("", p.GetRotation()) != nil) {
		return fmt.Errorf("rotation %.80q: want up to %d characters of a-z 0-9 . - _: %w", p.GetRotation(), MaxRotationLength, ErrInvalid)
	}
	return cmp.Or(
		validTime("life of merged LeaseSets", p.GetMergedLifeMs(), i2p.MaxLeaseSetLife),
		validTime("refresh of merged LeaseSets", p.GetMergedRefreshMs(), i2p.MaxLeaseSetLife),
		validTime("life of own LeaseSets", p.GetOwnLifeMs(), i2p.MaxLeaseSetLife),
		validTime("refresh of own LeaseSets", p.GetOwnRefreshMs(), i2p.MaxLeaseSetLife),
		validTime("drain limit", p.GetDrainLimitMs(), maxPolicyTime),
		validTime("life of delegations", p.GetDelegationLifeMs(), maxPolicyTime))
}

func validTime(of string, ms uint64, most time.Duration) error {
	if ms > uint64(most.Milliseconds()) {
		return fmt.Errorf("%s: %d ms, want 0 to %d: %w", of, int64(ms), most.Milliseconds(), ErrInvalid)
	}
	return nil
}

func validDelegation(d *statepb.Delegation) error {
	if n := len(d.GetKey()); n < minKeySize || n > maxKeySize {
		return fmt.Errorf("delegated key of %d bytes, want %d to %d: %w", n, minKeySize, maxKeySize, ErrInvalid)
	}
	if d.GetSigType() > math.MaxUint16 || d.GetExpiresUnix() == 0 {
		return fmt.Errorf("delegation of signature type %d that expires at %d: want up to %d, and not 0: %w",
			d.GetSigType(), d.GetExpiresUnix(), math.MaxUint16, ErrInvalid)
	}
	return ValidName("backend", d.GetBackend())
}

// inviteRoles are the roles of invites, with the version that has each first.
var inviteRoles = map[string]uint32{RoleBalancer: 2, RoleFrontend: 2, RoleBackend: 2, RoleOperator: 2}

func validInvite(version uint32, i *statepb.Invite) error {
	if since, known := inviteRoles[i.GetRole()]; !known || version < since {
		return fmt.Errorf("invite for role %.80q: want %s, %s, %s or %s: %w",
			i.GetRole(), RoleBalancer, RoleFrontend, RoleBackend, RoleOperator, ErrInvalid)
	}
	if n := len(i.GetSecretDigest()); n != len(Invite{}.SecretDigest) {
		return fmt.Errorf("digest of an invite's secret has %d bytes, want %d: %w", n, len(Invite{}.SecretDigest), ErrInvalid)
	}
	if i.GetExpiresUnix() == 0 {
		return fmt.Errorf("invite that expires at no time: %w", ErrInvalid)
	}
	if i.GetName() != "" {
		if err := ValidName("invited node", i.GetName()); err != nil {
			return err
		}
	}
	return ValidName("invite", i.GetId())
}
