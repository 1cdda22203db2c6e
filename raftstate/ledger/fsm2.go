package ledger

import (
	"fmt"
	"maps"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/raftstate/statepb"
)

// apply2 applies the operations of version 2.
func (s *State) apply2(cmd *statepb.Command) error {
	switch op := cmd.GetOp().(type) {
	case *statepb.Command_SetGeneration:
		return s.setGeneration(op.SetGeneration.GetGeneration())
	case *statepb.Command_PutPolicy:
		return s.putPolicy(op.PutPolicy)
	case *statepb.Command_Delegate:
		return s.delegate(op.Delegate)
	case *statepb.Command_RemoveDelegation:
		return s.removeDelegation(op.RemoveDelegation)
	case *statepb.Command_PutInvite:
		return s.putInvite(op.PutInvite)
	case *statepb.Command_UseInvite:
		return s.useInvite(op.UseInvite)
	case *statepb.Command_RemoveInvite:
		return s.removeInvite(op.RemoveInvite.GetId())
	}
	return fmt.Errorf("command without an operation that this program knows: %w", ErrInvalid)
}

// setGeneration lets terms begin anew: what has the later generation is the
// newer, whatever its term.
func (s *State) setGeneration(gen uint64) error {
	if gen <= s.Generation {
		return fmt.Errorf("generation %d: the state is of generation %d already: %w", gen, s.Generation, ErrStale)
	}
	s.Generation = gen
	for hash, d := range s.Destinations {
		d.LastTerm = 0
		s.Destinations[hash] = d
	}
	return nil
}

func (s *State) putPolicy(cmd *statepb.PutPolicy) error {
	hash := i2p.Hash(cmd.GetDestinationHash())
	d, p := s.Destinations[hash], policyFromPB(cmd.GetPolicy())
	d.Policy = &p
	return s.setDestination(hash, d)
}

func (s *State) delegate(cmd *statepb.Delegate) error {
	hash, delegation := i2p.Hash(cmd.GetDestinationHash()), delegationFromPB(cmd.GetDelegation())
	d := s.Destinations[hash]
	if _, known := d.Delegations[delegation.Backend]; !known && s.delegations() >= MaxDelegations {
		return fmt.Errorf("delegation for backend %q: there are %d already, the most there can be: %w",
			delegation.Backend, MaxDelegations, ErrInvalid)
	}
	d.Delegations = maps.Clone(d.Delegations)
	if d.Delegations == nil {
		d.Delegations = map[string]Delegation{}
	}
	d.Delegations[delegation.Backend] = delegation
	return s.setDestination(hash, d)
}

func (s *State) delegations() int {
	n := 0
	for _, d := range s.Destinations {
		n += len(d.Delegations)
	}
	return n
}

func (s *State) removeDelegation(cmd *statepb.RemoveDelegation) error {
	hash := i2p.Hash(cmd.GetDestinationHash())
	d, known := s.Destinations[hash]
	if !known {
		return nil
	}
	d.Delegations = maps.Clone(d.Delegations)
	delete(d.Delegations, cmd.GetBackend())
	return s.setDestination(hash, d)
}

func (s *State) putInvite(cmd *statepb.PutInvite) error {
	invite := inviteFromPB(cmd.GetInvite())
	invites := maps.Clone(s.Invites)
	maps.DeleteFunc(invites, func(_ string, i Invite) bool { return i.Expires < cmd.GetNowUnix() })
	known, again := invites[invite.ID]
	if again && known != invite {
		return fmt.Errorf("invite %q: there is another of that ID: %w", invite.ID, ErrInvalid)
	}
	if !again && len(invites) >= MaxInvites {
		return fmt.Errorf("invite %q: there are %d already, the most there can be: %w", invite.ID, MaxInvites, ErrInvalid)
	}
	if invites == nil {
		invites = map[string]Invite{}
	}
	invites[invite.ID] = invite
	s.Invites = invites
	return nil
}

func (s *State) useInvite(cmd *statepb.UseInvite) error {
	invite, known := s.Invites[cmd.GetId()]
	if known && cmd.GetNowUnix() > invite.Expires {
		return fmt.Errorf("invite %q: %w", cmd.GetId(), ErrInviteExpired)
	}
	return s.removeInvite(cmd.GetId())
}

func (s *State) removeInvite(id string) error {
	if _, known := s.Invites[id]; !known {
		return fmt.Errorf("invite %.80q: %w", id, ErrUnknownInvite)
	}
	s.Invites = maps.Clone(s.Invites)
	delete(s.Invites, id)
	return nil
}
