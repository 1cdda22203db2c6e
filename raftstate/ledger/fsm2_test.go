package ledger_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/onelease/onelease/raftstate/ledger"
	"github.com/onelease/onelease/raftstate/ledger/ledgertest"
	"github.com/onelease/onelease/raftstate/statepb"
)

func TestGeneration(t *testing.T) {
	s := run(t, ledger.Issue(ledgertest.Hash(1), ledgertest.Record(1, "")))
	s, _, err := s.Apply(9, ledger.Issue(ledgertest.Hash(1), ledgertest.Record(2, "")))
	if err != nil {
		t.Fatal(err)
	}
	refuse(t, s, 3, ledger.Issue(ledgertest.Hash(1), ledgertest.Record(3, "")), ledger.ErrStale)
	s, _, err = s.Apply(3, ledger.SetGeneration(1_700_000_000_000))
	if err != nil || s.Generation != 1_700_000_000_000 || s.Version != 2 {
		t.Fatalf("generation %d, version %d, %v", s.Generation, s.Version, err)
	}
	refuse(t, s, 3, ledger.SetGeneration(1_700_000_000_000), ledger.ErrStale)
	refuse(t, s, 3, ledger.SetGeneration(0), ledger.ErrStale)
	refuse(t, s, 3, ledger.Issue(ledgertest.Hash(1), ledgertest.Record(2, "")), ledger.ErrStale) // seq and published go on
	if s, _, err = s.Apply(3, ledger.Issue(ledgertest.Hash(1), ledgertest.Record(3, ""))); err != nil || s.Destination(ledgertest.Hash(1)).LastTerm != 3 {
		t.Errorf("in a new generation an earlier term: %v, %+v", err, s.Destination(ledgertest.Hash(1)))
	}
}

func TestPolicy(t *testing.T) {
	s := run(t, ledger.PutPolicy(ledgertest.Hash(1), ledgertest.FullPolicy))
	if p := s.Destination(ledgertest.Hash(1)).Policy; p == nil || *p != ledgertest.FullPolicy {
		t.Errorf("policy %+v", p)
	}
	later, _, err := s.Apply(1, ledger.PutPolicy(ledgertest.Hash(1), ledger.Policy{}))
	if err != nil || *later.Destination(ledgertest.Hash(1)).Policy != (ledger.Policy{}) || *s.Destination(ledgertest.Hash(1)).Policy != ledgertest.FullPolicy {
		t.Errorf("replaced by %+v, %v; the older state has %+v", later.Destination(ledgertest.Hash(1)).Policy, err, s.Destination(ledgertest.Hash(1)).Policy)
	}
	for name, bad := range map[string]ledger.Policy{
		"17 tunnels":     {Tunnels: 17},
		"9 hops":         {Hops: 9},
		"-2 hops":        {Hops: -2},
		"life of 661 s":  {MergedLife: 661 * time.Second},
		"life below 0":   {OwnLife: -time.Second},
		"refresh":        {OwnRefresh: 661 * time.Second},
		"merged refresh": {MergedRefresh: 661 * time.Second},
		"drain limit":    {DrainLimit: 11 * 365 * 24 * time.Hour},
		"delegation":     {DelegationLife: -1e6},
		"long rotation":  {Rotation: strings.Repeat("a", 17)},
		"bad rotation":   {Rotation: "After Hello"},
	} {
		t.Run(name, func(t *testing.T) { refuse(t, s, 1, ledger.PutPolicy(ledgertest.Hash(1), bad), ledger.ErrInvalid) })
	}
	refuse(t, s, 1, &statepb.Command{Version: 2, Op: &statepb.Command_PutPolicy{
		PutPolicy: &statepb.PutPolicy{DestinationHash: make([]byte, 32)}}}, ledger.ErrInvalid)
}

func TestDelegations(t *testing.T) {
	second := ledgertest.Delegation("b")
	second.Key, second.Expires = []byte(strings.Repeat("x", 132)), second.Expires+1
	s := run(t, ledger.Delegate(ledgertest.Hash(1), ledgertest.Delegation("a")), ledger.Delegate(ledgertest.Hash(1), ledgertest.Delegation("b")), ledger.Delegate(ledgertest.Hash(1), second))
	d := s.Destination(ledgertest.Hash(1)).Delegations
	if len(d) != 2 || string(d["b"].Key) != string(second.Key) || d["b"].Expires != second.Expires || d["a"].SigType != 7 {
		t.Errorf("delegations %+v", d)
	}
	less, _, err := s.Apply(1, ledger.RemoveDelegation(ledgertest.Hash(1), "a"))
	if err != nil || len(less.Destination(ledgertest.Hash(1)).Delegations) != 1 || len(s.Destination(ledgertest.Hash(1)).Delegations) != 2 {
		t.Errorf("after a removal %+v, %v; before %+v", less.Destination(ledgertest.Hash(1)), err, s.Destination(ledgertest.Hash(1)))
	}
	if _, _, err := less.Apply(1, ledger.RemoveDelegation(ledgertest.Hash(5), "a")); err != nil {
		t.Errorf("removal of what is not there: %v", err)
	}
	short, long, never, odd := ledgertest.Delegation("a"), ledgertest.Delegation("a"), ledgertest.Delegation("a"), ledgertest.Delegation("A")
	short.Key, long.Key, never.Expires = short.Key[1:], make([]byte, 133), 0
	for name, bad := range map[string]ledger.Delegation{"short key": short, "long key": long, "no end": never, "bad name": odd} {
		t.Run(name, func(t *testing.T) { refuse(t, s, 1, ledger.Delegate(ledgertest.Hash(1), bad), ledger.ErrInvalid) })
	}
	for i := 2; i < ledger.MaxDelegations; i++ {
		s, _, _ = s.Apply(1, ledger.Delegate(ledgertest.Hash(i%3), ledgertest.Delegation(fmt.Sprint(i))))
	}
	refuse(t, s, 1, ledger.Delegate(ledgertest.Hash(1), ledgertest.Delegation("more")), ledger.ErrInvalid)
	if _, _, err := s.Apply(1, ledger.Delegate(ledgertest.Hash(1), ledgertest.Delegation("a"))); err != nil {
		t.Errorf("replaced in a full state: %v", err)
	}
}

