package ledger_test

import (
	"bytes"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/raftstate/ledger"
	"github.com/onelease/onelease/raftstate/ledger/ledgertest"
	"github.com/onelease/onelease/raftstate/statepb"
)

// drawCommand draws commands of which most fit the state s and some do not.
func drawCommand(t *rapid.T, s *ledger.State) *statepb.Command {
	name := rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "name")
	h := ledgertest.Hash(rapid.IntRange(1, 2).Draw(t, "destination"))
	switch rapid.IntRange(0, 10).Draw(t, "operation") {
	case 0:
		if rapid.IntRange(0, 9).Draw(t, "refuge") == 0 {
			return ledger.PutFrontend(name, h, ledger.Roles{Refuge: true})
		}
		return ledger.PutFrontend(name, h, ledger.Roles{Member: rapid.Bool().Draw(t, "member"), Publisher: rapid.Bool().Draw(t, "publisher")})
	case 1:
		return ledger.RemoveFrontend(name)
	case 2:
		return ledger.ReportPool(name, ledger.Pool{Up: rapid.Bool().Draw(t, "up"), Leases: ledgertest.Leases(rapid.IntRange(0, ledger.MaxPoolLeases).Draw(t, "leases"))})
	case 3:
		return ledger.SetEpoch(h, rapid.Uint64Range(0, 20).Draw(t, "epoch"), "drawn")
	case 4, 5, 6:
		return drawCommand2(t, s)
	}
	return ledger.Issue(h, drawRecords(t, s.Destination(h))...)
}

func drawCommand2(t *rapid.T, s *ledger.State) *statepb.Command {
	name := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "invite or backend")
	h, now := ledgertest.Hash(rapid.IntRange(1, 2).Draw(t, "destination")), ledgertest.InviteTime.Add(rapid.SampledFrom([]time.Duration{0, time.Hour}).Draw(t, "now"))
	switch rapid.IntRange(0, 6).Draw(t, "operation of version 2") {
	case 0:
		return ledger.SetGeneration(s.Generation + rapid.Uint64Range(0, 2).Draw(t, "generation"))
	case 1:
		return ledger.PutPolicy(h, ledger.Policy{Tunnels: rapid.Uint32Range(0, 18).Draw(t, "tunnels")})
	case 2:
		return ledger.Delegate(h, ledgertest.Delegation(name))
	case 3:
		return ledger.RemoveDelegation(h, name)
	case 4:
		return ledger.UseInvite(name, now)
	case 5:
		return ledger.RemoveInvite(name)
	}
	return ledger.PutInvite(ledgertest.Invite(name), now)
}

func drawRecords(t *rapid.T, d ledger.Destination) []ledger.Record {
	var rs []ledger.Record
	seq, published := d.LastSeq, d.LastPublished
	for range rapid.IntRange(1, 4).Draw(t, "records") {
		// 0 of either is stale; a seq that is more than 1 on is a gap.
		seq += rapid.SampledFrom([]uint64{1, 1, 1, 1, 1, 1, 1, 1, 0, 2}).Draw(t, "seq step")
		published += rapid.SampledFrom([]uint32{1, 1, 1, 1, 5, 60, 0, 0xffffffff}).Draw(t, "published step")
		r := ledger.Record{Seq: seq, Published: published, Expires: published + 60}
		r.Frontend = rapid.SampledFrom([]string{"", "", "a", "b", "c"}).Draw(t, "for")
		rs = append(rs, r)
	}
	return rs
}

// Whatever is applied, in whatever order: every LeaseSet that is accepted has a
// seq and a published that no LeaseSet of its Destination had before, and
// both have risen.
func TestPublishedNeverFallsOrRepeats(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, term := ledger.New(), uint64(1)
		last := map[i2p.Hash]ledger.Record{}
		for range rapid.IntRange(1, 60).Draw(t, "commands") {
			term += rapid.SampledFrom([]uint64{0, 0, 0, 1}).Draw(t, "election")
			cmd := drawCommand(t, s)
			next, _, err := s.Apply(term, cmd)
			if next.Generation != s.Generation {
				term = rapid.Uint64Range(1, term).Draw(t, "term after a restore")
				for h, r := range last {
					r.Term = 0
					last[h] = r
				}
			}
			s = next
			if err != nil || cmd.GetIssue() == nil {
				continue
			}
			h := i2p.Hash(cmd.GetIssue().GetDestinationHash())
			for _, pb := range cmd.GetIssue().GetRecords() {
				r := ledger.Record{Seq: pb.GetSeq(), Published: pb.GetPublishedUnix(), Term: term}
				if r.Seq != last[h].Seq+1 || r.Published <= last[h].Published || r.Term < last[h].Term {
					t.Fatalf("accepted %+v after %+v", r, last[h])
				}
				last[h] = r
			}
		}
		for h, r := range last {
			if d := s.Destination(h); d.LastSeq != r.Seq || d.LastPublished != r.Published || d.LastTerm != r.Term {
				t.Fatalf("state has %+v, the last that was accepted is %+v", d, r)
			}
		}
	})
}

// States that share parts never change one another; a refused command changes
// nothing; a snapshot at any point restores a state that goes on as the first.
func TestStatesStandStillAndRestore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, restored := ledger.New(), ledger.New()
		var states []*ledger.State
		var images [][]byte
		for range rapid.IntRange(1, 40).Draw(t, "commands") {
			cmd := drawCommand(t, s)
			next, result, err := s.Apply(3, cmd)
			again, result2, err2 := restored.Apply(3, cmd)
			if result != result2 || (err == nil) != (err2 == nil) {
				t.Fatalf("%v: %+v, %v; on a restored state %+v, %v", cmd, result, err, result2, err2)
			}
			if err != nil && next != s {
				t.Fatalf("%v: refused with %v, and a new state", cmd, err)
			}
			b := ledgertest.Encode(t, next)
			if !bytes.Equal(b, ledgertest.Encode(t, again)) {
				t.Fatalf("%v: the restored state has become another", cmd)
			}
			s = next
			states, images = append(states, s), append(images, b)
			if restored, err = ledger.Decode(b); err != nil {
				t.Fatal(err)
			}
		}
		for i, old := range states {
			if !bytes.Equal(ledgertest.Encode(t, old), images[i]) {
				t.Fatalf("state %d of %d has changed since it was made", i, len(states))
			}
		}
	})
}
