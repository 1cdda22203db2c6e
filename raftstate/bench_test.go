package raftstate

import (
	"fmt"
	"testing"

	"github.com/onelease/onelease/raftstate/ledger"
	"github.com/onelease/onelease/raftstate/ledger/ledgertest"
)

// BenchmarkIssue is how many LeaseSets a cluster of one can issue, from one
// caller that waits for each Issue. records/s is the figure to look at.
func BenchmarkIssue(b *testing.B) {
	for name, config := range map[string]func(*testing.B) Config{
		"memory": func(*testing.B) Config { return Config{InMemory: true} },
		"nosync": func(b *testing.B) Config { return Config{Dir: b.TempDir(), noSync: true} },
		"fsync":  func(b *testing.B) Config { return Config{Dir: b.TempDir()} },
	} {
		for _, batch := range []int{1, 10, 100} {
			b.Run(fmt.Sprintf("%s/batch=%d", name, batch), func(b *testing.B) {
				s := open(b, config(b))
				defer s.Close()
				seq := uint64(1)
				for b.Loop() {
					if _, err := s.Apply(b.Context(), ledger.Issue(ledgertest.Hash(1), ledgertest.Records(seq, batch)...)); err != nil {
						b.Fatal(err)
					}
					seq += uint64(batch)
				}
				b.ReportMetric(float64(seq-1)/b.Elapsed().Seconds(), "records/s")
			})
		}
	}
}

// BenchmarkReportPool is concurrent frontends' reports, which raft commits in groups.
func BenchmarkReportPool(b *testing.B) {
	s := open(b, Config{Dir: b.TempDir()})
	defer s.Close()
	if _, err := s.Apply(b.Context(), ledger.PutFrontend("a", ledgertest.Hash(1), ledger.Roles{Member: true})); err != nil {
		b.Fatal(err)
	}
	b.SetParallelism(50) // 100 routers on two cores
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := s.Apply(b.Context(), ledger.ReportPool("a", ledger.Pool{Up: true, Leases: ledgertest.Leases(16)})); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkState(b *testing.B) {
	s := open(b, Config{InMemory: true})
	defer s.Close()
	for b.Loop() {
		if s.State().Destination(ledgertest.Hash(1)).LastSeq != 0 {
			b.Fatal("not empty")
		}
	}
}