func TestInvites(t *testing.T) {
	end := time.Unix(1_700_000_100, 0)
	s := run(t, ledger.PutInvite(ledgertest.Invite("a"), ledgertest.InviteTime), ledger.PutInvite(ledgertest.Invite("b"), ledgertest.InviteTime), ledger.PutInvite(ledgertest.Invite("b"), ledgertest.InviteTime))
	if s.Invites["a"] != ledgertest.Invite("a") || len(s.Invites) != 2 {
		t.Errorf("invites %+v", s.Invites)
	}
	used, _, err := s.Apply(1, ledger.UseInvite("a", end))
	if err != nil || len(used.Invites) != 1 || len(s.Invites) != 2 {
		t.Errorf("used in its last second: %v, left %+v, before %+v", err, used.Invites, s.Invites)
	}
	refuse(t, used, 1, ledger.UseInvite("a", end), ledger.ErrUnknownInvite)
	refuse(t, s, 1, ledger.UseInvite("a", end.Add(time.Second)), ledger.ErrInviteExpired)
	refuse(t, used, 1, ledger.RemoveInvite("a"), ledger.ErrUnknownInvite)
	if removed, _, err := used.Apply(1, ledger.RemoveInvite("b")); err != nil || len(removed.Invites) != 0 {
		t.Errorf("removed: %v, %+v", err, removed.Invites)
	}
	other := ledgertest.Invite("b")
	other.Voter = false
	refuse(t, s, 1, ledger.PutInvite(other, ledgertest.InviteTime), ledger.ErrInvalid)
	other.ID, other.Expires = "c", other.Expires+1
	later, _, err := s.Apply(1, ledger.PutInvite(other, end.Add(time.Second)))
	if err != nil || len(later.Invites) != 1 || later.Invites["c"] != other {
		t.Errorf("expired ones are not dropped: %+v, %v", later.Invites, err)
	}
}

func TestInviteLimits(t *testing.T) {
	s := ledger.New()
	edit := func(f func(*ledger.Invite)) *statepb.Command {
		i := ledgertest.Invite("x")
		f(&i)
		return ledger.PutInvite(i, ledgertest.InviteTime)
	}
	for name, cmd := range map[string]*statepb.Command{
		"no ID":    edit(func(i *ledger.Invite) { i.ID = "" }),
		"bad role": edit(func(i *ledger.Invite) { i.Role = "king" }),
		"bad name": edit(func(i *ledger.Invite) { i.Name = "A b" }),
		"no end":   edit(func(i *ledger.Invite) { i.Expires = 0 }),
		"short digest": {Version: 2, Op: &statepb.Command_PutInvite{PutInvite: &statepb.PutInvite{
			Invite: &statepb.Invite{Id: "x", Role: ledger.RoleBalancer, ExpiresUnix: 1, SecretDigest: []byte("x")}}}},
	} {
		t.Run(name, func(t *testing.T) { refuse(t, s, 1, cmd, ledger.ErrInvalid) })
	}
	for i := range ledger.MaxInvites {
		s, _, _ = s.Apply(1, ledger.PutInvite(ledgertest.Invite(fmt.Sprint(i)), ledgertest.InviteTime))
	}
	refuse(t, s, 1, ledger.PutInvite(ledgertest.Invite("more"), ledgertest.InviteTime), ledger.ErrInvalid)
	if _, err := ledger.Decode(ledgertest.Encode(t, s)); err != nil {
		t.Error(err)
	}
}

// A refuge has no other role, and no state of version 1 has one.
func TestRefugeIsRefused(t *testing.T) {
	for name, roles := range map[string]ledger.Roles{"member": {Refuge: true, Member: true}, "publisher": {Refuge: true, Publisher: true}} {
		t.Run(name, func(t *testing.T) {
			refuse(t, ledger.New(), 1, ledger.PutFrontend("a", ledgertest.Hash(1), roles), ledger.ErrInvalid)
		})
	}
	s := run(t, ledger.PutFrontend("a", ledgertest.Hash(1), ledger.Roles{Refuge: true}))
	if s.Version != 2 || s.Frontends["a"].Roles != (ledger.Roles{Refuge: true}) {
		t.Errorf("state %+v", s)
	}
	s.Version = 1
	if _, err := ledger.Decode(ledgertest.Encode(t, s)); !errors.Is(err, ledger.ErrInvalid) {
		t.Errorf("snapshot of version 1 with a refuge: %v", err)
	}
}

// What an older node would not know is of no effect in an older version.
func TestOperationsOfVersion2NeedIt(t *testing.T) {
	for _, cmd := range ledgertest.Commands2() {
		old := &statepb.Command{Version: 1, Op: cmd.GetOp()}
		if cmd.GetVersion() == 2 {
			refuse(t, ledger.New(), 1, old, ledger.ErrInvalid)
		}
	}
	if s := run(t, ledger.PutFrontend("a", ledgertest.Hash(1), ledger.Roles{})); s.Version != 1 {
		t.Errorf("a command of version 1 has made a state of version %d", s.Version)
	}
}
