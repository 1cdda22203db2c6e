package ledger

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/raftstate/statepb"
)

// DecodeCommand reads the data of a log entry. Its errors are ErrInvalid.
func DecodeCommand(b []byte) (*statepb.Command, error) {
	cmd := new(statepb.Command)
	if err := proto.Unmarshal(b, cmd); err != nil {
		return nil, fmt.Errorf("decode command: %w: %w", err, ErrInvalid)
	}
	return cmd, nil
}

// The functions ...FromPB take messages that have been validated.

func rolesToPB(r Roles) *statepb.Roles {
	return &statepb.Roles{Member: r.Member, Publisher: r.Publisher, Refuge: r.Refuge}
}

func rolesFromPB(r *statepb.Roles) Roles {
	return Roles{Member: r.GetMember(), Publisher: r.GetPublisher(), Refuge: r.GetRefuge()}
}

func leasesToPB(leases []i2p.Lease) []*statepb.Lease {
	var pb []*statepb.Lease
	for _, l := range leases {
		pb = append(pb, &statepb.Lease{
			Gateway: l.Gateway[:], TunnelId: l.Tunnel, EndUnix: unix32(l.End),
		})
	}
	return pb
}

func leasesFromPB(pb []*statepb.Lease) []i2p.Lease {
	var leases []i2p.Lease
	for _, l := range pb {
		leases = append(leases, i2p.Lease{
			Gateway: i2p.Hash(l.GetGateway()),
			Tunnel:  l.GetTunnelId(),
			End:     time.Unix(int64(l.GetEndUnix()), 0),
		})
	}
	return leases
}

func recordToPB(r Record) *statepb.Record {
	kind := statepb.Kind_KIND_MERGED
	if r.Frontend != "" {
		kind = statepb.Kind_KIND_OWN
	}
	return &statepb.Record{
		Seq: r.Seq, PublishedUnix: r.Published, ExpiresUnix: r.Expires,
		Kind: kind, Frontend: r.Frontend, Digest: r.Digest[:],
	}
}

func recordFromPB(pb *statepb.Record, term uint64) Record {
	return Record{
		Seq: pb.GetSeq(), Published: pb.GetPublishedUnix(), Expires: pb.GetExpiresUnix(),
		Frontend: pb.GetFrontend(), Digest: [32]byte(pb.GetDigest()), Term: term,
	}
}
