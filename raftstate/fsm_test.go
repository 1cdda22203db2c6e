package raftstate

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/onelease/onelease/raftstate/statepb"
)

// run applies commands in term 1, all of which must be accepted.
func run(t *testing.T, cmds ...*statepb.Command) *State {
	t.Helper()
	s := newState()
	for i, cmd := range cmds {
		var err error
		if s, _, err = s.apply(1, cmd); err != nil {
			t.Fatalf("command %d: %v", i, err)
		}
	}
	return s
}

// refuse applies cmd, which must be refused and change nothing.
func refuse(t *testing.T, s *State, term uint64, cmd *statepb.Command, want error) {
	t.Helper()
	before, _ := s.encode()
	next, result, err := s.apply(term, cmd)
	if !errors.Is(err, want) {
		t.Errorf("error %v, want %v", err, want)
	}
	after, _ := s.encode()
	if next != s || !bytes.Equal(before, after) || result != (Result{}) {
		t.Error("a refused command has changed the state, or has a result")
	}
}

func TestFrontends(t *testing.T) {
	member, publisher := Roles{Member: true}, Roles{Publisher: true}
	pool := Pool{Up: true, Leases: leases(3)}
	s := run(t, PutFrontend("a", hash(1), member), ReportPool("a", pool), PutFrontend("b", hash(1), publisher),
		PutFrontend("a", hash(1), Roles{Member: true, Publisher: true}))
	a := s.Frontends["a"]
	if a.Name != "a" || a.Destination != hash(1) || !a.Roles.Member || !a.Roles.Publisher {
		t.Errorf("frontend a is %+v", a)
	}
	if !a.Pool.Up || len(a.Pool.Leases) != 3 || a.Pool.Leases[2] != pool.Leases[2] {
		t.Errorf("new roles have changed the pool to %+v", a.Pool)
	}
	if s.Frontends["b"].Roles != publisher {
		t.Errorf("frontend b is %+v", s.Frontends["b"])
	}
	refuse(t, s, 1, PutFrontend("a", hash(2), member), ErrInvalid)
	refuse(t, s, 1, ReportPool("c", pool), ErrUnknownFrontend)
	refuse(t, s, 1, RemoveFrontend("c"), ErrUnknownFrontend)
}

func TestRemoveFrontendDropsItsRecordOnly(t *testing.T) {
	s := run(t, PutFrontend("a", hash(1), Roles{}), PutFrontend("b", hash(1), Roles{}),
		Issue(hash(1), record(1, ""), record(2, "a"), record(3, "b")), RemoveFrontend("a"))
	d := s.Destination(hash(1))
	if _, ok := d.Own["a"]; ok || d.Own["b"].Seq != 3 || d.Merged.Seq != 1 {
		t.Errorf("after the removal of a: %+v", d)
	}
	refuse(t, s, 1, Issue(hash(1), record(4, "a")), ErrUnknownFrontend)
	s = run(t, PutFrontend("a", hash(1), Roles{}), Issue(hash(1), record(1, "a")), RemoveFrontend("a"))
	if d := s.Destination(hash(1)); d.LastSeq != 1 || d.LastPublished != record(1, "").Published {
		t.Errorf("with the last frontend its Destination has forgotten what was issued: %+v", d)
	}
}

func TestIssue(t *testing.T) {
	s := run(t, PutFrontend("a", hash(1), Roles{}), PutFrontend("other", hash(2), Roles{}))
	s, result, err := s.apply(7, Issue(hash(1), record(1, ""), record(2, "a")))
	if want := (Result{Term: 7, Seq: 2, Published: record(2, "").Published}); err != nil || result != want {
		t.Fatalf("result %+v, %v, want %+v", result, err, want)
	}
	own := record(2, "a")
	own.Term = 7
	if d := s.Destination(hash(1)); d.Own["a"] != own || d.Merged.Seq != 1 || d.LastTerm != 7 {
		t.Errorf("state %+v", d)
	}
	gap, early, equal := record(4, ""), record(3, ""), record(3, "")
	early.Published--
	equal.Published, equal.Expires = own.Published, own.Expires
	for name, rs := range map[string][]Record{
		"again":                      {record(2, "")},
		"gap":                        {gap},
		"published again":            {equal},
		"published earlier":          {early},
		"good, then gap":             {record(3, ""), record(5, "")},
		"good, then the same":        {record(3, ""), record(3, "")},
		"good, then published again": {record(3, ""), {Seq: 4, Published: record(3, "").Published, Expires: record(3, "").Expires}},
	} {
		t.Run(name, func(t *testing.T) { refuse(t, s, 7, Issue(hash(1), rs...), ErrStale) })
	}
	refuse(t, s, 6, Issue(hash(1), record(3, "")), ErrStale)
	refuse(t, s, 7, Issue(hash(1), record(3, ""), record(4, "nobody")), ErrUnknownFrontend)
	refuse(t, s, 7, Issue(hash(1), record(3, ""), record(4, "other")), ErrInvalid)
	_, _, err = s.apply(7, Issue(hash(1), gap))
	for _, part := range []string{"seq 2", fmt.Sprint("published ", own.Published)} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not name the last %s", err, part)
		}
	}
}

func TestEpoch(t *testing.T) {
	s := run(t, SetEpoch(hash(1), 3, "member lost"))
	if d := s.Destination(hash(1)); d.Epoch != 3 || d.EpochReason != "member lost" {
		t.Errorf("state %+v", d)
	}
	refuse(t, s, 1, SetEpoch(hash(1), 3, ""), ErrStale)
	refuse(t, s, 1, SetEpoch(hash(1), 2, ""), ErrStale)
	refuse(t, newState(), 1, SetEpoch(hash(1), 0, ""), ErrStale)
}

