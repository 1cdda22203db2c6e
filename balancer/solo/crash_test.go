package solo

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/onelease/onelease/raftstate/ledger"
	"github.com/onelease/onelease/raftstate/ledger/ledgertest"
)

// crashDir has a process of this test issue there until it is killed.
const crashDir = "ONELEASE_SOLO_CRASH_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		fmt.Println(issueForever(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// issueForever writes the term and seq of what was committed.
func issueForever(dir string) error {
	s, err := Open(dir)
	if err != nil {
		return err
	}
	for {
		seq := s.State().Destination(ledgertest.Hash(1)).LastSeq + 1
		r, err := s.Apply(context.Background(), ledger.Issue(ledgertest.Hash(1), ledgertest.Record(seq, "")))
		if err != nil {
			return err
		}
		fmt.Println(r.Term, r.Seq)
	}
}

// Killed with -9 amid commits, again and again: nothing that was acknowledged is
// issued again, and each start is of a later term.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	var term, seq uint64
	for range 8 {
		first := true
		for _, line := range killedAfter(t, dir, 5) {
			var nextTerm, next uint64
			if _, err := fmt.Sscan(line, &nextTerm, &next); err != nil {
				t.Fatalf("it ended with %q", line)
			}
			if next <= seq || (nextTerm > term) != first {
				t.Fatalf("seq %d of term %d was followed by %d of %d", seq, term, next, nextTerm)
			}
			term, seq, first = nextTerm, next, false
		}
	}
	s := open(t, dir)
	if d := s.State().Destination(ledgertest.Hash(1)); d.LastSeq < seq {
		t.Errorf("the state has seq %d, and %d was acknowledged", d.LastSeq, seq)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".new-*")); len(left) > 0 {
		t.Errorf("crashes have left %v", left)
	}
}

// killedAfter is what the process wrote that is killed after some lines.
func killedAfter(t *testing.T, dir string, lines int) (all []string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashDir+"="+dir)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	for scanner := bufio.NewScanner(out); scanner.Scan(); {
		if all = append(all, scanner.Text()); len(all) == lines {
			cmd.Process.Kill()
		}
	}
	cmd.Wait()
	if len(all) < lines {
		t.Fatalf("it ended by itself, after %v", all)
	}
	return all
}
