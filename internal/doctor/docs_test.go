package doctor

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the generated table of docs/troubleshooting.md")

const page = "../../docs/troubleshooting.md"

// The block is between these, in a page that is otherwise written by hand.
var block = regexp.MustCompile(`(?s)(<!-- generated: checks; see make generate -->\n).*?(<!-- end -->)`)

// The page says what the table says; -update makes it so.
func TestDocs(t *testing.T) {
	old, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if len(block.FindAll(old, -1)) != 1 {
		t.Fatalf("%s: want one block for the checks", page)
	}
	made := block.ReplaceAllFunc(old, func(b []byte) []byte {
		parts := block.FindSubmatch(b)
		return fmt.Appendf(nil, "%s\n%s\n%s", parts[1], docsTable(), parts[2])
	})
	if bytes.Equal(old, made) {
		return
	}
	if !*update {
		t.Errorf("%s is out of date: run make generate", page)
	} else if err := os.WriteFile(page, made, 0o644); err != nil {
		t.Error(err)
	}
}

func docsTable() string {
	var b strings.Builder
	for i, c := range Table {
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "### %s\n\n%s.\n\n| Fault | | What is wrong | What to do |\n|---|---|---|---|\n", c.Name, c.Means)
		for _, f := range c.Faults {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.ID, f.State, cell(f.Means), cell(f.Cure))
		}
	}
	return b.String()
}

// cell is a text without what Markdown would read as something else.
func cell(text string) string { return strings.ReplaceAll(text, "|", "\\|") }
