package raftstate

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/onelease/onelease/raftstate/ledger"
	"github.com/onelease/onelease/raftstate/ledger/ledgertest"
)

// cutPower copies the database as a disk would have it whose power is cut now,
// amid a write. Bolt writes pages that nothing refers to and then one of the
// first two, which refers to them. So a copy is of one moment if those two have
// not changed since it was begun; if they have, another is taken.
func cutPower(t *testing.T, from, to string) {
	t.Helper()
	head := func() []byte {
		file, err := os.Open(from)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		b := make([]byte, 2*os.Getpagesize())
		if _, err := file.ReadAt(b, 0); err != nil {
			t.Fatal(err)
		}
		return b
	}
	for {
		before := head()
		content, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(before, head()) && bytes.HasPrefix(content, before) {
			if err := os.WriteFile(to, content, 0o600); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
}

// Whenever the power is cut, the directory opens, with all that was
// acknowledged until then.
func TestPowerLossAmidAppends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		s := open(t, Config{Dir: dir})
		defer s.Close()
		ctx, cancel := context.WithCancel(t.Context())
		var acked atomic.Uint64
		more := make(chan struct{}) // for who waits for the next
		done := make(chan struct{})
		go func() {
			defer close(done)
			for seq := uint64(1); ctx.Err() == nil; seq++ {
				if _, err := s.Apply(t.Context(), ledger.Issue(ledgertest.Hash(1), ledgertest.Record(seq, ""))); err != nil {
					t.Error(err)
					return
				}
				acked.Store(seq)
				select {
				case more <- struct{}{}:
				default:
				}
			}
		}()
		type copied struct {
			dir           string
			before, after uint64 // acknowledged
		}
		var copies []copied
		for range 15 {
			for range 3 {
				<-more
			}
			c := copied{dir: t.TempDir(), before: acked.Load()}
			cutPower(t, filepath.Join(dir, dbName), filepath.Join(c.dir, dbName))
			c.after = acked.Load()
			copies = append(copies, c)
		}
		cancel()
		<-done
		for _, c := range copies { // now that the clock of the bubble runs
			got, _ := reopen(t, c.dir)
			if seq := got.Destination(ledgertest.Hash(1)).LastSeq; seq < c.before || seq > c.after+1 {
				t.Errorf("after a power loss the last seq is %d; %d were acknowledged before it, %d after", seq, c.before, c.after)
			}
		}
	})
}
