package raftstate

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"time"
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
