package raftstate

import (
	"bytes"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/raft"

	"github.com/onelease/onelease/raftstate/ledger"
	"github.com/onelease/onelease/raftstate/ledger/ledgertest"
	"github.com/onelease/onelease/raftstate/statepb"
)

// The size that the figures below are for: routers that each report a full pool
// twice a minute, and a leader that issues every 1.25 s.
const (
	benchFrontends = 100
	benchLeases    = 16
	reportsPerDay  = benchFrontends * 24 * 60 * 2
	issuesPerDay   = 24 * 60 * 60 / 1.25
)

// benchCommands make the state of that size.
func benchCommands() []*statepb.Command {
	var cmds []*statepb.Command
	for i := range benchFrontends {
		name := fmt.Sprint("router-", i)
		cmds = append(cmds, ledger.PutFrontend(name, ledgertest.Hash(1), ledger.Roles{Member: true}), benchReport(name))
	}
	return cmds
}

func benchReport(name string) *statepb.Command {
	return ledger.ReportPool(name, ledger.Pool{Up: true, Leases: ledgertest.Leases(benchLeases)})
}

func benchCluster(b *testing.B) *Store {
	b.Helper()
	stores := tcpCluster(b, 3, LAN())
	for _, cmd := range benchCommands() {
		if _, err := stores[0].Apply(b.Context(), cmd); err != nil {
			b.Fatal(err)
		}
	}
	return stores[0]
}

// logBytes is the content of the log from index on, without raft's and bolt's
// own.
func logBytes(b *testing.B, s *Store, from uint64) float64 {
	b.Helper()
	total, last := 0, s.raft.LastIndex()
	first, err := s.files.logs.FirstIndex()
	if err != nil {
		b.Fatal(err)
	}
	from = max(from, first) // older ones are in a snapshot
	for i := from; i <= last; i++ {
		entry := new(raft.Log)
		if err := s.files.logs.GetLog(i, entry); err != nil {
			b.Fatal(err)
		}
		total += len(entry.Data)
	}
	return float64(total) / float64(last-from+1)
}

// diskBytes is what the process has written to disks, all nodes together.
func diskBytes() float64 {
	content, _ := os.ReadFile("/proc/self/io")
	for line := range bytes.Lines(content) {
		var n float64
		if _, err := fmt.Sscanf(string(line), "write_bytes: %f", &n); err == nil {
			return n
		}
	}
	return 0
}

// measure reports the sizes of b's commands, which f runs.
func measure(b *testing.B, s *Store, perDay float64, f func()) {
	from, before := s.raft.LastIndex()+1, diskBytes()
	f()
	b.StopTimer()
	size := logBytes(b, s, from)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commands/s")
	b.ReportMetric(size, "log-B/command")
	b.ReportMetric(size*perDay/1e6, "log-MB/day")
	b.ReportMetric((diskBytes()-before)/3/float64(b.N), "disk-B/command")
}

// BenchmarkClusterReport is the reports of 100 frontends at once to a cluster of
// three over loopback TCP, with fsync on every node.
func BenchmarkClusterReport(b *testing.B) {
	s := benchCluster(b)
	var next atomic.Int64
	b.SetParallelism(benchFrontends / 2) // times the cores
	measure(b, s, reportsPerDay, func() {
		b.ResetTimer()
		b.RunParallel(func(pb *testing.PB) {
			name := fmt.Sprint("router-", next.Add(1)%benchFrontends)
			for pb.Next() {
				if _, err := s.Apply(b.Context(), benchReport(name)); err != nil {
					b.Error(err)
				}
			}
		})
	})
}

// BenchmarkClusterIssue is a leader that issues one LeaseSet after the other.
func BenchmarkClusterIssue(b *testing.B) {
	s := benchCluster(b)
	seq := uint64(0)
	measure(b, s, issuesPerDay, func() {
		b.ResetTimer()
		for range b.N {
			seq++
			if _, err := s.Apply(b.Context(), ledger.Issue(ledgertest.Hash(1), ledgertest.Record(seq, "router-7"))); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkSnapshot writes a snapshot of that size with fsync, and
// BenchmarkRestore reads it as a start does.
func BenchmarkSnapshot(b *testing.B) {
	s := open(b, Config{Dir: b.TempDir()})
	defer s.Close()
	for _, cmd := range benchCommands() {
		if _, err := s.Apply(b.Context(), cmd); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if err := s.Snapshot(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRestore(b *testing.B) {
	s := ledger.New()
	for _, cmd := range benchCommands() {
		s, _, _ = s.Apply(1, cmd)
	}
	content := ledgertest.Encode(b, s)
	b.SetBytes(int64(len(content)))
	for b.Loop() {
		if _, err := ledger.Decode(content); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkTransfer is a planned change of the leader, there and back.
func BenchmarkTransfer(b *testing.B) {
	stores := tcpCluster(b, 3, LAN())
	at := 0
	for b.Loop() {
		next := (at + 1) % 3
		if err := stores[at].Transfer(b.Context(), nodeID(next)); err != nil {
			b.Fatal(err)
		}
		waitSelf(b, stores[next])
		at = next
	}
}

func waitSelf(b *testing.B, s *Store) {
	b.Helper()
	timeout := time.After(10 * time.Second)
	for !s.Leader().Self {
		changed := s.LeaderChanged()
		if s.Leader().Self {
			return
		}
		select {
		case <-changed:
		case <-timeout:
			b.Fatal("the next leader does not lead after 10 s")
		}
	}
}
