// Package ledgertest has commands and values for tests of what keeps a ledger.
package ledgertest

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/raftstate/ledger"
	"github.com/onelease/onelease/raftstate/statepb"
)

// Hash is that of a Destination.
func Hash(n int) i2p.Hash { return i2p.Hash(sha256.Sum256(fmt.Append(nil, "destination ", n))) }

// Record has the given seq, and published and digest that go with it.
func Record(seq uint64, frontend string) ledger.Record {
	published := uint32(1_700_000_000 + seq)
	return ledger.Record{
		Seq: seq, Published: published, Expires: published + 600, Frontend: frontend,
		Digest: sha256.Sum256(fmt.Append(nil, seq)),
	}
}

// Records go on by one from first.
func Records(first uint64, n int) []ledger.Record {
	rs := make([]ledger.Record, n)
	for i := range rs {
		rs[i] = Record(first+uint64(i), "")
	}
	return rs
}

// Leases have a gateway each.
func Leases(n int) []i2p.Lease {
	ls := make([]i2p.Lease, n)
	for i := range ls {
		ls[i] = i2p.Lease{Gateway: Hash(1000 + i), Tunnel: uint32(i + 1), End: time.Unix(1_700_000_600, 0)}
	}
	return ls
}

// Invite is for a balancer, and good for 100 s from InviteTime.
func Invite(id string) ledger.Invite {
	return ledger.Invite{ID: id, SecretDigest: Hash(77), Role: ledger.RoleBalancer, Name: "node-7", Voter: true, Expires: 1_700_000_100}
}

// Delegation is one of a backend.
func Delegation(backend string) ledger.Delegation {
	return ledger.Delegation{Backend: backend, Key: []byte(strings.Repeat("k", 32)), SigType: 7, Expires: 1_700_086_400}
}

// FullPolicy has every field set.
var FullPolicy = ledger.Policy{
	Tunnels: 3, Hops: -1, MergedLife: 10 * time.Minute, MergedRefresh: time.Minute, OwnLife: 90 * time.Second,
	OwnRefresh: 1500 * time.Millisecond, Rotation: "after-hello", DrainLimit: time.Hour, HandOverKeys: true, DelegationLife: 24 * time.Hour,
}

// InviteTime is when invites are put and used.
var InviteTime = time.Unix(1_700_000_000, 0)

// Term is the one that the files in testdata are of.
const Term = 4

// Commands1 are all operations of version 1, with every field set somewhere.
func Commands1() []*statepb.Command {
	return []*statepb.Command{
		ledger.PutFrontend("router-1", Hash(1), ledger.Roles{Member: true}),
		ledger.PutFrontend("router-2", Hash(1), ledger.Roles{Member: true, Publisher: true}),
		ledger.PutFrontend("gone", Hash(1), ledger.Roles{Publisher: true}),
		ledger.ReportPool("router-1", ledger.Pool{Up: true, Leases: Leases(3)}),
		ledger.ReportPool("router-2", ledger.Pool{Up: false, Leases: Leases(1)}),
		ledger.SetEpoch(Hash(1), 2, "member lost"),
		ledger.Issue(Hash(1), Record(1, ""), Record(2, "router-1"), Record(3, "gone")),
		ledger.Issue(Hash(2), Record(1, "")),
		ledger.RemoveFrontend("gone"),
	}
}

// Commands2 are those of version 1, and all that version 2 has.
func Commands2() []*statepb.Command {
	return append(Commands1(),
		ledger.SetGeneration(1_700_000_000_123),
		ledger.PutPolicy(Hash(1), FullPolicy),
		ledger.Delegate(Hash(1), Delegation("backend-1")),
		ledger.Delegate(Hash(2), Delegation("gone")),
		ledger.RemoveDelegation(Hash(2), "gone"),
		ledger.PutInvite(Invite("left"), InviteTime),
		ledger.PutInvite(Invite("used"), InviteTime),
		ledger.UseInvite("used", InviteTime),
		ledger.PutInvite(Invite("removed"), InviteTime),
		ledger.RemoveInvite("removed"),
		ledger.Issue(Hash(2), Record(2, "")),
		ledger.PutFrontend("refuge", Hash(2), ledger.Roles{Refuge: true}),
	)
}

// Encode is State.Encode, which does not fail.
func Encode(t rapid.TB, s *ledger.State) []byte {
	t.Helper()
	b, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}
