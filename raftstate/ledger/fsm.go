package ledger

import (
	"fmt"
	"maps"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/raftstate/statepb"
)

// Apply returns the state after cmd, committed in that term. An
// error leaves the state as it is. It depends on nothing but its arguments,
// since every node must come to the same state from the same log; so a change
// to what it accepts or does needs a new version of the command.
func (s *State) Apply(term uint64, cmd *statepb.Command) (*State, Result, error) {
	if err := Validate(cmd); err != nil {
		return s, Result{}, err
	}
	next := s.clone(cmd.GetVersion())
	result := Result{Term: term}
	var err error
	switch op := cmd.GetOp().(type) {
	case *statepb.Command_PutFrontend:
		err = next.putFrontend(op.PutFrontend)
	case *statepb.Command_RemoveFrontend:
		err = next.removeFrontend(op.RemoveFrontend.GetName())
	case *statepb.Command_ReportPool:
		err = next.reportPool(op.ReportPool)
	case *statepb.Command_SetEpoch:
		err = next.setEpoch(op.SetEpoch)
	case *statepb.Command_Issue:
		err = next.issue(term, op.Issue)
		d := next.Destinations[i2p.Hash(op.Issue.GetDestinationHash())]
		result.Seq, result.Published = d.LastSeq, d.LastPublished
	default:
		err = next.apply2(cmd)
	}
	if err != nil {
		return s, Result{}, err
	}
	return next, result, nil
}

// clone makes a State of which commands may replace entries, and which has seen
// one of the given version.
func (s *State) clone(version uint32) *State {
	next := *s
	next.Version = max(s.Version, version)
	next.Frontends, next.Destinations = maps.Clone(s.Frontends), maps.Clone(s.Destinations)
	return &next
}

// The methods below change a State that Apply has just made and that no one
// else sees. They replace entries of its maps and never write to what an
// entry refers to, which older States share.

func (s *State) putFrontend(cmd *statepb.PutFrontend) error {
	f, known := s.Frontends[cmd.GetName()]
	hash := i2p.Hash(cmd.GetDestinationHash())
	if known && f.Destination != hash {
		return fmt.Errorf("frontend %q is one of Destination %v, not %v; remove it first: %w", f.Name, f.Destination, hash, ErrInvalid)
	}
	if !known && len(s.Frontends) >= MaxFrontends {
		return fmt.Errorf("frontend %q: there are %d already, the most there can be: %w", cmd.GetName(), MaxFrontends, ErrInvalid)
	}
	f.Name, f.Destination, f.Roles = cmd.GetName(), hash, rolesFromPB(cmd.GetRoles())
	s.Frontends[f.Name] = f
	return s.setDestination(hash, s.Destinations[hash])
}

func (s *State) removeFrontend(name string) error {
	f, err := s.frontend(name)
	if err != nil {
		return err
	}
	delete(s.Frontends, name)
	d := s.Destinations[f.Destination]
	d.Own = maps.Clone(d.Own)
	delete(d.Own, name)
	return s.setDestination(f.Destination, d)
}

func (s *State) reportPool(cmd *statepb.ReportPool) error {
	f, err := s.frontend(cmd.GetFrontend())
	if err != nil {
		return err
	}
	f.Pool = Pool{Up: cmd.GetUp(), Leases: leasesFromPB(cmd.GetLeases())}
	s.Frontends[f.Name] = f
	return nil
}

func (s *State) setEpoch(cmd *statepb.SetEpoch) error {
	hash := i2p.Hash(cmd.GetDestinationHash())
	d := s.Destinations[hash]
	if cmd.GetEpoch() <= d.Epoch {
		return fmt.Errorf("epoch %d of Destination %v: it is in epoch %d already: %w", cmd.GetEpoch(), hash, d.Epoch, ErrStale)
	}
	d.Epoch, d.EpochReason = cmd.GetEpoch(), cmd.GetReason()
	return s.setDestination(hash, d)
}

func (s *State) issue(term uint64, cmd *statepb.Issue) error {
	hash := i2p.Hash(cmd.GetDestinationHash())
	d := s.Destinations[hash]
	d.Own = maps.Clone(d.Own)
	for i, pb := range cmd.GetRecords() {
		r := recordFromPB(pb, term)
		if err := s.checkOwner(hash, r.Frontend); err != nil {
			return fmt.Errorf("issue record %d: %w", i, err)
		}
		if err := d.add(r); err != nil {
			return fmt.Errorf("issue record %d of Destination %v: %w", i, hash, err)
		}
	}
	return s.setDestination(hash, d)
}

// checkOwner says why the Destination can have no LeaseSet for a frontend.
func (s *State) checkOwner(hash i2p.Hash, frontend string) error {
	if frontend == "" {
		return nil
	}
	f, err := s.frontend(frontend)
	if err == nil && f.Destination != hash {
		err = fmt.Errorf("frontend %q is one of Destination %v, not %v: %w", frontend, f.Destination, hash, ErrInvalid)
	}
	return err
}

// add makes r the last record of d, whose Own must not be shared.
func (d *Destination) add(r Record) error {
	if r.Seq != d.LastSeq+1 || r.Published <= d.LastPublished || r.Term < d.LastTerm {
		return fmt.Errorf("seq %d, published %d, term %d do not follow the last issued, seq %d, published %d, term %d: %w",
			r.Seq, r.Published, r.Term, d.LastSeq, d.LastPublished, d.LastTerm, ErrStale)
	}
	d.LastSeq, d.LastPublished, d.LastTerm = r.Seq, r.Published, r.Term
	d.set(r)
	return nil
}

// set keeps r as the last record of its kind and frontend.
func (d *Destination) set(r Record) {
	if r.Frontend == "" {
		d.Merged = r
		return
	}
	if d.Own == nil {
		d.Own = map[string]Record{}
	}
	d.Own[r.Frontend] = r
}

func (s *State) frontend(name string) (Frontend, error) {
	f, ok := s.Frontends[name]
	if !ok {
		return f, fmt.Errorf("frontend %q: %w", name, ErrUnknownFrontend)
	}
	return f, nil
}

// setDestination is how every command ends that makes a Destination known.
func (s *State) setDestination(hash i2p.Hash, d Destination) error {
	if _, known := s.Destinations[hash]; !known && len(s.Destinations) >= MaxDestinations {
		return fmt.Errorf("Destination %v: there are %d already, the most there can be: %w", hash, MaxDestinations, ErrInvalid)
	}
	s.Destinations[hash] = d
	return nil
}
