package raftstate

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// open opens a Store and waits until it leads. The caller closes it.
func open(t testing.TB, c Config) *Store {
	t.Helper()
	if c.ID == "" {
		c.ID = "node-1"
	}
	if c.Logger == nil {
		c.Logger = quiet
	}
	s, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	waitLeader(t, s)
	return s
}

func waitLeader(t testing.TB, s *Store) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		select {
		case leading := <-s.LeaderCh():
			if leading {
				return
			}
		case <-ctx.Done():
			t.Fatal("no leader after 30 s")
		}
	}
}

func hash(n int) i2p.Hash { return i2p.Hash(sha256.Sum256(fmt.Append(nil, "destination ", n))) }

// record has the given seq, and published and digest that go with it.
func record(seq uint64, frontend string) Record {
	published := uint32(1_700_000_000 + seq)
	return Record{
		Seq: seq, Published: published, Expires: published + 600, Frontend: frontend,
		Digest: sha256.Sum256(fmt.Append(nil, seq)),
	}
}

func records(first uint64, n int) []Record {
	rs := make([]Record, n)
	for i := range rs {
		rs[i] = record(first+uint64(i), "")
	}
	return rs
}

func leases(n int) []i2p.Lease {
	ls := make([]i2p.Lease, n)
	for i := range ls {
		ls[i] = i2p.Lease{Gateway: hash(1000 + i), Tunnel: uint32(i + 1), End: time.Unix(1_700_000_600, 0)}
	}
	return ls
}
