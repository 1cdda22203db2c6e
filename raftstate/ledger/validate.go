package ledger

import (
	"cmp"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/raftstate/statepb"
)

// Limits of the state. With all of them reached a snapshot is under 2 MB.
const (
	// MaxNameLength of a frontend or a node, in characters.
	MaxNameLength = 64
	// MaxFrontends, and with them pools and own LeaseSets.
	MaxFrontends = 256
	// MaxDestinations, those whose frontends are gone included.
	MaxDestinations = 1024
	// MaxPoolLeases is what one router may hold, 16, and two being replaced.
	MaxPoolLeases = i2p.MaxLeases + 2
	// MaxRecords of one Issue: a merged LeaseSet, and one for every frontend.
	MaxRecords = MaxFrontends + 1
	// MaxReasonLength of a key epoch's reason, in bytes.
	MaxReasonLength = 200
)

const maxLifeSeconds = uint32(i2p.MaxLeaseSetLife / time.Second)

// Validate says what is wrong with cmd whatever the state is. Its errors are
// ErrInvalid.
func Validate(cmd *statepb.Command) error {
	if v := cmd.GetVersion(); v < 1 || v > Version {
		return fmt.Errorf("command of version %d, this program knows 1 to %d: %w", v, Version, ErrVersion)
	}
	switch op := cmd.GetOp().(type) {
	case *statepb.Command_PutFrontend:
		return cmp.Or(ValidName("frontend", op.PutFrontend.GetName()),
			validHash("Destination", op.PutFrontend.GetDestinationHash()),
			validRoles(cmd.GetVersion(), op.PutFrontend.GetRoles()))
	case *statepb.Command_RemoveFrontend:
		return ValidName("frontend", op.RemoveFrontend.GetName())
	case *statepb.Command_ReportPool:
		return cmp.Or(ValidName("frontend", op.ReportPool.GetFrontend()),
			validLeases(op.ReportPool.GetLeases()))
	case *statepb.Command_SetEpoch:
		return cmp.Or(validHash("Destination", op.SetEpoch.GetDestinationHash()),
			validReason(op.SetEpoch.GetReason()))
	case *statepb.Command_Issue:
		return cmp.Or(validHash("Destination", op.Issue.GetDestinationHash()),
			validRecords(op.Issue.GetRecords()))
	}
	if cmd.GetVersion() < 2 {
		return fmt.Errorf("command without an operation that version 1 has: %w", ErrInvalid)
	}
	return validate2(cmd)
}

// ValidName checks the name of a node or frontend. The error is ErrInvalid.
func ValidName(of, name string) error {
	const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789.-_"
	if name == "" || len(name) > MaxNameLength || strings.Trim(name, alphabet) != "" {
		return fmt.Errorf("name of %s %.80q: want 1 to %d characters of a-z 0-9 . - _: %w", of, name, MaxNameLength, ErrInvalid)
	}
	return nil
}

func validRoles(version uint32, r *statepb.Roles) error {
	switch {
	case r.GetRefuge() && version < 2:
		return fmt.Errorf("refuge in version 1, which has none: %w", ErrInvalid)
	case r.GetRefuge() && (r.GetMember() || r.GetPublisher()):
		return fmt.Errorf("refuge that is a member or publisher as well: %w", ErrInvalid)
	}
	return nil
}

func validHash(of string, hash []byte) error {
	if len(hash) != i2p.HashSize {
		return fmt.Errorf("hash of %s has %d bytes, want %d: %w", of, len(hash), i2p.HashSize, ErrInvalid)
	}
	return nil
}

func validReason(reason string) error {
	// Not unicode.IsPrint: it changes with Go's version, and nodes of different
	// versions must agree.
	if len(reason) > MaxReasonLength || !utf8.ValidString(reason) || strings.ContainsFunc(reason, unicode.IsControl) {
		return fmt.Errorf("reason %.80q: want up to %d bytes of text without control characters: %w", reason, MaxReasonLength, ErrInvalid)
	}
	return nil
}

func validLeases(leases []*statepb.Lease) error {
	if len(leases) > MaxPoolLeases {
		return fmt.Errorf("pool of %d leases, at most %d fit: %w", len(leases), MaxPoolLeases, ErrInvalid)
	}
	for i, l := range leases {
		if err := validHash("gateway", l.GetGateway()); err != nil {
			return fmt.Errorf("lease %d: %w", i, err)
		}
		if l.GetEndUnix() == 0 {
			return fmt.Errorf("lease %d: end is not a time that a lease can have: %w", i, ErrInvalid)
		}
	}
	return nil
}

func validRecords(records []*statepb.Record) error {
	if len(records) < 1 || len(records) > MaxRecords {
		return fmt.Errorf("issue of %d records, want 1 to %d: %w", len(records), MaxRecords, ErrInvalid)
	}
	for i, r := range records {
		if err := validRecord(r); err != nil {
			return fmt.Errorf("record %d: %w", i, err)
		}
	}
	return nil
}

func validRecord(r *statepb.Record) error {
	published, expires := r.GetPublishedUnix(), r.GetExpiresUnix()
	if expires <= published || expires-published > maxLifeSeconds {
		return fmt.Errorf("published %d expires %d: want 1 to %d s of life: %w", published, expires, maxLifeSeconds, ErrInvalid)
	}
	if n := len(r.GetDigest()); n != len(Record{}.Digest) {
		return fmt.Errorf("digest of %d bytes, want %d: %w", n, len(Record{}.Digest), ErrInvalid)
	}
	switch kind := r.GetKind(); {
	case kind == statepb.Kind_KIND_OWN:
		return ValidName("frontend", r.GetFrontend())
	case kind != statepb.Kind_KIND_MERGED:
		return fmt.Errorf("kind %d is unknown: %w", kind, ErrInvalid)
	case r.GetFrontend() != "":
		return fmt.Errorf("merged LeaseSet for frontend %.80q, want none: %w", r.GetFrontend(), ErrInvalid)
	}
	return nil
}
