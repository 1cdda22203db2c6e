package hlog

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"
)

func TestLogsToSlog(t *testing.T) {
	var out bytes.Buffer
	l := New(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelInfo})).With("component", "raft"))
	l.Debug("unseen")
	l.Trace("unseen")
	l.With("id", 7).Info("hello", "servers", hclog.Fmt("%+v", []int{1, 2}))
	l.Named("sub").Warn("careful", "error", errors.New("it broke"))
	l.Error("bad")
	want := []string{
		`level=INFO msg=hello component=raft id=7 servers="[1 2]"`,
		`level=WARN msg=careful component=raft error="it broke"`,
		`level=ERROR msg=bad component=raft`,
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != len(want) {
		t.Fatalf("logged %q, want %d lines", lines, len(want))
	}
	for i, line := range lines {
		if _, got, _ := strings.Cut(line, " "); got != want[i] {
			t.Errorf("logged %q, want %q", got, want[i])
		}
	}
}
