package raftstate

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/onelease/onelease/raftstate/statepb"
)

func invite(id string) Invite {
	return Invite{ID: id, SecretDigest: hash(77), Role: RoleBalancer, Name: "node-7", Voter: true, Expires: 1_700_000_100}
}

func delegation(backend string) Delegation {
	return Delegation{Backend: backend, Key: []byte(strings.Repeat("k", 32)), SigType: 7, Expires: 1_700_086_400}
}

var fullPolicy = Policy{
	Tunnels: 3, Hops: -1, MergedLife: 10 * time.Minute, MergedRefresh: time.Minute, OwnLife: 90 * time.Second,
	OwnRefresh: 1500 * time.Millisecond, Rotation: "after-hello", DrainLimit: time.Hour, HandOverKeys: true, DelegationLife: 24 * time.Hour,
}

var inviteTime = time.Unix(1_700_000_000, 0)

func TestGeneration(t *testing.T) {
	s := run(t, Issue(hash(1), record(1, "")))
	s, _, err := s.apply(9, Issue(hash(1), record(2, "")))
	if err != nil {
		t.Fatal(err)
	}
	refuse(t, s, 3, Issue(hash(1), record(3, "")), ErrStale)
	s, _, err = s.apply(3, SetGeneration(1_700_000_000_000))
	if err != nil || s.Generation != 1_700_000_000_000 || s.Version != 2 {
		t.Fatalf("generation %d, version %d, %v", s.Generation, s.Version, err)
	}
	refuse(t, s, 3, SetGeneration(1_700_000_000_000), ErrStale)
	refuse(t, s, 3, SetGeneration(0), ErrStale)
	refuse(t, s, 3, Issue(hash(1), record(2, "")), ErrStale) // seq and published go on
	if s, _, err = s.apply(3, Issue(hash(1), record(3, ""))); err != nil || s.Destination(hash(1)).LastTerm != 3 {
		t.Errorf("in a new generation an earlier term: %v, %+v", err, s.Destination(hash(1)))
	}
}

func TestPolicy(t *testing.T) {
	s := run(t, PutPolicy(hash(1), fullPolicy))
	if p := s.Destination(hash(1)).Policy; p == nil || *p != fullPolicy {
		t.Errorf("policy %+v", p)
	}
	later, _, err := s.apply(1, PutPolicy(hash(1), Policy{}))
	if err != nil || *later.Destination(hash(1)).Policy != (Policy{}) || *s.Destination(hash(1)).Policy != fullPolicy {
		t.Errorf("replaced by %+v, %v; the older state has %+v", later.Destination(hash(1)).Policy, err, s.Destination(hash(1)).Policy)
	}
	for name, bad := range map[string]Policy{
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
		t.Run(name, func(t *testing.T) { refuse(t, s, 1, PutPolicy(hash(1), bad), ErrInvalid) })
	}
	refuse(t, s, 1, &statepb.Command{Version: 2, Op: &statepb.Command_PutPolicy{
		PutPolicy: &statepb.PutPolicy{DestinationHash: make([]byte, 32)}}}, ErrInvalid)
}

func TestDelegations(t *testing.T) {
	second := delegation("b")
	second.Key, second.Expires = []byte(strings.Repeat("x", 132)), second.Expires+1
	s := run(t, Delegate(hash(1), delegation("a")), Delegate(hash(1), delegation("b")), Delegate(hash(1), second))
	d := s.Destination(hash(1)).Delegations
	if len(d) != 2 || string(d["b"].Key) != string(second.Key) || d["b"].Expires != second.Expires || d["a"].SigType != 7 {
		t.Errorf("delegations %+v", d)
	}
	less, _, err := s.apply(1, RemoveDelegation(hash(1), "a"))
	if err != nil || len(less.Destination(hash(1)).Delegations) != 1 || len(s.Destination(hash(1)).Delegations) != 2 {
		t.Errorf("after a removal %+v, %v; before %+v", less.Destination(hash(1)), err, s.Destination(hash(1)))
	}
	if _, _, err := less.apply(1, RemoveDelegation(hash(5), "a")); err != nil {
		t.Errorf("removal of what is not there: %v", err)
	}
	short, long, never, odd := delegation("a"), delegation("a"), delegation("a"), delegation("A")
	short.Key, long.Key, never.Expires = short.Key[1:], make([]byte, 133), 0
	for name, bad := range map[string]Delegation{"short key": short, "long key": long, "no end": never, "bad name": odd} {
		t.Run(name, func(t *testing.T) { refuse(t, s, 1, Delegate(hash(1), bad), ErrInvalid) })
	}
	for i := 2; i < MaxDelegations; i++ {
		s, _, _ = s.apply(1, Delegate(hash(i%3), delegation(fmt.Sprint(i))))
	}
	refuse(t, s, 1, Delegate(hash(1), delegation("more")), ErrInvalid)
	if _, _, err := s.apply(1, Delegate(hash(1), delegation("a"))); err != nil {
		t.Errorf("replaced in a full state: %v", err)
	}
}

