package balancer

import (
	"fmt"
	"time"

	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/raftstate/ledger"
)

// poolLeases checks and reads the leases of a report.
func poolLeases(report *controlpb.Pool) ([]i2p.Lease, error) {
	if len(report.GetLeases()) > ledger.MaxPoolLeases {
		return nil, fmt.Errorf("pool of %d leases, at most %d", len(report.GetLeases()), ledger.MaxPoolLeases)
	}
	leases := make([]i2p.Lease, 0, len(report.GetLeases()))
	for _, l := range report.GetLeases() {
		end := time.UnixMilli(l.GetEndMs())
		if len(l.GetGateway()) != i2p.HashSize || end.Unix() <= 0 || end.Unix() > 0xffffffff {
			return nil, fmt.Errorf("lease with a gateway of %d bytes that ends at %d ms", len(l.GetGateway()), l.GetEndMs())
		}
		leases = append(leases, i2p.Lease{Gateway: i2p.Hash(l.GetGateway()), Tunnel: l.GetTunnelId(), End: end})
	}
	return leases, nil
}

// leaseMessages is the other way round.
func leaseMessages(leases []i2p.Lease) []*controlpb.Lease {
	messages := make([]*controlpb.Lease, len(leases))
	for i, l := range leases {
		messages[i] = &controlpb.Lease{Gateway: l.Gateway[:], TunnelId: l.Tunnel, EndMs: l.End.UnixMilli()}
	}
	return messages
}
