package ledger_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/onelease/onelease/raftstate/ledger"
	"github.com/onelease/onelease/raftstate/ledger/ledgertest"
	"github.com/onelease/onelease/raftstate/statepb"
)

// run applies commands in term 1, all of which must be accepted.
func run(t *testing.T, cmds ...*statepb.Command) *ledger.State {
	t.Helper()
	s := ledger.New()
	for i, cmd := range cmds {
		var err error
		if s, _, err = s.Apply(1, cmd); err != nil {
			t.Fatalf("command %d: %v", i, err)
		}
	}
	return s
}

// refuse applies cmd, which must be refused and change nothing.
func refuse(t *testing.T, s *ledger.State, term uint64, cmd *statepb.Command, want error) {
	t.Helper()
	before, _ := s.Encode()
	next, result, err := s.Apply(term, cmd)
	if !errors.Is(err, want) {
		t.Errorf("error %v, want %v", err, want)
	}
	after, _ := s.Encode()
	if next != s || !bytes.Equal(before, after) || result != (ledger.Result{}) {
		t.Error("a refused command has changed the state, or has a result")
	}
}

func TestFrontends(t *testing.T) {
	member, publisher := ledger.Roles{Member: true}, ledger.Roles{Publisher: true}
	pool := ledger.Pool{Up: true, Leases: ledgertest.Leases(3)}
	s := run(t, ledger.PutFrontend("a", ledgertest.Hash(1), member), ledger.ReportPool("a", pool), ledger.PutFrontend("b", ledgertest.Hash(1), publisher),
		ledger.PutFrontend("a", ledgertest.Hash(1), ledger.Roles{Member: true, Publisher: true}))
	a := s.Frontends["a"]
	if a.Name != "a" || a.Destination != ledgertest.Hash(1) || !a.Roles.Member || !a.Roles.Publisher {
		t.Errorf("frontend a is %+v", a)
	}
	if !a.Pool.Up || len(a.Pool.Leases) != 3 || a.Pool.Leases[2] != pool.Leases[2] {
		t.Errorf("new roles have changed the pool to %+v", a.Pool)
	}
	if s.Frontends["b"].Roles != publisher {
		t.Errorf("frontend b is %+v", s.Frontends["b"])
	}
	refuse(t, s, 1, ledger.PutFrontend("a", ledgertest.Hash(2), member), ledger.ErrInvalid)
	refuse(t, s, 1, ledger.ReportPool("c", pool), ledger.ErrUnknownFrontend)
	refuse(t, s, 1, ledger.RemoveFrontend("c"), ledger.ErrUnknownFrontend)
}

func TestRemoveFrontendDropsItsRecordOnly(t *testing.T) {
	s := run(t, ledger.PutFrontend("a", ledgertest.Hash(1), ledger.Roles{}), ledger.PutFrontend("b", ledgertest.Hash(1), ledger.Roles{}),
		ledger.Issue(ledgertest.Hash(1), ledgertest.Record(1, ""), ledgertest.Record(2, "a"), ledgertest.Record(3, "b")), ledger.RemoveFrontend("a"))
	d := s.Destination(ledgertest.Hash(1))
	if _, ok := d.Own["a"]; ok || d.Own["b"].Seq != 3 || d.Merged.Seq != 1 {
		t.Errorf("after the removal of a: %+v", d)
	}
	refuse(t, s, 1, ledger.Issue(ledgertest.Hash(1), ledgertest.Record(4, "a")), ledger.ErrUnknownFrontend)
	s = run(t, ledger.PutFrontend("a", ledgertest.Hash(1), ledger.Roles{}), ledger.Issue(ledgertest.Hash(1), ledgertest.Record(1, "a")), ledger.RemoveFrontend("a"))
	if d := s.Destination(ledgertest.Hash(1)); d.LastSeq != 1 || d.LastPublished != ledgertest.Record(1, "").Published {
		t.Errorf("with the last frontend its Destination has forgotten what was issued: %+v", d)
	}
}