func TestInvites(t *testing.T) {
	end := time.Unix(1_700_000_100, 0)
	s := run(t, PutInvite(invite("a"), inviteTime), PutInvite(invite("b"), inviteTime), PutInvite(invite("b"), inviteTime))
	if s.Invites["a"] != invite("a") || len(s.Invites) != 2 {
		t.Errorf("invites %+v", s.Invites)
	}
	used, _, err := s.apply(1, UseInvite("a", end))
	if err != nil || len(used.Invites) != 1 || len(s.Invites) != 2 {
		t.Errorf("used in its last second: %v, left %+v, before %+v", err, used.Invites, s.Invites)
	}
	refuse(t, used, 1, UseInvite("a", end), ErrUnknownInvite)
	refuse(t, s, 1, UseInvite("a", end.Add(time.Second)), ErrInviteExpired)
	refuse(t, used, 1, RemoveInvite("a"), ErrUnknownInvite)
	if removed, _, err := used.apply(1, RemoveInvite("b")); err != nil || len(removed.Invites) != 0 {
		t.Errorf("removed: %v, %+v", err, removed.Invites)
	}
	other := invite("b")
	other.Voter = false
	refuse(t, s, 1, PutInvite(other, inviteTime), ErrInvalid)
	other.ID, other.Expires = "c", other.Expires+1
	later, _, err := s.apply(1, PutInvite(other, end.Add(time.Second)))
	if err != nil || len(later.Invites) != 1 || later.Invites["c"] != other {
		t.Errorf("expired ones are not dropped: %+v, %v", later.Invites, err)
	}
}

func TestInviteLimits(t *testing.T) {
	s := newState()
	edit := func(f func(*Invite)) *statepb.Command {
		i := invite("x")
		f(&i)
		return PutInvite(i, inviteTime)
	}
	for name, cmd := range map[string]*statepb.Command{
		"no ID":    edit(func(i *Invite) { i.ID = "" }),
		"bad role": edit(func(i *Invite) { i.Role = "king" }),
		"bad name": edit(func(i *Invite) { i.Name = "A b" }),
		"no end":   edit(func(i *Invite) { i.Expires = 0 }),
		"short digest": {Version: 2, Op: &statepb.Command_PutInvite{PutInvite: &statepb.PutInvite{
			Invite: &statepb.Invite{Id: "x", Role: RoleBalancer, ExpiresUnix: 1, SecretDigest: []byte("x")}}}},
	} {
		t.Run(name, func(t *testing.T) { refuse(t, s, 1, cmd, ErrInvalid) })
	}
	for i := range MaxInvites {
		s, _, _ = s.apply(1, PutInvite(invite(fmt.Sprint(i)), inviteTime))
	}
	refuse(t, s, 1, PutInvite(invite("more"), inviteTime), ErrInvalid)
	if _, err := decodeState(encode(t, s)); err != nil {
		t.Error(err)
	}
}

// A refuge has no other role, and no state of version 1 has one.
func TestRefugeIsRefused(t *testing.T) {
	for name, roles := range map[string]Roles{"member": {Refuge: true, Member: true}, "publisher": {Refuge: true, Publisher: true}} {
		t.Run(name, func(t *testing.T) { refuse(t, newState(), 1, PutFrontend("a", hash(1), roles), ErrInvalid) })
	}
	s := run(t, PutFrontend("a", hash(1), Roles{Refuge: true}))
	if s.Version != 2 || s.Frontends["a"].Roles != (Roles{Refuge: true}) {
		t.Errorf("state %+v", s)
	}
	s.Version = 1
	if _, err := decodeState(encode(t, s)); !errors.Is(err, ErrInvalid) {
		t.Errorf("snapshot of version 1 with a refuge: %v", err)
	}
}

// What an older node would not know is of no effect in an older version.
func TestOperationsOfVersion2NeedIt(t *testing.T) {
	for _, cmd := range fixtureCommands2() {
		old := &statepb.Command{Version: 1, Op: cmd.GetOp()}
		if cmd.GetVersion() == 2 {
			refuse(t, newState(), 1, old, ErrInvalid)
		}
	}
	if s := run(t, PutFrontend("a", hash(1), Roles{})); s.Version != 1 {
		t.Errorf("a command of version 1 has made a state of version %d", s.Version)
	}
}
