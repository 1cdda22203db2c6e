package raftstate

import (
	"cmp"
	"log/slog"

	"github.com/hashicorp/go-hclog"

	"github.com/onelease/onelease/internal/hlog"
)

// newRaftLogger returns a logger for raft that writes to l.
func newRaftLogger(l *slog.Logger) hclog.Logger {
	return hlog.New(cmp.Or(l, slog.Default()).With("component", "raft"))
}