func TestIssue(t *testing.T) {
	s := run(t, ledger.PutFrontend("a", ledgertest.Hash(1), ledger.Roles{}), ledger.PutFrontend("other", ledgertest.Hash(2), ledger.Roles{}))
	s, result, err := s.Apply(7, ledger.Issue(ledgertest.Hash(1), ledgertest.Record(1, ""), ledgertest.Record(2, "a")))
	if want := (ledger.Result{Term: 7, Seq: 2, Published: ledgertest.Record(2, "").Published}); err != nil || result != want {
		t.Fatalf("result %+v, %v, want %+v", result, err, want)
	}
	own := ledgertest.Record(2, "a")
	own.Term = 7
	if d := s.Destination(ledgertest.Hash(1)); d.Own["a"] != own || d.Merged.Seq != 1 || d.LastTerm != 7 {
		t.Errorf("state %+v", d)
	}
	gap, early, equal := ledgertest.Record(4, ""), ledgertest.Record(3, ""), ledgertest.Record(3, "")
	early.Published--
	equal.Published, equal.Expires = own.Published, own.Expires
	for name, rs := range map[string][]ledger.Record{
		"again":                      {ledgertest.Record(2, "")},
		"gap":                        {gap},
		"published again":            {equal},
		"published earlier":          {early},
		"good, then gap":             {ledgertest.Record(3, ""), ledgertest.Record(5, "")},
		"good, then the same":        {ledgertest.Record(3, ""), ledgertest.Record(3, "")},
		"good, then published again": {ledgertest.Record(3, ""), {Seq: 4, Published: ledgertest.Record(3, "").Published, Expires: ledgertest.Record(3, "").Expires}},
	} {
		t.Run(name, func(t *testing.T) { refuse(t, s, 7, ledger.Issue(ledgertest.Hash(1), rs...), ledger.ErrStale) })
	}
	refuse(t, s, 6, ledger.Issue(ledgertest.Hash(1), ledgertest.Record(3, "")), ledger.ErrStale)
	refuse(t, s, 7, ledger.Issue(ledgertest.Hash(1), ledgertest.Record(3, ""), ledgertest.Record(4, "nobody")), ledger.ErrUnknownFrontend)
	refuse(t, s, 7, ledger.Issue(ledgertest.Hash(1), ledgertest.Record(3, ""), ledgertest.Record(4, "other")), ledger.ErrInvalid)
	_, _, err = s.Apply(7, ledger.Issue(ledgertest.Hash(1), gap))
	for _, part := range []string{"seq 2", fmt.Sprint("published ", own.Published)} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not name the last %s", err, part)
		}
	}
}

func TestEpoch(t *testing.T) {
	s := run(t, ledger.SetEpoch(ledgertest.Hash(1), 3, "member lost"))
	if d := s.Destination(ledgertest.Hash(1)); d.Epoch != 3 || d.EpochReason != "member lost" {
		t.Errorf("state %+v", d)
	}
	refuse(t, s, 1, ledger.SetEpoch(ledgertest.Hash(1), 3, ""), ledger.ErrStale)
	refuse(t, s, 1, ledger.SetEpoch(ledgertest.Hash(1), 2, ""), ledger.ErrStale)
	refuse(t, ledger.New(), 1, ledger.SetEpoch(ledgertest.Hash(1), 0, ""), ledger.ErrStale)
}

func TestCommandLimits(t *testing.T) {
	s := run(t, ledger.PutFrontend("a", ledgertest.Hash(1), ledger.Roles{}))
	issue := func(edit func(*statepb.Record)) *statepb.Command {
		cmd := ledger.Issue(ledgertest.Hash(1), ledgertest.Record(1, ""))
		edit(cmd.GetIssue().GetRecords()[0])
		return cmd
	}
	report := func(edit func(*statepb.Lease)) *statepb.Command {
		cmd := ledger.ReportPool("a", ledger.Pool{Leases: ledgertest.Leases(1)})
		edit(cmd.GetReportPool().GetLeases()[0])
		return cmd
	}
	for name, cmd := range map[string]*statepb.Command{
		"no name":             ledger.PutFrontend("", ledgertest.Hash(1), ledger.Roles{}),
		"long name":           ledger.PutFrontend(strings.Repeat("a", 65), ledgertest.Hash(1), ledger.Roles{}),
		"capitals":            ledger.PutFrontend("A", ledgertest.Hash(1), ledger.Roles{}),
		"space within":        ledger.PutFrontend("a b", ledgertest.Hash(1), ledger.Roles{}),
		"19 leases":           ledger.ReportPool("a", ledger.Pool{Leases: ledgertest.Leases(19)}),
		"lease without end":   report(func(l *statepb.Lease) { l.EndUnix = 0 }),
		"short gateway":       report(func(l *statepb.Lease) { l.Gateway = l.Gateway[1:] }),
		"no records":          ledger.Issue(ledgertest.Hash(1)),
		"258 records":         ledger.Issue(ledgertest.Hash(1), ledgertest.Records(1, 258)...),
		"life of 661 s":       issue(func(r *statepb.Record) { r.ExpiresUnix = r.PublishedUnix + 661 }),
		"no life":             issue(func(r *statepb.Record) { r.ExpiresUnix = r.PublishedUnix }),
		"expired before":      issue(func(r *statepb.Record) { r.ExpiresUnix = r.PublishedUnix - 1 }),
		"unknown kind":        issue(func(r *statepb.Record) { r.Kind = 3 }),
		"short digest":        issue(func(r *statepb.Record) { r.Digest = r.Digest[1:] }),
		"merged for a member": issue(func(r *statepb.Record) { r.Frontend = "a" }),
		"own for nobody":      issue(func(r *statepb.Record) { r.Kind = statepb.Kind_KIND_OWN }),
		"long reason":         ledger.SetEpoch(ledgertest.Hash(1), 1, strings.Repeat("a", 201)),
		"newline in reason":   ledger.SetEpoch(ledgertest.Hash(1), 1, "a\nb"),
		"no UTF-8 in reason":  ledger.SetEpoch(ledgertest.Hash(1), 1, "\xff"),
	} {
		t.Run(name, func(t *testing.T) { refuse(t, s, 1, cmd, ledger.ErrInvalid) })
	}
	run(t, ledger.PutFrontend(strings.Repeat("a", 64), ledgertest.Hash(1), ledger.Roles{}), ledger.PutFrontend("a.-_09z", ledgertest.Hash(1), ledger.Roles{}),
		ledger.ReportPool("a.-_09z", ledger.Pool{Leases: ledgertest.Leases(18)}), ledger.Issue(ledgertest.Hash(1), ledgertest.Records(1, 257)...))
}

