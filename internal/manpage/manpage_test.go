package manpage

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

// program is a command with what is hard to write in troff.
func program() *cobra.Command {
	root := &cobra.Command{Use: "one", Short: "The root"}
	sub := &cobra.Command{
		Use: "two --dir DIR", Short: "Do it", Run: func(*cobra.Command, []string) {},
		Long:    "First, at --dir.\n.Not a request.\n\n  verb\\atim = 1\n\nLast, it's <so>.",
		Example: "  one two --dir d",
	}
	sub.Flags().String("dir", "", "the `directory`")
	root.AddCommand(sub, &cobra.Command{Use: "secret", Hidden: true, Run: sub.Run})
	return root
}

func TestPage(t *testing.T) {
	sub := program().Commands()[1]
	const want = `.TH "ONE\-TWO" 1 "2026\-11\-26" "One 1.0" "User Commands"
.SH NAME
one\-two \- Do it
.SH SYNOPSIS
.B one two \-\-dir DIR [flags]
.SH DESCRIPTION
First, at \-\-dir.
\&.Not a request.
.PP
.nf
  verb\eatim = 1
.PP
.fi
Last, it\(aqs <so>.
.SH EXAMPLES
.nf
  one two \-\-dir d
.fi
.SH OPTIONS
.nf
      \-\-dir directory   the directory
.fi
.SH SEE ALSO
.BR one (1)
`
	got := string(Page(sub, Header{Date: time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC), Source: "One 1.0"}))
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestWrite: each command that the help shows has a page, and the same ones each time.
func TestWrite(t *testing.T) {
	dir := t.TempDir()
	if err := Write(dir, program(), Header{}); err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Glob(dir + "/*")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{filepath.Join(dir, "one-two.1"), filepath.Join(dir, "one.1")}
	if !slices.Equal(pages, want) {
		t.Errorf("got %v, want %v", pages, want)
	}
	root, err := os.ReadFile(want[1])
	if err != nil || !strings.Contains(string(root), ".BR one\\-two (1)\n") || strings.Contains(string(root), "secret") {
		t.Errorf("root's page: %v\n%s", err, root)
	}
	if err := Write(filepath.Join(dir, "none"), program(), Header{}); err == nil {
		t.Error("no error of a directory that is not there")
	}
}
