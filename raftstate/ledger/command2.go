package ledger

import (
	"slices"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/raftstate/statepb"
)

// The commands below are of version 2: Apply refuses them with ErrVersion as
// long as a member of the cluster reads version 1 only.

// SetGeneration makes the command that begins a life of the state: gen is when
// it was made or restored, in milliseconds since 1970. It is refused with
// ErrStale unless gen is later than the last.
func SetGeneration(gen uint64) *statepb.Command {
	return &statepb.Command{Version: 2, Op: &statepb.Command_SetGeneration{
		SetGeneration: &statepb.SetGeneration{Generation: gen},
	}}
}

// PutPolicy makes the command that replaces the policy of a Destination.
func PutPolicy(destination i2p.Hash, p Policy) *statepb.Command {
	return &statepb.Command{Version: 2, Op: &statepb.Command_PutPolicy{
		PutPolicy: &statepb.PutPolicy{DestinationHash: destination[:], Policy: policyToPB(p)},
	}}
}

// Delegate makes the command that takes the right to sign a backend's
// transient key. It replaces the last of that backend.
func Delegate(destination i2p.Hash, d Delegation) *statepb.Command {
	return &statepb.Command{Version: 2, Op: &statepb.Command_Delegate{
		Delegate: &statepb.Delegate{DestinationHash: destination[:], Delegation: delegationToPB(d)},
	}}
}

// RemoveDelegation makes the command that forgets a backend's delegation. One
// that is not known is no error.
func RemoveDelegation(destination i2p.Hash, backend string) *statepb.Command {
	return &statepb.Command{Version: 2, Op: &statepb.Command_RemoveDelegation{
		RemoveDelegation: &statepb.RemoveDelegation{DestinationHash: destination[:], Backend: backend},
	}}
}

// PutInvite makes the command that adds an invite, and drops those that have
// expired by now. It is refused with ErrInvalid if the ID is that of another.
func PutInvite(i Invite, now time.Time) *statepb.Command {
	return &statepb.Command{Version: max(2, inviteRoles[i.Role]), Op: &statepb.Command_PutInvite{
		PutInvite: &statepb.PutInvite{Invite: inviteToPB(i), NowUnix: unix32(now)},
	}}
}

// UseInvite makes the command that takes an invite. It is refused with
// ErrUnknownInvite if there is none or it was used, by whatever leader, and
// with ErrInviteExpired.
func UseInvite(id string, now time.Time) *statepb.Command {
	return &statepb.Command{Version: 2, Op: &statepb.Command_UseInvite{
		UseInvite: &statepb.UseInvite{Id: id, NowUnix: unix32(now)},
	}}
}

// RemoveInvite makes the command that takes an invite back. It is refused with
// ErrUnknownInvite if there is none.
func RemoveInvite(id string) *statepb.Command {
	return &statepb.Command{Version: 2, Op: &statepb.Command_RemoveInvite{
		RemoveInvite: &statepb.RemoveInvite{Id: id},
	}}
}

func policyToPB(p Policy) *statepb.Policy {
	return &statepb.Policy{
		Tunnels: p.Tunnels, Hops: p.Hops, Rotation: p.Rotation, HandOverKeys: p.HandOverKeys,
		MergedLifeMs: millis(p.MergedLife), MergedRefreshMs: millis(p.MergedRefresh),
		OwnLifeMs: millis(p.OwnLife), OwnRefreshMs: millis(p.OwnRefresh),
		DrainLimitMs: millis(p.DrainLimit), DelegationLifeMs: millis(p.DelegationLife),
	}
}

func policyFromPB(pb *statepb.Policy) Policy {
	return Policy{
		Tunnels: pb.GetTunnels(), Hops: pb.GetHops(), Rotation: pb.GetRotation(), HandOverKeys: pb.GetHandOverKeys(),
		MergedLife: duration(pb.GetMergedLifeMs()), MergedRefresh: duration(pb.GetMergedRefreshMs()),
		OwnLife: duration(pb.GetOwnLifeMs()), OwnRefresh: duration(pb.GetOwnRefreshMs()),
		DrainLimit: duration(pb.GetDrainLimitMs()), DelegationLife: duration(pb.GetDelegationLifeMs()),
	}
}

// millis wraps what is below 0 around to what no limit allows.
func millis(d time.Duration) uint64 { return uint64(d.Milliseconds()) }

func duration(ms uint64) time.Duration { return time.Duration(ms) * time.Millisecond }

func delegationToPB(d Delegation) *statepb.Delegation {
	return &statepb.Delegation{
		Backend: d.Backend, Key: slices.Clone(d.Key), SigType: uint32(d.SigType), ExpiresUnix: d.Expires,
	}
}

func delegationFromPB(pb *statepb.Delegation) Delegation {
	return Delegation{
		Backend: pb.GetBackend(), Key: slices.Clone(pb.GetKey()),
		SigType: uint16(pb.GetSigType()), Expires: pb.GetExpiresUnix(),
	}
}

func inviteToPB(i Invite) *statepb.Invite {
	return &statepb.Invite{
		Id: i.ID, SecretDigest: i.SecretDigest[:], Role: i.Role, Name: i.Name,
		Voter: i.Voter, ExpiresUnix: i.Expires,
	}
}

func inviteFromPB(pb *statepb.Invite) Invite {
	return Invite{
		ID: pb.GetId(), SecretDigest: [32]byte(pb.GetSecretDigest()), Role: pb.GetRole(), Name: pb.GetName(),
		Voter: pb.GetVoter(), Expires: pb.GetExpiresUnix(),
	}
}