func TestStateLimits(t *testing.T) {
	s := ledger.New()
	var err error
	for i := range ledger.MaxFrontends {
		if s, _, err = s.Apply(1, ledger.PutFrontend(fmt.Sprint(i), ledgertest.Hash(1), ledger.Roles{})); err != nil {
			t.Fatal(err)
		}
	}
	refuse(t, s, 1, ledger.PutFrontend("more", ledgertest.Hash(1), ledger.Roles{}), ledger.ErrInvalid)
	for i := 1; i < ledger.MaxDestinations; i++ {
		if s, _, err = s.Apply(1, ledger.Issue(ledgertest.Hash(i+1), ledgertest.Record(1, ""))); err != nil {
			t.Fatal(err)
		}
	}
	refuse(t, s, 1, ledger.Issue(ledgertest.Hash(0), ledgertest.Record(1, "")), ledger.ErrInvalid)
	refuse(t, s, 1, ledger.SetEpoch(ledgertest.Hash(0), 1, ""), ledger.ErrInvalid)
	fill(t, s)
	b, err := s.Encode()
	if err != nil || len(b) > 2<<20 {
		t.Errorf("full state is a snapshot of %d bytes, %v; want under 2 MiB", len(b), err)
	}
}

// fill gives s, which no one else sees, the most that it can hold.
func fill(t *testing.T, s *ledger.State) {
	t.Helper()
	long := strings.Repeat("n", ledger.MaxNameLength)
	for name, f := range maps.Clone(s.Frontends) {
		delete(s.Frontends, name)
		f.Name = (name + long)[:ledger.MaxNameLength]
		f.Pool = ledger.Pool{Up: true, Leases: ledgertest.Leases(ledger.MaxPoolLeases)}
		s.Frontends[f.Name] = f
	}
	for h, d := range s.Destinations {
		d.Epoch, d.EpochReason, d.Policy = 1<<63, strings.Repeat("r", ledger.MaxReasonLength), &ledgertest.FullPolicy
		s.Destinations[h] = d
	}
	d := s.Destination(ledgertest.Hash(1))
	d.Own = map[string]ledger.Record{}
	for name := range s.Frontends {
		d.Own[name] = ledgertest.Record(1<<62, name)
	}
	d.Delegations = map[string]ledger.Delegation{}
	for i := range ledger.MaxDelegations {
		name := (fmt.Sprint(i) + long)[:ledger.MaxNameLength]
		d.Delegations[name] = ledger.Delegation{Backend: name, Key: make([]byte, 132), SigType: 0xffff, Expires: 1 << 31}
	}
	for i := range ledger.MaxInvites {
		id := (fmt.Sprint(i) + long)[:ledger.MaxNameLength]
		s.Invites[id] = ledger.Invite{ID: id, Role: ledger.RoleBalancer, Name: long, Voter: true, Expires: 1 << 31}
	}
	s.Destinations[ledgertest.Hash(1)] = d
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
		seq, published := ledger.Destination{LastSeq: 4, LastPublished: c.last}.Next(now)
		if seq != 5 || published != c.published {
			t.Errorf("after published %d: %d, %d, want 5, %d", c.last, seq, published, c.published)
		}
	}
}
