package ledger

import (
	"fmt"

	"github.com/onelease/onelease/raftstate/statepb"
)

// hasVersion2 is whether a snapshot has fields that version 1 does not know.
func hasVersion2(pb *statepb.Snapshot) bool {
	for _, d := range pb.GetDestinations() {
		if d.GetPolicy() != nil || len(d.GetDelegations()) > 0 {
			return true
		}
	}
	return pb.GetGeneration() != 0 || len(pb.GetInvites()) > 0
}

func (s *State) restoreInvites(pb []*statepb.Invite) error {
	if len(pb) > MaxInvites || s.delegations() > MaxDelegations {
		return fmt.Errorf("%d invites and %d delegations, at most %d and %d fit: %w",
			len(pb), s.delegations(), MaxInvites, MaxDelegations, ErrInvalid)
	}
	for _, invite := range pb {
		if err := validInvite(s.Version, invite); err != nil {
			return err
		}
		s.Invites[invite.GetId()] = inviteFromPB(invite)
	}
	return nil
}

// restore2 reads what version 2 has of a Destination.
func (d *Destination) restore2(pb *statepb.Destination) error {
	if pb.GetPolicy() != nil {
		if err := validPolicy(pb.GetPolicy()); err != nil {
			return err
		}
		p := policyFromPB(pb.GetPolicy())
		d.Policy = &p
	}
	for _, delegation := range pb.GetDelegations() {
		if err := validDelegation(delegation); err != nil {
			return err
		}
		if d.Delegations == nil {
			d.Delegations = map[string]Delegation{}
		}
		d.Delegations[delegation.GetBackend()] = delegationFromPB(delegation)
	}
	return nil
}
