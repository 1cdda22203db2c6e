package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/test/docs"
)

// shellWord is a piece of a line: of a word, in quotes or bare, or what ends a command.
var shellWord = regexp.MustCompile(`'[^']*'|"[^"]*"|\$\([^)]*\)|&&|\d?[<>]|[|;)]|\s+#.*|\s+|[^\s'"|;<>)$]+|\$`)

// docsCommands are the commands of onelease in a line of documentation, each the words
// that follow its name.
func docsCommands(line string) (commands [][]string) {
	var words []string
	var word string
	end := func() {
		if word != "" {
			words, word = append(words, word), ""
		}
	}
	finish := func() {
		end()
		if i := slices.IndexFunc(words, func(w string) bool { return filepath.Base(w) == "onelease" }); i >= 0 && runs(words[:i]) {
			commands = append(commands, words[i+1:])
		}
		words = nil
	}
	for _, part := range shellWord.FindAllString(line, -1) {
		switch {
		case strings.TrimLeft(part, " \t") == "":
			end()
		case strings.ContainsAny(part[:1], " \t"): // a comment
			finish()
			return commands
		case part == "&&" || strings.ContainsAny(part[len(part)-1:], "|;<>") || part == ")":
			finish()
		default:
			word += unquote(part)
		}
	}
	finish()
	return commands
}

// unquote takes a pair of quotes away.
func unquote(part string) string {
	if part[0] == '\'' || part[0] == '"' {
		return part[1 : len(part)-1]
	}
	return part
}

// runs reports whether what stands before the name has it run: nothing, go run, or ssh to
// another machine.
func runs(before []string) bool {
	return len(before) == 0 || slices.Equal(before, []string{"go", "run"}) || len(before) == 2 && before[0] == "ssh"
}

func docsPages(t *testing.T, others ...string) []docs.Page {
	t.Helper()
	pages, err := docs.Pages("../..", others...)
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

// TestDocsCommands: the commands in README.md and docs/ are there, with their flags, the
// values of these, and as many arguments. Package test/docs runs them, but for those that its plans
// leave out.
func TestDocsCommands(t *testing.T) {
	checked := 0
	for _, page := range docsPages(t) {
		for _, line := range strings.Split(page.Text, "\n") {
			code, is := strings.CutPrefix(line, "    ")
			if !is {
				continue
			}
			for _, words := range docsCommands(code) {
				checked++
				if err := parses(words); err != nil {
					t.Errorf("%s: %s: %v", page.Path, strings.TrimSpace(line), err)
				}
			}
		}
	}
	if checked < 50 {
		t.Errorf("found %d commands, which are too few: the pages are written in another way now", checked)
	}
}

// inline is a command in a sentence.
var inline = regexp.MustCompile("`(onelease [^`]+)`")

// TestDocsSentences: so are those that a sentence names, but for their arguments, which it
// may leave out.
func TestDocsSentences(t *testing.T) {
	checked := 0
	for _, page := range docsPages(t, "DESIGN.md") {
		for _, code := range inline.FindAllStringSubmatch(page.Text, -1) {
			for _, words := range docsCommands(strings.ReplaceAll(code[1], "\n", " ")) {
				checked++
				if err := named(words); err != nil {
					t.Errorf("%s: %s: %v", page.Path, code[1], err)
				}
			}
		}
	}
	if checked < 50 {
		t.Errorf("found %d commands, which are too few: the pages are written in another way now", checked)
	}
}

// named reports what is wrong with a command that lacks its arguments.
func named(words []string) error {
	cmd, rest, err := root().Find(words)
	if err == nil {
		err = cmd.ParseFlags(rest)
	}
	if err != nil && strings.HasPrefix(err.Error(), "flag needs an argument") {
		return nil
	}
	if args := cmd.Flags().Args(); err == nil && cmd.HasSubCommands() && len(args) > 0 {
		err = fmt.Errorf("unknown command %q", args[0])
	}
	return err
}

// file is a block of TOML that says of which role it is.
var file = regexp.MustCompile("(?s)```toml\n(# onelease (\\w+) --config.*?)```")

// TestDocsFiles: files of settings in the docs are taken.
func TestDocsFiles(t *testing.T) {
	found := 0
	for _, page := range docsPages(t) {
		for _, block := range file.FindAllStringSubmatch(page.Text, -1) {
			found++
			path := filepath.Join(t.TempDir(), block[2]+".toml")
			write(t, path, block[1])
			do(t, "config", "check", path)
		}
	}
	if found == 0 {
		t.Error("found no file: the pages are written in another way now")
	}
}

// parses reads a command without running it; of one with --help not the arguments.
func parses(words []string) error {
	named := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return w == "--help" })
	cmd, rest, err := root().Find(named)
	if err == nil {
		err = cmd.ParseFlags(rest)
	}
	args := cmd.Flags().Args()
	switch {
	case err != nil:
		return err
	case cmd.HasSubCommands() && len(args) > 0:
		return fmt.Errorf("unknown command %q", args[0])
	case len(named) < len(words):
		return nil
	}
	return cmd.ValidateArgs(args)
}

// TestHelpCommands: the examples in the help texts are commands that there are.
func TestHelpCommands(t *testing.T) {
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		for _, line := range strings.Split(cmd.Example, "\n") {
			for _, words := range docsCommands(line) {
				if err := parses(words); err != nil {
					t.Errorf("%s --help: %s: %v", cmd.CommandPath(), strings.TrimSpace(line), err)
				}
			}
		}
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(root())
}

// TestDocsCommandsAreFound: it reads lines as a shell does, as far as documentation needs it.
func TestDocsCommandsAreFound(t *testing.T) {
	for line, want := range map[string]int{
		`onelease status --watch    # onelease`:                                       1,
		`onelease cluster invite --dir b1 > t; onelease cluster join`:                 2,
		`ssh b1 onelease cluster invite --dir b1 | onelease cluster join --dir r`:     2,
		`go run ./cmd/onelease demo`:                                                  1,
		`onelease: it says so`:                                                        0,
		`the program onelease is there`:                                               0,
		`onelease backend --set 'proxy.target="http://127.0.0.1:8080"' && onelease x`: 2,
	} {
		if got := docsCommands(line); len(got) != want {
			t.Errorf("%q has %d commands, want %d: %q", line, len(got), want, got)
		}
	}
	quoted := docsCommands(`onelease backend --set 'site.root="/srv/www"'`)
	if want := []string{"backend", "--set", `site.root="/srv/www"`}; !slices.Equal(quoted[0], want) {
		t.Errorf("words are %q, want %q", quoted[0], want)
	}
	for _, wrong := range []string{"statu", "status --wach", "cluster drain", "backend --drain-limit 5", "cluster statu"} {
		if parses(strings.Fields(wrong)) == nil {
			t.Errorf("onelease %s is taken for good", wrong)
		}
	}
}
