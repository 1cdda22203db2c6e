package ledger

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/raftstate/statepb"
)

// MaxSnapshotSize, in bytes, is far above what the limits of a State allow.
const MaxSnapshotSize = 16 << 20

// Encode returns s as a statepb.Snapshot: the same bytes on every node.
func (s *State) Encode() ([]byte, error) {
	return proto.MarshalOptions{Deterministic: true}.Marshal(s.ToPB())
}

// ToPB says nothing that s.Version does not have: a State of version 1 has no
// other content.
func (s *State) ToPB() *statepb.Snapshot {
	pb := &statepb.Snapshot{Version: s.Version, Generation: s.Generation}
	for _, name := range slices.Sorted(maps.Keys(s.Frontends)) {
		pb.Frontends = append(pb.Frontends, frontendToPB(s.Frontends[name]))
	}
	byHash := func(a, b i2p.Hash) int { return bytes.Compare(a[:], b[:]) }
	for _, hash := range slices.SortedFunc(maps.Keys(s.Destinations), byHash) {
		pb.Destinations = append(pb.Destinations, destinationToPB(hash, s.Destinations[hash]))
	}
	for _, id := range slices.Sorted(maps.Keys(s.Invites)) {
		pb.Invites = append(pb.Invites, inviteToPB(s.Invites[id]))
	}
	return pb
}

func frontendToPB(f Frontend) *statepb.Frontend {
	return &statepb.Frontend{
		Name: f.Name, DestinationHash: f.Destination[:], Roles: rolesToPB(f.Roles),
		Up: f.Pool.Up, Leases: leasesToPB(f.Pool.Leases),
	}
}

func destinationToPB(hash i2p.Hash, d Destination) *statepb.Destination {
	pb := &statepb.Destination{
		Hash: hash[:], LastSeq: d.LastSeq, LastPublishedUnix: d.LastPublished, LastTerm: d.LastTerm,
		Epoch: d.Epoch, EpochReason: d.EpochReason,
	}
	if d.Merged.Seq != 0 {
		pb.Records = append(pb.Records, issuedToPB(d.Merged))
	}
	for _, name := range slices.Sorted(maps.Keys(d.Own)) {
		pb.Records = append(pb.Records, issuedToPB(d.Own[name]))
	}
	if d.Policy != nil {
		pb.Policy = policyToPB(*d.Policy)
	}
	for _, name := range slices.Sorted(maps.Keys(d.Delegations)) {
		pb.Delegations = append(pb.Delegations, delegationToPB(d.Delegations[name]))
	}
	return pb
}

func issuedToPB(r Record) *statepb.IssuedRecord {
	return &statepb.IssuedRecord{Record: recordToPB(r), Term: r.Term}
}

// Read reads what Encode has written. Its errors are ErrInvalid, or the
// reader's.
func Read(r io.Reader) (*State, error) {
	b, err := io.ReadAll(io.LimitReader(r, MaxSnapshotSize+1))
	if err != nil {
		return nil, fmt.Errorf("read snapshot: %w", err)
	}
	if len(b) > MaxSnapshotSize {
		return nil, fmt.Errorf("snapshot of more than %d bytes: %w", MaxSnapshotSize, ErrInvalid)
	}
	s, err := Decode(b)
	if err != nil {
		return nil, fmt.Errorf("decode snapshot: %w", err)
	}
	return s, nil
}

// Decode holds a snapshot to the same rules as commands.
func Decode(b []byte) (*State, error) {
	pb := new(statepb.Snapshot)
	if err := proto.Unmarshal(b, pb); err != nil {
		return nil, fmt.Errorf("%w: %w", err, ErrInvalid)
	}
	return FromPB(pb)
}

// FromPB is Decode of what was unmarshalled already.
func FromPB(pb *statepb.Snapshot) (*State, error) {
	if v := pb.GetVersion(); v < 1 || v > Version {
		return nil, fmt.Errorf("snapshot of version %d, this program knows 1 to %d: %w", v, Version, ErrVersion)
	}
	if pb.GetVersion() < 2 && hasVersion2(pb) {
		return nil, fmt.Errorf("snapshot of version 1 with what only version 2 has: %w", ErrInvalid)
	}
	if f, d := len(pb.GetFrontends()), len(pb.GetDestinations()); f > MaxFrontends || d > MaxDestinations {
		return nil, fmt.Errorf("%d frontends and %d Destinations, at most %d and %d fit: %w", f, d, MaxFrontends, MaxDestinations, ErrInvalid)
	}
	s := New()
	s.Version, s.Generation = pb.GetVersion(), pb.GetGeneration()
	for _, f := range pb.GetFrontends() {
		if err := s.restoreFrontend(f); err != nil {
			return nil, err
		}
	}
	for _, d := range pb.GetDestinations() {
		if err := s.restoreDestination(d); err != nil {
			return nil, err
		}
	}
	if err := s.restoreInvites(pb.GetInvites()); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *State) restoreFrontend(pb *statepb.Frontend) error {
	err := cmp.Or(ValidName("frontend", pb.GetName()),
		validHash("Destination", pb.GetDestinationHash()),
		validRoles(s.Version, pb.GetRoles()),
		validLeases(pb.GetLeases()))
	if err != nil {
		return err
	}
	s.Frontends[pb.GetName()] = Frontend{
		Name: pb.GetName(), Destination: i2p.Hash(pb.GetDestinationHash()), Roles: rolesFromPB(pb.GetRoles()),
		Pool: Pool{Up: pb.GetUp(), Leases: leasesFromPB(pb.GetLeases())},
	}
	return nil
}

func (s *State) restoreDestination(pb *statepb.Destination) error {
	if err := cmp.Or(validHash("Destination", pb.GetHash()), validReason(pb.GetEpochReason())); err != nil {
		return err
	}
	hash := i2p.Hash(pb.GetHash())
	d := Destination{
		LastSeq: pb.GetLastSeq(), LastPublished: pb.GetLastPublishedUnix(), LastTerm: pb.GetLastTerm(),
		Epoch: pb.GetEpoch(), EpochReason: pb.GetEpochReason(),
	}
	for _, r := range pb.GetRecords() {
		if err := validRecord(r.GetRecord()); err != nil {
			return fmt.Errorf("Destination %v: %w", hash, err)
		}
		if name := r.GetRecord().GetFrontend(); s.checkOwner(hash, name) != nil {
			return fmt.Errorf("Destination %v: own LeaseSet of frontend %q, which it does not have: %w", hash, name, ErrInvalid)
		}
		d.set(recordFromPB(r.GetRecord(), r.GetTerm()))
	}
	if err := d.restore2(pb); err != nil {
		return fmt.Errorf("Destination %v: %w", hash, err)
	}
	s.Destinations[hash] = d
	return nil
}
