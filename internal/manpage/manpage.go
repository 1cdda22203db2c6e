// Package manpage writes man pages of a command and of those under it, from the texts that
// --help prints.
//
//	err := manpage.Write("/usr/share/man/man1", root, manpage.Header{Date: released, Source: "Onelease 1.0"})
//
// Our texts are plain: paragraphs, and lines that stand as they are because they begin with
// a space. What takes them for Markdown, as cobra's own generator does, loses those lines' form and
// what stands between < and >.
package manpage

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// A Header is what the edges of each page say.
type Header struct {
	Date   time.Time // the day counts
	Source string    // the program and its version
}

// columns is how wide descriptions of flags may be, within the margins of a terminal of 80.
const columns = 72

// Write writes a page for cmd and for each command under it that is not hidden into dir,
// which must be there: a-b.1 for "a b".
func Write(dir string, cmd *cobra.Command, h Header) error {
	if err := os.WriteFile(filepath.Join(dir, name(cmd)+".1"), Page(cmd, h), 0o644); err != nil {
		return fmt.Errorf("man page of %s: %w", cmd.CommandPath(), err)
	}
	for _, c := range cmd.Commands() {
		if !shown(c) {
			continue
		}
		if err := Write(dir, c, h); err != nil {
			return err
		}
	}
	return nil
}

// Page is the man page of one command, in troff's man macros, man(7).
func Page(cmd *cobra.Command, h Header) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, ".TH %s 1 %s %s %s\n", quoted(strings.ToUpper(name(cmd))), quoted(h.Date.Format(time.DateOnly)), quoted(h.Source), quoted("User Commands"))
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", line(name(cmd)), line(cmd.Short))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n", line(cmd.UseLine()))
	if cmd.Long != "" {
		b.WriteString(".SH DESCRIPTION\n")
		text(&b, cmd.Long)
	}
	as(&b, "EXAMPLES", cmd.Example)
	as(&b, "OPTIONS", cmd.LocalFlags().FlagUsagesWrapped(columns))
	seeAlso(&b, cmd)
	return b.Bytes()
}

// text writes paragraphs, and lines that begin with a space as they are.
func text(b *bytes.Buffer, long string) {
	verbatim := false
	for l := range strings.SplitSeq(strings.TrimSpace(long), "\n") {
		if is := strings.HasPrefix(l, " "); is != verbatim && l != "" {
			b.WriteString(map[bool]string{true: ".nf\n", false: ".fi\n"}[is])
			verbatim = is
		}
		if l == "" {
			l = ".PP"
		} else {
			l = line(l)
		}
		b.WriteString(l + "\n")
	}
	if verbatim {
		b.WriteString(".fi\n")
	}
}

// as writes a section whose lines stand as they are, unless it is empty.
func as(b *bytes.Buffer, title, body string) {
	if body = strings.TrimRight(body, "\n"); body == "" {
		return
	}
	fmt.Fprintf(b, ".SH %s\n.nf\n", title)
	for l := range strings.SplitSeq(body, "\n") {
		b.WriteString(line(l) + "\n")
	}
	b.WriteString(".fi\n")
}

// seeAlso names the commands above and under cmd.
func seeAlso(b *bytes.Buffer, cmd *cobra.Command) {
	var pages []string
	if cmd.HasParent() {
		pages = append(pages, name(cmd.Parent()))
	}
	for _, c := range cmd.Commands() {
		if shown(c) {
			pages = append(pages, name(c))
		}
	}
	if len(pages) == 0 {
		return
	}
	b.WriteString(".SH SEE ALSO\n")
	for i, page := range pages {
		end := ","
		if i == len(pages)-1 {
			end = ""
		}
		fmt.Fprintf(b, ".BR %s (1)%s\n", line(page), end)
	}
}

// shown is whether a command has a page.
func shown(cmd *cobra.Command) bool { return cmd.IsAvailableCommand() && cmd.Name() != "help" }

func name(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

// escapes are of what troff would take for something else: a plain "-" for a hyphen, that
// cannot be copied into a shell.
var escapes = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`)

// line is one line of text for troff. A dot at its begin would be a request.
func line(s string) string {
	s = escapes.Replace(s)
	if strings.HasPrefix(s, ".") {
		s = `\&` + s
	}
	return s
}

// quoted is one argument of a macro.
func quoted(s string) string {
	return `"` + strings.ReplaceAll(line(s), `"`, `\(dq`) + `"`
}
