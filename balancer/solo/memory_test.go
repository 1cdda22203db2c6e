package solo

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/onelease/onelease/raftstate/ledger"
	"github.com/onelease/onelease/raftstate/ledger/ledgertest"
)

// What was published before counts, and nothing is forgotten until Close.
func TestMemory(t *testing.T) {
	hash := ledgertest.Hash(1)
	now := time.Unix(1_800_000_000, 0)
	s := Memory(hash, uint32(now.Unix())+20, 7)
	if err := s.EnsureGeneration(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	d := s.State().Destination(hash)
	if seq, published := d.Next(now); seq != 1 || int64(published) != now.Unix()+21 || d.Epoch != 7 {
		t.Errorf("the first LeaseSet has seq %d, published %d, epoch %d", seq, published, d.Epoch)
	}
	record := ledgertest.Record(1, "")
	record.Published = uint32(now.Unix()) + 20
	record.Expires = record.Published + 60
	if _, err := s.Apply(t.Context(), ledger.Issue(hash, record)); !errors.Is(err, ledger.ErrStale) {
		t.Errorf("as old as what was published before: %v, want ErrStale", err)
	}
	record.Published++
	if r, err := s.Apply(t.Context(), ledger.Issue(hash, record)); err != nil || r.Term != 1 || r.Published != record.Published {
		t.Errorf("issued %+v, error %v", r, err)
	}
	if !s.Leader().Self || !<-s.LeaderCh() {
		t.Error("it does not lead")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := s.Apply(context.Background(), ledger.Issue(hash)); !errors.Is(err, ledger.ErrClosed) {
		t.Errorf("after Close: %v, want ErrClosed", err)
	}
}
