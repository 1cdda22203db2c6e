package admin

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the generated tables of docs/metrics.md")

const page = "../../docs/metrics.md"

// These are what is generated of the page, which is otherwise written by hand.
var (
	block      = regexp.MustCompile(`(?s)(<!-- generated: metrics; see make generate -->\n).*?(<!-- end -->)`)
	chartBlock = regexp.MustCompile(`(?s)(<!-- generated: charts; see make generate -->\n).*?(<!-- end -->)`)
)

// The page has the table; -update makes it so.
func TestDocs(t *testing.T) {
	old, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if !block.Match(old) || !chartBlock.Match(old) {
		t.Fatalf("%s has no place for the table", page)
	}
	made := block.ReplaceAllFunc(old, func(b []byte) []byte {
		parts := block.FindSubmatch(b)
		return fmt.Appendf(nil, "%s%s\n%s", parts[1], docsTables(), parts[2])
	})
	made = chartBlock.ReplaceAllFunc(made, func(b []byte) []byte {
		parts := chartBlock.FindSubmatch(b)
		return fmt.Appendf(nil, "%s%s\n%s", parts[1], docsCharts(), parts[2])
	})
	switch {
	case bytes.Equal(old, made):
	case !*update:
		t.Errorf("%s is out of date: run make generate", page)
	default:
		if err := os.WriteFile(page, made, 0o644); err != nil {
			t.Error(err)
		}
	}
}

func docsTables() string {
	var b strings.Builder
	for _, g := range Groups {
		title := "Of every role"
		if g.Role != "" {
			title = "Of `onelease " + g.Role + "`"
		}
		if g.Role == RoleUp {
			fmt.Fprintf(&b, "\n### %s\n\nThose of each of its frontends, with one label more, `frontend`, and without those of guests; of the balancer those "+
				"that only a leader has; and all of the backend.\n", title)
			continue
		}
		fmt.Fprintf(&b, "\n### %s\n\n| Metric | Kind | Labels | Meaning |\n|---|---|---|---|\n", title)
		for _, m := range g.Metrics {
			kind := "gauge"
			if m.Counter {
				kind = "counter"
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", m.Name, kind, strings.Join(m.Labels, ", "), m.Help)
		}
	}
	return b.String()
}

// pointsOfKind says what a point is.
var pointsOfKind = map[Kind]string{Level: "average", Rate: "a second", Count: "how many", Changes: "how many"}

func docsCharts() string {
	var b strings.Builder
	b.WriteString("\n| Chart | Unit | Lines | Points |\n|---|---|---|---|\n")
	for _, c := range Charts {
		var lines []string
		for _, curve := range c.curves {
			line := "`" + curve.metric + "`"
			if curve.name != "" {
				line = curve.name + ": " + line
			}
			if curve.sum {
				line += " in all"
			}
			lines = append(lines, line)
		}
		fmt.Fprintf(&b, "| %s (`%s`) | %s | %s | %s |\n", c.Title, c.Name, c.Unit, strings.Join(lines, "; "), pointsOfKind[c.Kind])
	}
	return b.String()
}

// named are what looks like one of our metrics.
var named = regexp.MustCompile(`onelease_[a-z0-9_]+`)

// Rules and the dashboard ask for metrics that there are.
func TestExamples(t *testing.T) {
	for _, path := range []string{"../../docs/alerts.yml", "../../docs/grafana.json"} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		names := named.FindAllString(string(text), -1)
		if len(names) < 10 {
			t.Errorf("%s names %d metrics only", path, len(names))
		}
		for _, name := range names {
			if !known(name) {
				t.Errorf("%s asks for %s, and there is no such metric", path, name)
			}
		}
		if strings.HasSuffix(path, ".json") && !json.Valid(text) {
			t.Errorf("%s is no JSON", path)
		}
	}
}

// known reports whether a role has a metric of the name.
func known(name string) bool {
	for f := range descriptions {
		if f.name == name {
			return true
		}
	}
	return false
}

// The table keeps to Prometheus' rules for names, and names nothing twice.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, g := range Groups {
		if g.Role == RoleUp {
			continue // made of the others
		}
		for _, m := range g.Metrics {
			switch {
			case seen[m.Name]:
				t.Errorf("%s is there twice", m.Name)
			case !named.MatchString(m.Name):
				t.Errorf("%s is no name", m.Name)
			case m.Counter != strings.HasSuffix(m.Name, "_total"):
				t.Errorf("%s: the name of a counter ends in _total, and no other's does", m.Name)
			case !strings.HasSuffix(m.Help, ".") || strings.Contains(m.Help, "|"):
				t.Errorf("%s: help %q is no sentence, or breaks the page's table", m.Name, m.Help)
			}
			seen[m.Name] = true
		}
	}
}
