package samconform

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// page is where the table is published.
const page = "../../docs/sam-conformance.md"

// maxSaid is how much of a bridge's answer the table quotes, in bytes.
const maxSaid = 140

// A column is how a bridge did.
type column struct {
	name    string
	results []result
}

// sideBySide is the table for a terminal, with what a bridge said in place of what it should.
func sideBySide(columns []column) string {
	var b strings.Builder
	for i, r := range columns[0].results {
		for _, c := range columns {
			fmt.Fprintf(&b, "%s %-4s", c.name, verdict(c.results[i]))
		}
		fmt.Fprintf(&b, " %s  %s: %s\n", r.row.since, r.row.section, r.row.says)
		for _, c := range columns {
			if why := c.results[i].failure + c.results[i].skipped; why != "" {
				fmt.Fprintf(&b, "        %s: %s\n", c.name, why)
			}
		}
	}
	return b.String()
}

func verdict(r result) string {
	switch {
	case r.failure != "":
		return "no"
	case r.skipped != "":
		return "-"
	}
	return "yes"
}

// introduction explains the table; the names are those of the columns.
const introduction = `# SAM conformance

What the specification of SAM 3.0 to 3.3 says of a bridge, row by row, and who does it. The table is written by
test/samconform, whose tests hold ours to each row; %s is asked the same and decides nothing. "Since" is the version of
SAM that has it. A row is asked in the newest version that the bridge speaks, unless the row is about another. What is asked
of a bridge in place of the specification's silence says so.

| bridge | rows supported |
|---|---|
`

// markdown is the page.
func markdown(columns []column) string {
	var b strings.Builder
	fmt.Fprintf(&b, introduction, columns[len(columns)-1].name)
	for _, c := range columns {
		fmt.Fprintf(&b, "| %s | %d of %d |\n", c.name, supported(c.results), len(c.results))
	}
	for _, section := range sections(columns[0].results) {
		fmt.Fprintf(&b, "\n### %s\n\n| what must be answered | since |%s\n|---|---|%s\n", section,
			each(columns, func(c column) string { return " " + c.name + " |" }), strings.Repeat("---|", len(columns)))
		for i, r := range columns[0].results {
			if r.row.section == section {
				fmt.Fprintf(&b, "%s%s\n", r.row.cells(), each(columns, func(c column) string { return " " + said(c.results[i]) + " |" }))
			}
		}
	}
	return b.String()
}

// sections are those of the specification, each once.
func sections(results []result) (names []string) {
	for _, r := range results {
		if !slices.Contains(names, r.row.section) {
			names = append(names, r.row.section)
		}
	}
	return names
}

func each(columns []column, f func(column) string) string {
	var b strings.Builder
	for _, c := range columns {
		b.WriteString(f(c))
	}
	return b.String()
}

// cells are the row's own.
func (r row) cells() string {
	says := r.says
	if r.note != "" {
		says += " (" + r.note + ")"
	}
	return fmt.Sprintf("| %s | %s |", cell(says), r.since)
}

// cell keeps a text from ending its cell or being taken for markup.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "*", `\*`, "_", `\_`, "~", `\~`, "\n", " ").Replace(s)
}

// said is a result as a cell.
func said(r result) string {
	why := r.failure + r.skipped
	if len(why) > maxSaid {
		why = strings.ToValidUTF8(why[:maxSaid], "") + "…"
	}
	if why != "" {
		return verdict(r) + ": " + cell(why)
	}
	return verdict(r)
}

// writePage writes the page.
func writePage(t *testing.T, columns []column) {
	if *onlyRows != "" {
		t.Fatal("-update writes all rows: leave -rows away")
	}
	if err := os.WriteFile(page, []byte(markdown(columns)), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestPage: the page has each row that there is, with ours supported, and no other. What i2pd
// did there is not looked at: it is no test's business.
func TestPage(t *testing.T) {
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for _, r := range rows() {
		if !strings.Contains(text, "\n"+r.cells()+" yes |") {
			t.Errorf("not in %s as supported by ours: %s %s\nwrite it anew with ONELEASE_I2PD_TESTS=1 go test ./test/samconform -update",
				page, r.section, r.cells())
		}
	}
	if got, want := strings.Count(text, "| 3."), len(rows()); got != want {
		t.Errorf("%s has %d rows, want %d: write it anew", page, got, want)
	}
}
