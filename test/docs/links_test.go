package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	link      = regexp.MustCompile(`\]\(([^)\s#]*)(?:#([^)\s]+))?\)`)
	heading   = regexp.MustCompile(`(?m)^#+ (.+)$`)
	fence     = regexp.MustCompile("(?s)```.*?```")
	noAnchors = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
)

// anchors are those of a page's headings, as GitHub makes them.
func anchors(text string) map[string]bool {
	found := map[string]bool{}
	for _, h := range heading.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		found[strings.ReplaceAll(noAnchors.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-")] = true
	}
	return found
}

// TestLinks: what pages link to is there, files and headings.
func TestLinks(t *testing.T) {
	const root = "../.."
	pages, err := Pages(root, "DESIGN.md")
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, page := range pages {
		for _, found := range link.FindAllStringSubmatch(page.Text, -1) {
			if strings.Contains(found[1], ":") {
				continue // elsewhere
			}
			checked++
			target := filepath.Join(root, page.Path)
			if found[1] != "" {
				target = filepath.Join(filepath.Dir(target), found[1])
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: %v", page.Path, err)
				continue
			}
			if there, _ := os.ReadFile(target); found[2] != "" && !anchors(string(there))[found[2]] {
				t.Errorf("%s: %s has no heading #%s", page.Path, filepath.Base(target), found[2])
			}
		}
	}
	if checked < 100 {
		t.Errorf("found %d links, which are too few: the pages are written in another way now", checked)
	}
}
