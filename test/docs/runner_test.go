package docs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// runText runs a page that has these lines as a block.
func runText(t *testing.T, plan Plan, lines ...string) (log string, err error) {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	runner := Runner{Dir: t.TempDir(), Plan: plan}
	defer runner.Close()
	err = runner.Run(t.Context(), Steps("    "+strings.Join(lines, "\n    ")))
	return runner.printed, err
}

// TestRunnerTellsFaults: a page with a fault fails, whatever the fault is, and says which.
func TestRunnerTellsFaults(t *testing.T) {
	for _, test := range []struct {
		want  string // of the error; empty for none
		plan  Plan
		lines []string
	}{
		{"", Plan{}, []string{"echo one 1", "one 2"}},
		{"", Plan{}, []string{"echo a > f", "cat f", "a"}},
		{"exit status 1", Plan{}, []string{"sh -c 'exit 1'"}},
		{"", Plan{Notes: []Note{{Of: "sh", Code: 1}}}, []string{"sh -c 'exit 1'"}},
		{"exit code 0, want 1", Plan{Notes: []Note{{Of: "sh", Code: 1}}}, []string{"sh -c 'exit 0'"}},
		{`shows "two"`, Plan{}, []string{"echo one", "two"}},
		{`shows "frobnicate --now"`, Plan{}, []string{"frobnicate --now"}},
		{"", Plan{Notes: []Note{{Of: "frobnicate", Not: "it is not there"}}}, []string{"frobnicate --now"}},
		{`note of "frobnicate"`, Plan{Notes: []Note{{Of: "frobnicate", Not: "it is not there"}}}, []string{"echo one"}},
		{`does not print "two"`, Plan{Notes: []Note{{Of: "echo", Prints: "two"}}}, []string{"echo one"}},
		{"what is given", Plan{Given: []string{"sh -c 'exit 3'"}}, []string{"echo one"}},
		{"", Plan{Notes: []Note{{Of: "cat", Before: []string{"echo x > f"}}}}, []string{"cat f", "x"}},
		{"", Plan{Notes: []Note{{Of: "sh", Typed: []string{"horse"}}}}, []string{`sh -c 'read -r x && echo "$x"'`, "horse"}},
		{"line 2", Plan{}, []string{"echo one", "sh -c 'exit 1'"}},
	} {
		_, err := runText(t, test.plan, test.lines...)
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%q: %v", test.lines, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%q: %v, want %q", test.lines, err, test.want)
		}
	}
}

// TestRunnerLogs: what begins after another has ended writes over nobody's log.
func TestRunnerLogs(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	dir := t.TempDir()
	program := "#!/bin/sh\ntrap 'exit 0' INT\necho \"$2\"\nsleep 100\n"
	if err := os.WriteFile(filepath.Join(dir, "onelease"), []byte(program), 0o700); err != nil {
		t.Fatal(err)
	}
	runner := Runner{
		Dir: dir, Env: []string{"PATH=" + dir + ":" + os.Getenv("PATH")},
		Plan: Plan{Notes: []Note{{Of: "onelease status third", Stop: []string{"onelease status first"}}}},
	}
	defer runner.Close()
	page := "    onelease status first --watch\n    onelease status second --watch\n    onelease status third --watch\n"
	if err := runner.Run(t.Context(), Steps(page)); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"second\n", "third\n"} {
		if got := runner.running[i].output(); got != want {
			t.Errorf("the log of %s is %q", runner.running[i].command, got)
		}
	}
}
