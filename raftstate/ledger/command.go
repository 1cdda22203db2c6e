package ledger

import (
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/raftstate/statepb"
)

// PutFrontend makes the command that adds a frontend without a pool, or
// changes the roles of a known one. It is refused with ErrInvalid if the
// frontend is known with another Destination.
func PutFrontend(name string, destination i2p.Hash, roles Roles) *statepb.Command {
	version := uint32(1)
	if roles.Refuge {
		version = 2
	}
	return &statepb.Command{Version: version, Op: &statepb.Command_PutFrontend{
		PutFrontend: &statepb.PutFrontend{
			Name: name, DestinationHash: destination[:], Roles: rolesToPB(roles),
		},
	}}
}

// RemoveFrontend makes the command that forgets a frontend, its pool and its
// own record. What was issued for its Destination stays known.
func RemoveFrontend(name string) *statepb.Command {
	return &statepb.Command{Version: 1, Op: &statepb.Command_RemoveFrontend{
		RemoveFrontend: &statepb.RemoveFrontend{Name: name},
	}}
}

// ReportPool makes the command that replaces a frontend's pool.
func ReportPool(frontend string, pool Pool) *statepb.Command {
	return &statepb.Command{Version: 1, Op: &statepb.Command_ReportPool{
		ReportPool: &statepb.ReportPool{
			Frontend: frontend, Up: pool.Up, Leases: leasesToPB(pool.Leases),
		},
	}}
}

// SetEpoch makes the command that starts a key epoch. It is refused with
// ErrStale unless epoch is later than the last. The reason is for people: up
// to MaxReasonLength bytes, without control characters.
func SetEpoch(destination i2p.Hash, epoch uint64, reason string) *statepb.Command {
	return &statepb.Command{Version: 1, Op: &statepb.Command_SetEpoch{
		SetEpoch: &statepb.SetEpoch{DestinationHash: destination[:], Epoch: epoch, Reason: reason},
	}}
}

// Issue makes the command that takes the right to sign LeaseSets: all of
// records, or none. It is refused with ErrStale unless their seqs go on by one
// from the last, and every published is later than the one before.
func Issue(destination i2p.Hash, records ...Record) *statepb.Command {
	issue := &statepb.Issue{DestinationHash: destination[:]}
	for _, r := range records {
		issue.Records = append(issue.Records, recordToPB(r))
	}
	return &statepb.Command{Version: 1, Op: &statepb.Command_Issue{Issue: issue}}
}
