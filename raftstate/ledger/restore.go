package ledger

import "time"

// A restored state is what a backup has, with these differences. It begins a
// generation, so that frontends take its LeaseSets though seq and term may
// begin anew. Nothing that was issued is issued again: LastSeq, LastPublished
// and Epoch are the higher of the backup's and those of the state that it
// replaces. Invites are gone: one that was used since the backup would be good
// again.

// Restored is s, of a backup, as it is to be at now in place of current.
func (s *State) Restored(current *State, now time.Time) *State {
	backup := s
	s = backup.clone(2)
	s.Version = max(s.Version, current.Version)
	s.Generation = max(uint64(max(now.UnixMilli(), 0)), current.Generation+1, backup.Generation+1)
	s.Invites = map[string]Invite{}
	for hash, d := range s.Destinations {
		s.Destinations[hash] = d.after(current.Destination(hash))
	}
	for hash, d := range current.Destinations {
		if _, ok := s.Destinations[hash]; !ok {
			s.Destinations[hash] = Destination{}.after(d)
		}
	}
	return s
}

// RestoredAlone is Restored where the state that it replaces is lost, and with it
// what was last issued: that was published about now at the latest.
func (s *State) RestoredAlone(now time.Time) *State {
	s = s.Restored(New(), now)
	for hash, d := range s.Destinations {
		d.LastPublished = max(d.LastPublished, unix32(now))
		s.Destinations[hash] = d
	}
	return s
}

// after is d in a new generation, with nothing of what was issued forgotten.
func (d Destination) after(last Destination) Destination {
	d.LastTerm = 0
	d.LastSeq, d.LastPublished = max(d.LastSeq, last.LastSeq), max(d.LastPublished, last.LastPublished)
	if last.Epoch > d.Epoch {
		d.Epoch, d.EpochReason = last.Epoch, last.EpochReason
	}
	return d
}
