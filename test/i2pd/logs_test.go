package i2pd

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestTailReadsOnlyTheEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	var text strings.Builder
	for i := range 20000 {
		fmt.Fprintf(&text, "line %d\n", i)
	}
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := tail(path, 2)
	if want := []string{"line 19998", "line 19999"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v", got, err)
	}
	if got, _ := tail(path, 20000); len(got) > logTail/len("line 1") {
		t.Errorf("%d lines of a bounded tail", len(got))
	}
}

func TestWarningsAreBounded(t *testing.T) {
	lines := []string{
		"10:00:00@1/info - fine", "10:00:01@1/warn - first", "10:00:02@1/error - second",
		"10:00:03@1/critical - " + strings.Repeat("x", 1000),
	}
	got := warnings(lines, 2)
	if len(got) != 2 || got[0] != lines[2] || len(got[1]) != dumpLine {
		t.Errorf("got %q", got)
	}
}
