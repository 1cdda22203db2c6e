package sam

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the generated tables of docs/sam.md and docs/sam-extension.md")

// A block is between these, in pages that are otherwise written by hand.
var block = regexp.MustCompile(`(?s)(<!-- generated: ([a-z]+); see make generate -->\n).*?(<!-- end -->)`)

// blocks are what the pages have of the table, by name.
var blocks = map[string]func() string{
	"commands": func() string { return docsLines(FromClient, ByBridge) },
	"replies":  func() string { return docsLines(FromServer, ByBridge) },
	"options":  func() string { return docsOptions(FromClient, ByBridge) },
	"udp":      func() string { return docsTable(ByBridge, append([]Option{protocolOption}, sendOptions...)) },
	"results":  docsResults,
	"frontend": docsOnFrontend,
}

// The pages say what the table says; -update makes it so.
func TestDocs(t *testing.T) {
	used := map[string]bool{}
	for _, page := range []string{"../../docs/sam.md", "../../docs/sam-extension.md"} {
		old, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		made := block.ReplaceAllFunc(old, func(b []byte) []byte {
			parts := block.FindSubmatch(b)
			name := string(parts[2])
			if blocks[name] == nil {
				t.Fatalf("%s has a block %q, and nothing makes one", page, name)
			}
			used[name] = true
			return fmt.Appendf(nil, "%s\n%s\n%s", parts[1], blocks[name](), parts[3])
		})
		if bytes.Equal(old, made) {
			continue
		}
		if !*update {
			t.Errorf("%s is out of date: run make generate", page)
		} else if err := os.WriteFile(page, made, 0o644); err != nil {
			t.Error(err)
		}
	}
	for name := range blocks {
		if !used[name] {
			t.Errorf("no page has the block %q", name)
		}
	}
}

func eachRow(from Side, by Service, do func(k Kind, r *Row)) {
	for k := KindUnknown + 1; k < kindCount; k++ {
		if r := &commands[k]; r.From&from != 0 && r.By&by != 0 {
			do(k, r)
		}
	}
}

// docsLines is a table of lines, with the options of those that a server says.
func docsLines(from Side, by Service) string {
	var b strings.Builder
	b.WriteString("| Line | Since | Meaning |\n|---|---|---|\n")
	eachRow(from, by, func(k Kind, r *Row) {
		line := k.String()
		if r.Form == FormText {
			line += " [text]"
		}
		meaning := r.Meaning
		if from == FromServer && len(r.Options) > 0 {
			meaning += ". Options: " + docsKeys(r, by)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", line, r.Since, cell(meaning))
	})
	return b.String()
}

// docsKeys names the options of a line that are not explained at length.
func docsKeys(r *Row, by Service) string {
	var keys []string
	for _, o := range r.Options {
		if !r.Serves(by, &o) {
			continue
		}
		key := "`" + o.Key + "`"
		if o.Key != "RESULT" && o.Key != "MESSAGE" {
			key += " (" + o.Meaning + ")"
		}
		keys = append(keys, key)
	}
	return strings.Join(keys, ", ")
}

// docsOptions is a table for each line that has options.
func docsOptions(from Side, by Service) string {
	var parts []string
	eachRow(from, by, func(k Kind, r *Row) {
		var served []Option
		for _, o := range r.Options {
			if r.Serves(by, &o) {
				served = append(served, o)
			}
		}
		if len(served) > 0 {
			parts = append(parts, fmt.Sprintf("### %v\n\n%s", k, docsTable(by, served)))
		}
	})
	return strings.Join(parts, "\n")
}

func docsTable(by Service, options []Option) string {
	var b strings.Builder
	b.WriteString("| Option | Values | Since | Meaning |\n|---|---|---|---|\n")
	for _, o := range options {
		meaning := o.Meaning
		if o.For != "" {
			meaning += " (" + o.For + ")"
		}
		if o.Required {
			meaning += ". Required"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", o.Key, cell(o.Value), o.Since, cell(meaning))
	}
	return b.String()
}

func docsResults() string {
	var b strings.Builder
	b.WriteString("| Result | Meaning |\n|---|---|\n")
	for _, r := range Results {
		fmt.Fprintf(&b, "| `%s` | %s |\n", r.Result, cell(r.Meaning))
	}
	return b.String()
}

// docsOnFrontend is what of SAM a frontend serves, but for its own extensions.
func docsOnFrontend() string {
	var b strings.Builder
	b.WriteString("| Line | Said by | Options |\n|---|---|---|\n")
	eachRow(FromClient|FromServer, ByFrontend, func(k Kind, r *Row) {
		if r.Since == SinceUs || r.Since == SincePractice {
			return
		}
		var keys []string
		for _, o := range r.Options {
			if r.Serves(ByFrontend, &o) && o.Since != SinceUs {
				keys = append(keys, "`"+o.Key+"`")
			}
		}
		fmt.Fprintf(&b, "| `%v` | %s | %s |\n", k, r.From, strings.Join(keys, ", "))
	})
	return b.String()
}

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