func TestCommandLimits(t *testing.T) {
	s := run(t, PutFrontend("a", hash(1), Roles{}))
	issue := func(edit func(*statepb.Record)) *statepb.Command {
		cmd := Issue(hash(1), record(1, ""))
		edit(cmd.GetIssue().GetRecords()[0])
		return cmd
	}
	report := func(edit func(*statepb.Lease)) *statepb.Command {
		cmd := ReportPool("a", Pool{Leases: leases(1)})
		edit(cmd.GetReportPool().GetLeases()[0])
		return cmd
	}
	for name, cmd := range map[string]*statepb.Command{
		"no name":             PutFrontend("", hash(1), Roles{}),
		"long name":           PutFrontend(strings.Repeat("a", 65), hash(1), Roles{}),
		"capitals":            PutFrontend("A", hash(1), Roles{}),
		"space within":        PutFrontend("a b", hash(1), Roles{}),
		"19 leases":           ReportPool("a", Pool{Leases: leases(19)}),
		"lease without end":   report(func(l *statepb.Lease) { l.EndUnix = 0 }),
		"short gateway":       report(func(l *statepb.Lease) { l.Gateway = l.Gateway[1:] }),
		"no records":          Issue(hash(1)),
		"258 records":         Issue(hash(1), records(1, 258)...),
		"life of 661 s":       issue(func(r *statepb.Record) { r.ExpiresUnix = r.PublishedUnix + 661 }),
		"no life":             issue(func(r *statepb.Record) { r.ExpiresUnix = r.PublishedUnix }),
		"expired before":      issue(func(r *statepb.Record) { r.ExpiresUnix = r.PublishedUnix - 1 }),
		"unknown kind":        issue(func(r *statepb.Record) { r.Kind = 3 }),
		"short digest":        issue(func(r *statepb.Record) { r.Digest = r.Digest[1:] }),
		"merged for a member": issue(func(r *statepb.Record) { r.Frontend = "a" }),
		"own for nobody":      issue(func(r *statepb.Record) { r.Kind = statepb.Kind_KIND_OWN }),
		"long reason":         SetEpoch(hash(1), 1, strings.Repeat("a", 201)),
		"newline in reason":   SetEpoch(hash(1), 1, "a\nb"),
		"no UTF-8 in reason":  SetEpoch(hash(1), 1, "\xff"),
	} {
		t.Run(name, func(t *testing.T) { refuse(t, s, 1, cmd, ErrInvalid) })
	}
	run(t, PutFrontend(strings.Repeat("a", 64), hash(1), Roles{}), PutFrontend("a.-_09z", hash(1), Roles{}),
		ReportPool("a.-_09z", Pool{Leases: leases(18)}), Issue(hash(1), records(1, 257)...))
}

func TestStateLimits(t *testing.T) {
	s := newState()
	var err error
	for i := range MaxFrontends {
		if s, _, err = s.apply(1, PutFrontend(fmt.Sprint(i), hash(1), Roles{})); err != nil {
			t.Fatal(err)
		}
	}
	refuse(t, s, 1, PutFrontend("more", hash(1), Roles{}), ErrInvalid)
	for i := 1; i < MaxDestinations; i++ {
		if s, _, err = s.apply(1, Issue(hash(i+1), record(1, ""))); err != nil {
			t.Fatal(err)
		}
	}
	refuse(t, s, 1, Issue(hash(0), record(1, "")), ErrInvalid)
	refuse(t, s, 1, SetEpoch(hash(0), 1, ""), ErrInvalid)
	fill(t, s)
	b, err := s.encode()
	if err != nil || len(b) > 2<<20 {
		t.Errorf("full state is a snapshot of %d bytes, %v; want under 2 MiB", len(b), err)
	}
}

// fill gives s, which no one else sees, the most that it can hold.
func fill(t *testing.T, s *State) {
	t.Helper()
	long := strings.Repeat("n", MaxNameLength)
	for name, f := range maps.Clone(s.Frontends) {
		delete(s.Frontends, name)
		f.Name = (name + long)[:MaxNameLength]
		f.Pool = Pool{Up: true, Leases: leases(MaxPoolLeases)}
		s.Frontends[f.Name] = f
	}
	for h, d := range s.Destinations {
		d.Epoch, d.EpochReason, d.Policy = 1<<63, strings.Repeat("r", MaxReasonLength), &fullPolicy
		s.Destinations[h] = d
	}
	d := s.Destination(hash(1))
	for name := range s.Frontends {
		d.set(record(1<<62, name))
	}
	d.Delegations = map[string]Delegation{}
	for i := range MaxDelegations {
		name := (fmt.Sprint(i) + long)[:MaxNameLength]
		d.Delegations[name] = Delegation{Backend: name, Key: make([]byte, maxKeySize), SigType: 0xffff, Expires: 1 << 31}
	}
	for i := range MaxInvites {
		id := (fmt.Sprint(i) + long)[:MaxNameLength]
		s.Invites[id] = Invite{ID: id, Role: RoleBalancer, Name: long, Voter: true, Expires: 1 << 31}
	}
	s.Destinations[hash(1)] = d
}

func TestNext(t *testing.T) {
	now := time.Unix(1_700_000_000, 999)
	for _, c := range []struct {
		last      uint32
		published uint32
	}{
		{0, 1_700_000_000},
		{1_699_999_999, 1_700_000_000},
		{1_700_000_000, 1_700_000_001},
		{1_700_000_300, 1_700_000_301},
	} {
		seq, published := Destination{LastSeq: 4, LastPublished: c.last}.Next(now)
		if seq != 5 || published != c.published {
			t.Errorf("after published %d: %d, %d, want 5, %d", c.last, seq, published, c.published)
		}
	}
}
